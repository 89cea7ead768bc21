"""The last packets of a stream, for players that ask for lost ones (generic NACK, RFC 4585 §6.2.1).

Kept once for the stream, not for each player: what a player lost is written for it anew, with the same bytes as before. They have to
be the same: SRTP's keystream is that of the sequence number, and other bytes under it would lay both bare (RFC 3711 §9.1).
"""

from __future__ import annotations

from media.packet import StreamPacket

PACKETS = 64
"""Packets kept: 1.3 s of a usual stream. A jitter buffer waits for less."""


class History:
    """A ring by sequence number of the stream."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring: list[StreamPacket | None] = []

    def add(self, packet: StreamPacket) -> None:
        if not self._ring:
            self._ring = [None] * PACKETS
        kept = self._ring[packet.place % PACKETS]
        if kept is None or kept.place < packet.place:
            self._ring[packet.place % PACKETS] = packet

    def get(self, place: int) -> StreamPacket | None:
        """None if it never came or is no longer kept."""
        packet = self._ring[place % PACKETS] if self._ring else None
        return packet if packet is not None and packet.place == place else None

    def clear(self) -> None:
        self._ring = []
