"""A TURN client without a socket, for the state machine's tests."""

from __future__ import annotations

import itertools
import random
import struct

from media import stun
from media.plane import Address
from media.turn import access
from media.turn import message as turn
from media.turn.access import RelayAccess
from media.turn.config import TurnConfig
from media.turn.server import Answer, Client, Relayed, TurnServer

CANDIDATE = ("192.0.2.1", 7000)
SECOND = ("2001:db8::1", 7000)
LOCAL = bytes([192, 0, 2, 1])
NOW = 1_700_000_000_000

_transactions = itertools.count(1)


def new_server(config: TurnConfig | None = None, candidates: tuple[tuple[str, int], ...] = (CANDIDATE, SECOND)) -> TurnServer:
    return TurnServer(config or TurnConfig(), candidates=candidates, rng=random.Random(7))


class TurnClient:
    """Speaks to one server from one address, with the credential of one media session."""

    def __init__(self, server: TurnServer, session: int = 1, address: Address = ("198.51.100.5", 40_000), *, granted: bool = True) -> None:
        self.server = server
        self.client = Client(address)
        self.now = NOW
        self.nonce = b""
        self.access = server.grant(session, ("turn:x",), NOW) if granted else RelayAccess((), f"{NOW // 1000 + 99}:{session}", "guess")

    @property
    def key(self) -> bytes:
        return access.long_term_key(self.access.username, self.access.password)

    def give(self, datagram: bytes) -> Answer | Relayed | None:
        return self.server.received(datagram, self.client, self.now)

    def request(self, kind: int, *attributes: tuple[int, bytes], sign: bool = True, transaction: bytes | None = None) -> stun.StunMessage:
        transaction = transaction or next(_transactions).to_bytes(12, "big")
        listed = list(attributes)
        if sign:
            listed += [(stun.USERNAME, self.access.username.encode()), (turn.REALM, access.REALM.encode()), (turn.NONCE, self.nonce)]
        outcome = self.give(stun.serialise(kind, transaction, listed, self.key if sign else None))
        assert isinstance(outcome, Answer)
        answer = stun.parse(outcome.datagram)
        assert answer.transaction == transaction
        if turn.NONCE in answer.attributes:
            self.nonce = answer.attributes[turn.NONCE]
        return answer

    def challenge(self) -> None:
        assert error(self.request(turn.ALLOCATE, sign=False)) == 401

    def allocate(self, *attributes: tuple[int, bytes], transaction: bytes | None = None) -> stun.StunMessage:
        if not self.nonce:
            self.challenge()
        transport = (turn.REQUESTED_TRANSPORT, struct.pack("!Bxxx", turn.UDP))
        return self.request(turn.ALLOCATE, transport, *attributes, transaction=transaction)

    def permit(self, *peers: tuple[str, int]) -> stun.StunMessage:
        transaction = next(_transactions).to_bytes(12, "big")
        listed = [(turn.XOR_PEER_ADDRESS, stun.xor_address(*peer, transaction)) for peer in peers]
        return self.request(turn.CREATE_PERMISSION, *listed, transaction=transaction)

    def bind(self, channel: int, peer: tuple[str, int]) -> stun.StunMessage:
        transaction = next(_transactions).to_bytes(12, "big")
        number = (turn.CHANNEL_NUMBER, struct.pack("!Hxx", channel))
        return self.request(
            turn.CHANNEL_BIND, number, (turn.XOR_PEER_ADDRESS, stun.xor_address(*peer, transaction)), transaction=transaction
        )

    def refresh(self, seconds: int) -> stun.StunMessage:
        return self.request(turn.REFRESH, (turn.LIFETIME, struct.pack("!I", seconds)))

    def send(self, peer: tuple[str, int], data: bytes) -> Answer | Relayed | None:
        transaction = next(_transactions).to_bytes(12, "big")
        attributes = [(turn.XOR_PEER_ADDRESS, stun.xor_address(*peer, transaction)), (turn.DATA, data)]
        return self.give(stun.serialise(turn.SEND_INDICATION, transaction, attributes, None))

    def relayed(self) -> Address:
        """The relayed address, as the SFU knows it."""
        assert self.permit(CANDIDATE).kind == turn.CREATE_PERMISSION | turn.SUCCESS
        outcome = self.send(CANDIDATE, b"where am I")
        assert isinstance(outcome, Relayed)
        return outcome.source


def error(message: stun.StunMessage) -> int | None:
    """The error code, None for a success."""
    value = message.attributes.get(stun.ERROR_CODE)
    return None if value is None else value[2] * 100 + value[3]


def lifetime(message: stun.StunMessage) -> int:
    return int.from_bytes(message.attributes[turn.LIFETIME], "big")
