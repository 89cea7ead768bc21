"""A WebRTC client without media: one socket, ICE checks, a DTLS client, SRTP. Hundreds of them fit into one process."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import struct
import time
from typing import Any

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from media import rtp, stun

_CHECK_INTERVAL = 2.5
"""Seconds, as browsers do."""
_SENT_AT = struct.Struct("!Q")
_DTLS_WAIT = 15

Address = tuple[str, int]


class LightClient:
    """One session. ``connect`` needs the node's answer to ``offer``."""

    def __init__(self, certificate: RTCCertificate, *, publishing: bool) -> None:
        self._certificate = certificate
        self._publishing = publishing
        self._ufrag = secrets.token_hex(4)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
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
        fingerprint = next(one.value for one in self._certificate.getFingerprints() if one.algorithm == "sha-256")
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
            f"a=ice-ufrag:{self._ufrag}\r\na=ice-pwd:{'x' * 24}\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n"
            f"a=mid:0\r\na={'sendonly' if self._publishing else 'recvonly'}\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
        )

    async def connect(self, answer: str) -> None:
        """ICE, then DTLS. Raises ``RuntimeError`` if the node does not let it in."""
        found = {name: _found(rf"a={name}:(\S+)", answer) for name in ("ice-ufrag", "ice-pwd")}
        self._username, self._password = f"{found['ice-ufrag']}:{self._ufrag}", found["ice-pwd"]
        _, host, port = re.findall(r"a=candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ host", answer)[0]
        self._node = (host, int(port))
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)
        self._checks = asyncio.create_task(self._keep_checking())
        await asyncio.wait_for(self._checked.wait(), _DTLS_WAIT)
        transport: Any = self
        self._dtls = RTCDtlsTransport(transport, [self._certificate])
        self._dtls._set_role("client")
        fingerprint = _found(r"a=fingerprint:sha-256 (\S+)", answer)
        await asyncio.wait_for(self._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint)])), _DTLS_WAIT)
        if self._dtls.state != "connected":
            raise RuntimeError("the node refused the DTLS handshake")

    def send(self, sequence: int, size: int) -> None:
        """Sends one packet of ``size`` payload bytes that begins with the time."""
        payload = _SENT_AT.pack(time.monotonic_ns()) + bytes(size - _SENT_AT.size)
        packet = rtp.packet(111, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, 77, payload)
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
            self._checked.set()
        else:
            self._incoming.put_nowait(data)

    def _heard(self, data: bytes) -> None:
        self.packets += 1
        if self.packets == 1:
            self.heard.set()
        if not self.sample_every or self.packets % self.sample_every:
            return
        received_at = time.monotonic_ns()
        try:
            plain = self._dtls._rx_srtp.unprotect(data)
        except Exception:
            self.broken += 1
            return
        (sent_at,) = _SENT_AT.unpack_from(plain, rtp.HEADER_LENGTH)
        self.delays.append((received_at - sent_at) / 1_000)

    async def _keep_checking(self) -> None:
        while True:
            self._socket.sendto(stun.binding_request(secrets.token_bytes(12), self._username, self._password), self._node)
            await asyncio.sleep(_CHECK_INTERVAL)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError("the answer is incomplete")
    return match[1]
