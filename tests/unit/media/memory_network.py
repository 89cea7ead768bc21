"""A network in memory: the plane's port, and clients that speak ICE, SRTP and RTCP without sockets or DTLS."""

from __future__ import annotations

import itertools
import random
from collections import deque

from pylibsrtp import Policy, Session

from media import rtcp, rtp, stun
from media.plane import Address, IceCredentials, MediaPlane, Send, SrtpKeys, SrtpProfile

_POLICY_PROFILES = {
    SrtpProfile.AEAD_AES_128_GCM: (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    SrtpProfile.AES128_CM_SHA1_80: (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}


class MemoryPort:
    """``DatagramPort`` over two lists."""

    def __init__(self) -> None:
        self.incoming: deque[tuple[bytes, Address]] = deque()
        self.outgoing: list[tuple[bytes, Address]] = []
        self.queued: list[tuple[bytes, Address]] = []
        self.full = False
        """The socket takes nothing now."""
        self.unreachable: set[Address] = set()
        self.queue_drops = 0
        self.arrived_at = b""
        self.left_from = b""
        """Our address that the last datagram was sent from."""

    def recvfrom_into(self, buffer: memoryview) -> tuple[int, Address]:
        if not self.incoming:
            raise BlockingIOError
        data, address = self.incoming.popleft()
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        return size, address

    def sendto(self, data: bytes | memoryview, address: Address) -> int:
        if self.full:
            raise BlockingIOError(11, "full")
        if address in self.unreachable:
            raise OSError(101, "unreachable")
        self.outgoing.append((bytes(data), address))
        return len(data)

    def route(self, address: Address, local: bytes) -> Send:
        def send(data: bytes | memoryview, to: Address) -> int:
            self.left_from = local
            return self.sendto(data, to)

        return send

    def enqueue(self, data: bytes, address: Address, send: Send) -> None:
        self.queued.append((data, address))

    def take(self, address: Address) -> list[bytes]:
        """Datagrams sent to ``address`` since the last call."""
        mine = [data for data, to in self.outgoing if to == address]
        self.outgoing = [(data, to) for data, to in self.outgoing if to != address]
        return mine


class Recorder:
    """``PlaneEvents`` that keeps what it is told."""

    def __init__(self) -> None:
        self.dtls: list[tuple[int, bytes]] = []

    def dtls_received(self, peer: int, datagram: bytes) -> None:
        self.dtls.append((peer, datagram))


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


class RemotePeer:
    """A client at one address, with its half of the keys."""

    _transactions = itertools.count(1)

    def __init__(self, plane: MediaPlane, port: MemoryPort, number: int, *, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM) -> None:
        self.plane = plane
        self.port = port
        self.number = number
        self.address: Address = ("10.0.0.1", 10_000 + number)
        self.ice = IceCredentials(f"ours{number}", f"our-password-{number:010}", f"theirs{number}")
        libsrtp_profile, size = _POLICY_PROFILES[profile]
        material = random.Random(number)
        to_node, from_node = material.randbytes(size), material.randbytes(size)
        self.keys = SrtpKeys(profile, receive=to_node, send=from_node)
        sending = Policy(key=to_node, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=libsrtp_profile)
        sending.allow_repeat_tx = True
        receiving = Policy(key=from_node, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=libsrtp_profile)
        receiving.window_size = 1_024
        self.sending = Session(sending)
        self.receiving = Session(receiving)

    def add(self, *, answer_checks_from: int = 0) -> RemotePeer:
        self.plane.add_peer(self.number, self.ice, answer_checks_from=answer_checks_from)
        return self

    def connect(self) -> RemotePeer:
        """ICE and the keys, as after DTLS."""
        self.check()
        self.plane.set_keys(self.number, self.keys)
        self.port.take(self.address)
        return self

    def deliver(self, *datagrams: bytes) -> None:
        self.port.incoming.extend((data, self.address) for data in datagrams)
        self.plane.datagrams_waiting()

    def check(self, *, nominate: bool = True, password: str | None = None, username: str | None = None, controlling: bool = True) -> None:
        transaction = next(self._transactions).to_bytes(12, "big")
        name = f"{self.ice.ufrag}:{self.ice.remote_ufrag}" if username is None else username
        self.deliver(stun.binding_request(transaction, name, password or self.ice.password, nominate=nominate, controlling=controlling))

    def protect(self, packet: bytes) -> bytes:
        return self.sending.protect(packet)

    def send(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        *,
        ssrc: int = 77,
        payload_type: int = 111,
        level: int | None = None,
        transport: int | None = None,
        padding: int = 0,
    ) -> None:
        """``level``: the byte of RFC 6464, under the id 1. ``transport``: the transport-wide sequence number, under the id 3."""
        elements = b"" if level is None else bytes((0x10, level))
        elements += b"" if transport is None else b"\x31" + transport.to_bytes(2, "big")
        packet = bytearray(rtp.packet(payload_type, sequence, timestamp, ssrc, b""))
        if elements:
            packet[0] |= rtp.EXTENSION
            elements += bytes(-len(elements) % 4)
            packet += b"\xbe\xde" + (len(elements) // 4).to_bytes(2, "big") + elements
        packet += payload
        if padding:
            packet[0] |= 0x20
            packet += bytes(padding - 1) + bytes((padding,))
        self.deliver(self.protect(bytes(packet)))

    def send_rtcp(self, packet: bytes) -> None:
        self.deliver(self.sending.protect_rtcp(packet))

    def received(self) -> list[Received]:
        """Media packets that came since the last call, decrypted."""
        packets = [data for data in self.port.take(self.address) if 128 <= data[0] <= 191]
        return [Received(self.receiving.unprotect(data)) for data in packets if not rtp.is_rtcp(data[1])]

    def received_raw(self) -> list[bytes]:
        """Datagrams that came since the last call, as they are."""
        return self.port.take(self.address)

    def received_rtcp(self) -> list[rtcp.Compound]:
        """RTCP that came since the last call; drops the media packets."""
        packets = [data for data in self.port.take(self.address) if 128 <= data[0] <= 191]
        return [rtcp.parse(self.receiving.unprotect_rtcp(data)) for data in packets if rtp.is_rtcp(data[1])]


class Received:
    """A decrypted RTP packet."""

    def __init__(self, data: bytes) -> None:
        self.flags, kind, self.sequence, self.timestamp, self.ssrc = rtp.HEADER.unpack_from(data)
        self.payload_type = kind & 0x7F
        self.marker = bool(kind & 0x80)
        view = memoryview(data)
        extension, start, end = rtp.locate_payload(view, len(data))
        self.payload = data[start:end]
        self.elements = {
            identifier: data[offset : offset + size]
            for identifier, offset, size in (rtp.extension_elements(view, extension, start) if extension else ())
        }
        """Values of the header extension by their id."""
