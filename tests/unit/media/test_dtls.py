"""The DTLS association against datagrams that no client sends."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from hypothesis import given, settings
from hypothesis import strategies as st

from media.dtls import MAX_WAITING, DtlsServer, fingerprint
from media.plane import SrtpKeys
from tests.waiting import until

CERTIFICATE = RTCCertificate.generateCertificate()
FINGERPRINTS = (("sha-256", fingerprint(CERTIFICATE)),)


def server(sent: list[bytes], keys: list[SrtpKeys]) -> DtlsServer:
    return DtlsServer(CERTIFICATE, FINGERPRINTS, send=sent.append, connected=keys.append)


class Client:
    """aiortc's DTLS client; what it sends goes to ``network``."""

    role = "controlling"

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.outgoing: list[bytes] = []
        transport: Any = self
        self.dtls = RTCDtlsTransport(transport, [CERTIFICATE])
        self.dtls._set_role("client")

    async def start(self) -> None:
        await self.dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint(CERTIFICATE))]))

    async def _recv(self) -> bytes:
        return await self.incoming.get()

    async def _send(self, data: bytes) -> None:
        self.outgoing.append(data)


_RECORD = st.builds(
    lambda kind, version, sequence, body: bytes((kind,)) + version + bytes(2) + sequence + len(body).to_bytes(2, "big") + body,
    st.integers(20, 63),
    st.sampled_from([b"\xfe\xff", b"\xfe\xfd", b"\xfe\xfc", b"\x03\x03"]),
    st.binary(min_size=6, max_size=6),
    st.binary(max_size=200),
)


@settings(max_examples=60)
@given(st.lists(st.one_of(_RECORD, st.binary(min_size=1, max_size=300).map(lambda data: b"\x16" + data)), min_size=1, max_size=MAX_WAITING))
def test_garbage_ends_its_own_association_at_most(datagrams: list[bytes]) -> None:
    async def attack() -> None:
        sent, keys = list[bytes](), list[SrtpKeys]()
        attacked = server(sent, keys)
        task = asyncio.create_task(attacked.run())
        for datagram in datagrams:
            attacked.feed(datagram)
        for _ in range(40):
            await asyncio.sleep(0)
        if not task.done():
            task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert outcome == "dtls_failed" or isinstance(outcome, asyncio.CancelledError)
        assert keys == []
        # No amplifier: an alert or two, not a flight for each datagram.
        assert sum(map(len, sent)) <= sum(map(len, datagrams)) + 200

    asyncio.run(attack())


@pytest.mark.parametrize("kind", [0x16, 0x17, 0x15, 0x3F])
async def test_garbage_in_a_handshake_does_not_keep_it_from_succeeding(kind: int) -> None:
    """Somebody who can send from the client's address sends records of his own in between; DTLS drops what it cannot verify."""
    noise = random.Random(5)
    sent, keys = list[bytes](), list[SrtpKeys]()
    attacked, client = server(sent, keys), Client()
    running = asyncio.create_task(attacked.run())
    starting = asyncio.create_task(client.start())

    def carry() -> bool:
        for datagram in client.outgoing:
            attacked.feed(bytes((kind,)) + noise.randbytes(40))
            attacked.feed(datagram)
        client.outgoing.clear()
        for datagram in sent:
            client.incoming.put_nowait(datagram)
        sent.clear()
        return starting.done()

    await until(carry)
    await until(lambda: len(keys) == 1)
    assert client.dtls.state == "connected"
    running.cancel()
    await asyncio.gather(running, client.dtls.stop(), return_exceptions=True)


def test_what_is_not_handled_yet_is_bounded() -> None:
    attacked = server([], [])
    for _ in range(10 * MAX_WAITING):
        attacked.feed(b"\x16" * 1_400)
    assert attacked._datagrams._incoming.qsize() == MAX_WAITING
