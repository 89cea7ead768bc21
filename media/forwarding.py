"""A stream's packets to its players and taps: one write, one encryption and one system call for each player, and nothing else.

What can be done once is done once: a packet's bytes are made for all players of a shape (``media.player.Shape``); counters are kept
for the stream and for a group, not for each copy; players are attached and detached outside the loop.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable

import structlog

from media import rtp, srtp
from media.outlet import BLOCKED, Outlet
from media.packet import StreamPacket
from media.plane import Drop
from media.player import Player, Shape
from media.stream import Stream

log = structlog.get_logger()


@functools.lru_cache(maxsize=2_048)
def _packet_struct(length: int) -> struct.Struct:
    """The fixed header and ``length`` bytes behind it, to write both in one step."""
    return struct.Struct(f"!BBHII{length}s")


class Forwarder:
    """See the module."""

    def __init__(self, outlet: Outlet) -> None:
        self._port = outlet.port
        self._drops = outlet.drops
        self._buffer = srtp.PacketBuffer()
        self.packets_out = 0
        self.bytes_out = 0
        """Payload."""

    def forward(self, stream: Stream, packet: StreamPacket) -> None:
        """A packet with a new number goes to everybody."""
        for shape, group in stream.groups.items():
            group.bytes += self._copy(group.players, shape, packet, packet.marker)
        stream.packets += 1
        if stream.waiting:
            self._begin(stream, packet)
        if stream.nack_players:
            stream.history.add(packet)
        if stream.taps:
            self._hand_to_taps(stream, packet)

    def forward_late(self, stream: Stream, packet: StreamPacket) -> None:
        """A packet that the network delivered out of order goes to those who were there at its time."""
        for shape, group in stream.groups.items():
            there = [player for player in group.players if player.first <= packet.place]
            size = self._copy(there, shape, packet, packet.marker)
            for player in there:
                player.count(size)
        if stream.nack_players:
            stream.history.add(packet)
        if stream.taps:
            self._hand_to_taps(stream, packet)

    def send_again(self, player: Player, sequences: Iterable[int], now: int) -> None:
        """What the player asks for by its own numbering, as far as it is kept and as often as it may."""
        if not player.nack:
            return
        for sequence in sequences:
            player.nacked += 1
            place = player.place_of(sequence)
            packet = player.stream.history.get(place) if place is not None else None
            if packet is None or not player.retransmission.allows(now):
                continue
            # The same bytes as the first time, down to the marker of a player's first packet.
            marker = rtp.MARKER if packet.place == player.first else packet.marker
            player.count(self._copy((player,), player.shape, packet, marker))
            player.retransmitted += 1

    def _begin(self, stream: Stream, packet: StreamPacket) -> None:
        """Takes the players that can be sent to out of the waiting ones."""
        ready = [player for player in stream.waiting if player.reachable]
        stream.waiting = [player for player in stream.waiting if not player.reachable]
        for player in ready:
            stream.attach(player, packet.place)
            # A player's first packet is the start of a talkspurt for it (RFC 3551 §4.1).
            player.count(self._copy((player,), player.shape, packet, rtp.MARKER))

    def _copy(self, players: list[Player] | tuple[Player, ...], shape: Shape, packet: StreamPacket, marker: int) -> int:
        """The hot loop. Returns the payload bytes of one copy."""
        first, payload_type, body, payload_size = packet.sound.shaped(shape)
        size = rtp.HEADER_LENGTH + len(body)
        if size > srtp.MAX_PACKET:
            self._drops[Drop.OVERSIZED] += 1
            return 0
        second, place, timestamp = marker | payload_type, packet.place, packet.timestamp
        pack = _packet_struct(len(body)).pack_into
        view, data, length = self._buffer.view, self._buffer.data, self._buffer.length
        protect = srtp.protect
        for player in players:
            pack(view, 0, first, second, (place + player.offset) & 0xFFFF, timestamp, player.ssrc, body)
            length[0] = size
            if protect(player.srtp, data, length):
                self._failed(player)
                continue
            try:
                player.send(view[: length[0]], player.address)
            except OSError as error:
                if error.errno in BLOCKED:
                    self._port.enqueue(bytes(view[: length[0]]), player.address, player.send)
                else:
                    self._failed(player)
        self.packets_out += len(players)
        self.bytes_out += payload_size * len(players)
        return payload_size

    def _failed(self, player: Player) -> None:
        player.failures += 1
        self._drops[Drop.SEND_FAILED] += 1

    def _hand_to_taps(self, stream: Stream, packet: StreamPacket) -> None:
        for tap in list(stream.taps.values()):
            try:
                tap(packet.place, packet.timestamp, packet.marker != 0, packet.sound.opus)
            except Exception:
                # Its mistake must not cost the players their sound.
                self._drops[Drop.TAP_FAILED] += 1
                log.exception("media_tap_failed", stream=stream.name)
