"""Whatever a client sends, the TURN server answers or drops, stays within its limits, and relays to the SFU alone."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from media import stun
from media.turn import message as turn
from media.turn.config import TurnConfig
from media.turn.server import Answer, Relayed
from tests.unit.media.turn.turn_client import CANDIDATE, LOCAL, SECOND, TurnClient, error, new_server

PACKED = {LOCAL, bytes.fromhex("20010db8000000000000000000000001")}

attributes = st.lists(
    st.tuples(
        st.sampled_from([0x0006, 0x000C, 0x000D, 0x0012, 0x0013, 0x0014, 0x0015, 0x0017, 0x0018, 0x0019, 0x001A, 0x8022]),
        st.binary(max_size=24),
    ),
    max_size=6,
)
kinds = st.sampled_from(
    [turn.ALLOCATE, turn.REFRESH, turn.CREATE_PERMISSION, turn.CHANNEL_BIND, turn.SEND_INDICATION, 0x0001, 0x0103, 0x0017]
)


@given(st.binary(max_size=200))
def test_any_bytes(datagram: bytes) -> None:
    client = TurnClient(new_server())
    client.allocate()
    outcome = client.give(datagram)
    assert outcome is None or isinstance(outcome, Answer)


@given(kinds, attributes, st.booleans())
def test_any_attributes(kind: int, listed: list[tuple[int, bytes]], signed: bool) -> None:
    client = TurnClient(new_server())
    client.allocate()
    given_ = [*listed]
    if signed:
        given_ += [(stun.USERNAME, client.access.username.encode()), (turn.REALM, b"hearth"), (turn.NONCE, client.nonce)]
    outcome = client.give(stun.serialise(kind, b"t" * 12, given_, client.key if signed else None))
    if isinstance(outcome, Answer):
        stun.parse(outcome.datagram)
    else:
        assert outcome is None


class Clients(RuleBasedStateMachine):
    """Three clients at one server, in any order of requests, with time passing."""

    @initialize()
    def begin(self) -> None:
        self.server = new_server(TurnConfig(max_allocations=2, nonce_ms=900_000))
        self.clients = [TurnClient(self.server, session=n % 2, address=("198.51.100.1", n)) for n in range(3)]

    @rule(n=st.integers(0, 2))
    def allocate(self, n: int) -> None:
        self.clients[n].allocate()

    @rule(n=st.integers(0, 2), seconds=st.sampled_from([0, 600, 2**32 - 1]))
    def refresh(self, n: int, seconds: int) -> None:
        self.clients[n].refresh(seconds)

    @rule(n=st.integers(0, 2), channel=st.integers(0x3FFE, 0x4002), peer=st.sampled_from([CANDIDATE, SECOND, ("10.0.0.1", 7000)]))
    def bind(self, n: int, channel: int, peer: tuple[str, int]) -> None:
        answer = self.clients[n].bind(channel, peer)
        assert peer in (CANDIDATE, SECOND) or error(answer) is not None

    @rule(n=st.integers(0, 2), peer=st.sampled_from([CANDIDATE, SECOND, ("10.0.0.1", 7000)]))
    def send(self, n: int, peer: tuple[str, int]) -> None:
        self.clients[n].permit(peer)
        self.check(self.clients[n].send(peer, b"data"))

    @rule(n=st.integers(0, 2), channel=st.integers(0x4000, 0x4002))
    def data(self, n: int, channel: int) -> None:
        self.check(self.clients[n].give(struct.pack("!HH", channel, 4) + b"data"))

    @rule(seconds=st.integers(1, 700))
    def wait(self, seconds: int) -> None:
        for client in self.clients:
            client.now += seconds * 1000
        self.server.tick(self.clients[0].now)

    @rule(session=st.integers(0, 1))
    def end_session(self, session: int) -> None:
        self.server.revoke(session)

    @rule(session=st.integers(0, 1))
    def begin_session(self, session: int) -> None:
        for client in self.clients[session::2]:
            client.access = self.server.grant(session, (), client.now)

    def check(self, outcome: Answer | Relayed | None) -> None:
        assert outcome is None or (isinstance(outcome, Relayed) and outcome.local in PACKED)

    @invariant()
    def within_limits(self) -> None:
        assert self.server.allocations <= 2
        for client in self.clients:
            sent = self.server.sent(("192.0.2.1", 50_000, 0, -1), LOCAL, b"x", client.now)
            assert sent is None or sent[1] in [one.client for one in self.clients]


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
