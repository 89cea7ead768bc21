"""DTLS of one peer, by aiortc: we are always the server, so our order of SRTP profiles wins.

aiortc's ``RTCDtlsTransport`` wants an ICE transport of its own; it gets one that is only a bounded queue. As soon as the handshake
is over the SRTP keys go to the plane, and only DTLS datagrams (a goodbye, mostly) still come this way.

Internals of aiortc used here, held by ``tests/unit/media/test_internals.py``: ``RTCDtlsTransport(transport, certificates)``,
``transport._recv/_send``, ``_set_role``, ``_srtp_profiles``, ``_ssl``, ``SRTPProtectionProfile.get_key_and_salt``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80
from OpenSSL import SSL

from media.plane import SrtpKeys, SrtpProfile

MAX_WAITING = 32
"""DTLS datagrams of one peer that wait to be handled; a handshake has fewer than ten. More are dropped."""

_PROFILES = {SRTP_AEAD_AES_128_GCM: SrtpProfile.AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80: SrtpProfile.AES128_CM_SHA1_80}
_EXPORTER = b"EXTRACTOR-dtls_srtp"
"""RFC 5764 §4.2."""

_MAX_DATAGRAM = 1_500

FINGERPRINT_ALGORITHMS = ("sha-256", "sha-384", "sha-512")


class _Datagrams:
    """What aiortc believes to be an ICE transport."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._outgoing = send
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)

    def feed(self, datagram: bytes) -> None:
        if not self._incoming.full():
            self._incoming.put_nowait(datagram)

    async def _recv(self) -> bytes:
        return await self._incoming.get()

    async def _send(self, data: bytes) -> None:
        self._outgoing(data)


class DtlsServer:
    """The DTLS association with one peer.

    ``run`` lasts from the first ClientHello to the end of the association. ``send`` sends one datagram to the peer;
    ``connected`` gets the SRTP keys.
    """

    def __init__(
        self,
        certificate: RTCCertificate,
        fingerprints: tuple[tuple[str, str], ...],
        *,
        send: Callable[[bytes], None],
        connected: Callable[[SrtpKeys], None],
    ) -> None:
        self._datagrams = _Datagrams(send)
        self._connected = connected
        self._remote = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints], role="client")
        transport: Any = self._datagrams
        self._transport = RTCDtlsTransport(transport, [certificate])
        self._transport._set_role("server")
        self._transport._srtp_profiles = list(_PROFILES)

    def feed(self, datagram: bytes) -> None:
        """A datagram came from the peer."""
        self._datagrams.feed(datagram)

    def close_notify(self) -> bytes:
        """The datagram that ends the association; empty if it does not stand."""
        if self._transport.state != "connected":
            return b""
        ssl: Any = self._transport._ssl
        try:
            ssl.shutdown()
            datagram: bytes = ssl.bio_read(_MAX_DATAGRAM)
        except SSL.Error:
            return b""
        return datagram

    async def run(self) -> str:
        """Handshake, then waits. Returns why it is over: ``dtls_failed`` or ``dtls_closed``. Cancelled, it says goodbye to the peer."""
        over = asyncio.Event()

        def changed() -> None:
            if self._transport.state in ("closed", "failed"):
                over.set()

        self._transport.on("statechange", changed)
        try:
            await self._transport.start(self._remote)
            if self._transport.state != "connected":
                return "dtls_failed"
            self._connected(self._keys())
            await over.wait()
            return "dtls_closed"
        finally:
            # Ends aiortc's own task. Its goodbye finds no peer any more where `close_notify` has been sent already.
            await self._transport.stop()

    def _keys(self) -> SrtpKeys:
        ssl: Any = self._transport._ssl
        chosen: bytes = ssl.get_selected_srtp_profile()
        profile = next(known for known in _PROFILES if known.openssl_profile == chosen)
        material: bytes = ssl.export_keying_material(_EXPORTER, 2 * (profile.key_length + profile.salt_length))
        # The client's key comes first (RFC 5764 §4.2), and the client is the other side.
        return SrtpKeys(_PROFILES[profile], receive=profile.get_key_and_salt(material, 0), send=profile.get_key_and_salt(material, 1))


def fingerprint(certificate: RTCCertificate) -> str:
    """The certificate's SHA-256 fingerprint as SDP writes it."""
    return next(known.value for known in certificate.getFingerprints() if known.algorithm == "sha-256")
