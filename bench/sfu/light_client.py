"""A WebRTC client without media: one socket, ICE checks, a DTLS client, SRTP. Hundreds of them fit into one process."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from typing import Any

from aioice.ice import get_host_addresses
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from media import rtp, stun

_CHECK_INTERVAL = 2.5
"""Seconds, as browsers do."""
_SENT_AT = struct.Struct("!Q")
_WAIT = 30
"""Seconds; a node that is joined by hundreds at once takes its time."""
_LEVEL_ID = 1
_SSRC = 77

HOST: str = (get_host_addresses(use_ipv4=True, use_ipv6=False) or ["127.0.0.1"])[0]
"""The address of this machine that everything is measured on. Not 127.0.0.1, if there is another one: Janus and aiortc do not use that.
What a machine sends to itself does not leave it in either case."""

Address = tuple[str, int]


class LightClient:
    """One session. ``connect`` needs the other side's description: the answer to ``offer``, or the offer that ``answer`` answers."""

    def __init__(self, certificate: RTCCertificate, *, publishing: bool) -> None:
        self._certificate = certificate
        self._publishing = publishing
        self._ufrag, self._own_password = secrets.token_hex(4), secrets.token_hex(12)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((HOST, 0))
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self._checked = asyncio.Event()
        self._dtls: Any = None
        self._node: Address = ("", 0)
        self._checks: asyncio.Task[None] | None = None
        self.heard = asyncio.Event()
        """Set with the first media packet."""
        self.packets = 0
        """Media packets received."""
        self.sample_every = 0
        """Every how many-th packet is decrypted for its delay; 0 = none."""
        self.delays: list[float] = []
        """Microseconds from the publisher's send call to our receive call, of the sampled packets."""
        self.broken = 0
        """Sampled packets that did not decrypt."""

    role = "controlling"
    """For aiortc, to which this object is the ICE transport."""

    @property
    def offer(self) -> str:
        return self._description("sendonly" if self._publishing else "recvonly", 111, "0")

    def answer(self, offer: str) -> str:
        """The answer of a player to whom the other side has made the offer."""
        return self._description("recvonly", int(_found(r"a=rtpmap:(\d+) opus", offer)), _found(r"a=mid:(\S+)", offer))

    def _description(self, direction: str, payload_type: int, mid: str) -> str:
        fingerprint = next(one.value for one in self._certificate.getFingerprints() if one.algorithm == "sha-256")
        port = self._socket.getsockname()[1]
        lines = [
            "v=0",
            f"o=- 1 1 IN IP4 {HOST}",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {mid}",
            "a=msid-semantic: WMS *",
            f"m=audio {port} UDP/TLS/RTP/SAVPF {payload_type}",
            f"c=IN IP4 {HOST}",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._own_password}",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:active",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=rtcp-mux",
            f"a=rtpmap:{payload_type} opus/48000/2",
            f"a=extmap:{_LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            *([f"a=ssrc:{_SSRC} cname:bench"] if self._publishing else []),
            f"a=candidate:1 1 udp 2130706431 {HOST} {port} typ host",
            "a=end-of-candidates",
        ]
        return "\r\n".join(lines) + "\r\n"

    async def connect(self, description: str) -> None:
        """ICE, then DTLS. Raises ``RuntimeError`` if the node does not let it in."""
        found = {name: _found(rf"a={name}:(\S+)", description) for name in ("ice-ufrag", "ice-pwd")}
        self._username, self._password = f"{found['ice-ufrag']}:{self._ufrag}", found["ice-pwd"]
        candidates = re.findall(r"a=candidate:\S+ 1 udp \d+ ([0-9.]+) (\d+) typ host", description, re.IGNORECASE)
        host, port = candidates[0]
        self._node = (host, int(port))
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)
        self._checks = asyncio.create_task(self._keep_checking())
        await asyncio.wait_for(self._checked.wait(), _WAIT)
        transport: Any = self
        self._dtls = RTCDtlsTransport(transport, [self._certificate])
        self._dtls._set_role("client")
        fingerprint = _found(r"a=fingerprint:sha-256 (\S+)", description)
        await asyncio.wait_for(self._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint)])), _WAIT)
        if self._dtls.state != "connected":
            raise RuntimeError("the node refused the DTLS handshake")

    def send(self, sequence: int, payload: bytes, *, stamped: bool, level: int | None = None) -> None:
        """Sends one packet. ``stamped``: its payload begins with the time instead. ``level``: with that level byte (RFC 6464)."""
        if stamped:
            payload = _SENT_AT.pack(time.monotonic_ns()) + payload[_SENT_AT.size :]
        if level is None:
            packet = rtp.packet(111, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, _SSRC, payload)
        else:
            header = rtp.HEADER.pack(rtp.VERSION_2 | rtp.EXTENSION, 111, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, _SSRC)
            packet = header + rtp.audio_level_extension(_LEVEL_ID, level) + payload
        self._socket.sendto(self._dtls._tx_srtp.protect(packet), self._node)

    async def close(self) -> None:
        if self._checks is not None:
            self._checks.cancel()
        if self._dtls is not None:
            await self._dtls.stop()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    # --- what aiortc asks of an ICE transport

    async def _recv(self) -> bytes:
        return await self._incoming.get()

    async def _send(self, data: bytes) -> None:
        self._socket.sendto(data, self._node)

    # --- inside

    def _read(self) -> None:
        # One datagram a call: there is rarely a second one, and asking for it costs a system call and an exception.
        data = self._socket.recv(2_048)
        first = data[0]
        if first > 127:
            if not 192 <= data[1] <= 223:
                self._heard(data)
        elif first < 4:
            self._checks_came(data)
        else:
            self._incoming.put_nowait(data)

    def _checks_came(self, data: bytes) -> None:
        """An answer to our check, or a check of a full agent, which wants an answer to its own."""
        message = stun.parse(data)
        if message.kind == stun.BINDING_SUCCESS:
            self._checked.set()
        elif message.kind == stun.BINDING_REQUEST:
            self._socket.sendto(stun.binding_success(message, *self._node, self._own_password), self._node)

    def _heard(self, data: bytes) -> None:
        self.packets += 1
        if self.packets == 1:
            self.heard.set()
        if not self.sample_every or self.packets % self.sample_every:
            return
        received_at = time.monotonic_ns()
        try:
            plain = memoryview(self._dtls._rx_srtp.unprotect(data))
        except Exception:
            self.broken += 1
            return
        _, start, _ = rtp.locate_payload(plain, len(plain))
        (sent_at,) = _SENT_AT.unpack_from(plain, start)
        self.delays.append((received_at - sent_at) / 1_000)

    async def _keep_checking(self) -> None:
        while True:
            self._socket.sendto(stun.binding_request(secrets.token_bytes(12), self._username, self._password), self._node)
            # Until the first answer as often as browsers do; a full agent may not be ready for the first one.
            await asyncio.sleep(_CHECK_INTERVAL if self._checked.is_set() else 0.1)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError("the description is incomplete")
    return match[1]
