"""The TURN server as a state machine: datagrams and the time in, datagrams out (RFC 8656 for UDP, without reservation of ports).

The relay's other side is not a network but this node's SFU. So a *relayed address* is only a name, under which the SFU knows the
client; and the only *peers* that exist are the SFU's own candidates. Permission for any other address is refused with 403, as is a
channel to it; what is sent to one in an indication is dropped. There is nothing else that a client could reach from here.
"""

from __future__ import annotations

import enum
import ipaddress
import random
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from media import stun
from media.plane import RELAYED, Address
from media.stun import StunMalformed, StunMessage
from media.subscriber import subscriber
from media.turn import access
from media.turn import message as turn
from media.turn.config import TurnConfig

_RELAYED_PORTS = range(49_152, 65_536)
"""RFC 8656 §7.2 recommends the dynamic range."""
_SECRET_BYTES = 32

Peer = tuple[str, int]
Failure = tuple[int, str]


class Client(NamedTuple):
    """The 5-tuple, as far as it differs from one client to the next (RFC 8656 §2.2)."""

    address: Address
    local: bytes = b""
    """Our address that the client uses, packed; empty if there is only one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To be sent back to the client."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Relayed:
    """To be given to the SFU, as if it had come from ``source`` to the SFU's address ``local``."""

    source: Address
    local: bytes
    payload: bytes


class Refused(enum.StrEnum):
    """What was dropped without an answer, or answered with an error; the names are those of the counters."""

    MALFORMED = "malformed"
    CHALLENGED = "challenged"
    """Every client's first request is, it has no nonce yet."""
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN_PEER = "forbidden_peer"
    NO_ALLOCATION = "no_allocation"
    NO_PERMISSION = "no_permission"
    LIMIT = "limit"
    BAD_REQUEST = "bad_request"


@dataclass(eq=False, slots=True)
class _Allocation:
    client: Client
    username: str
    session_id: int
    key: bytes = field(repr=False)
    relayed: Address
    expires_at: int
    transaction: bytes
    permissions: dict[str, int] = field(default_factory=dict)
    """Peer IP address → end of its permission. Only our own addresses, so there are few."""
    channels: dict[int, tuple[Peer, int]] = field(default_factory=dict)
    """Channel → peer and end of the binding. One per own candidate at most."""
    channel_of: dict[Peer, int] = field(default_factory=dict)


class _Refusal(Exception):
    def __init__(self, error: Failure, counter: Refused, unknown: list[int] | None = None) -> None:
        self.error = error
        self.counter = counter
        self.unknown = unknown


class TurnServer:
    """See the module. Not more than one answer comes from one datagram, and none is longer than its request by more than a challenge."""

    def __init__(self, config: TurnConfig, *, candidates: tuple[Peer, ...], rng: random.Random) -> None:
        """``candidates``: the SFU's own addresses, the only peers there are. ``rng`` makes secrets."""
        self._config = config
        self._packed = {peer: ipaddress.ip_address(peer[0]).packed for peer in candidates}
        self._peers = {packed: peer for peer, packed in self._packed.items()}
        self._ips = tuple(dict.fromkeys(ip for ip, _ in candidates))
        self._rng = rng
        self._secret = rng.randbytes(_SECRET_BYTES)
        self._nonces = access.Nonces(rng.randbytes(_SECRET_BYTES), config.nonce_ms)
        self._granted: set[int] = set()
        self._allocations: dict[Client, _Allocation] = {}
        self._by_relayed: dict[Address, _Allocation] = {}
        self._of_address: Counter[str] = Counter()
        self._of_session: Counter[int] = Counter()
        self.refused: Counter[Refused] = Counter()

    @property
    def allocations(self) -> int:
        return len(self._allocations)

    # --- sessions

    def grant(self, session_id: int, urls: tuple[str, ...], now: int) -> access.RelayAccess:
        """Access for a media session, until ``revoke`` or the end of the credential's time."""
        self._granted.add(session_id)
        return access.issue(urls, self._secret, session_id, now + self._config.credential_ms)

    def revoke(self, session_id: int) -> None:
        """The media session is over: its credential is worth nothing any more, its allocations are gone."""
        self._granted.discard(session_id)
        if self._of_session[session_id]:
            for allocation in [one for one in self._allocations.values() if one.session_id == session_id]:
                self._remove(allocation)
        del self._of_session[session_id]

    def tick(self, now: int) -> None:
        """Forgets what is over."""
        for allocation in [one for one in self._allocations.values() if one.expires_at <= now]:
            self._remove(allocation)

    # --- datagrams

    def received(self, datagram: bytes, client: Client, now: int) -> Answer | Relayed | None:
        """Handles one datagram of a client."""
        try:
            if turn.is_channel_data(datagram):
                return self._channel_data(datagram, client, now)
            message = stun.parse(datagram, fingerprint_required=False)
            if message.kind == turn.SEND_INDICATION:
                return self._send_indication(message, client, now)
        except StunMalformed:
            self.refused[Refused.MALFORMED] += 1
            return None
        if message.kind == stun.BINDING_REQUEST:
            return Answer(self._binding(message, client))
        if message.kind in (turn.ALLOCATE, turn.REFRESH, turn.CREATE_PERMISSION, turn.CHANNEL_BIND):
            return Answer(self._request(message, client, now))
        self.refused[Refused.MALFORMED] += 1
        return None

    def sent(self, relayed: Address, local: bytes, payload: bytes | memoryview, now: int) -> tuple[bytes, Client] | None:
        """What the SFU sends to a relayed address, from its address ``local``: the datagram for the client. None if it may not."""
        allocation = self._by_relayed.get(relayed)
        if allocation is None or allocation.expires_at <= now:
            return None
        peer = self._peers.get(local)
        if peer is None:
            return None
        channel = allocation.channel_of.get(peer)
        if channel is not None and allocation.channels[channel][1] > now:
            return turn.channel_data(channel, payload), allocation.client
        if allocation.permissions.get(peer[0], 0) <= now:
            self.refused[Refused.NO_PERMISSION] += 1
            return None
        transaction = self._rng.randbytes(12)
        attributes = [(turn.XOR_PEER_ADDRESS, stun.xor_address(*peer, transaction)), (turn.DATA, bytes(payload))]
        return stun.serialise(turn.DATA_INDICATION, transaction, attributes, None), allocation.client

    def _channel_data(self, datagram: bytes, client: Client, now: int) -> Relayed | None:
        channel, payload = turn.read_channel_data(datagram)
        allocation = self._allocation(client, now)
        if allocation is None:
            self.refused[Refused.NO_ALLOCATION] += 1
            return None
        peer, ends_at = allocation.channels.get(channel, (("", 0), 0))
        if ends_at <= now:
            self.refused[Refused.NO_PERMISSION] += 1
            return None
        return Relayed(allocation.relayed, self._packed[peer], payload)

    def _send_indication(self, message: StunMessage, client: Client, now: int) -> Relayed | None:
        allocation = self._allocation(client, now)
        if allocation is None:
            self.refused[Refused.NO_ALLOCATION] += 1
            return None
        address, payload = message.attributes.get(turn.XOR_PEER_ADDRESS), message.attributes.get(turn.DATA)
        if address is None or payload is None or message.unknown_required(turn.UNDERSTOOD):
            raise StunMalformed("incomplete")
        peer = stun.address_of_xor(address, message.transaction)
        if peer not in self._packed or allocation.permissions.get(peer[0], 0) <= now:
            self.refused[Refused.NO_PERMISSION] += 1
            return None
        return Relayed(allocation.relayed, self._packed[peer], payload)

    def _binding(self, message: StunMessage, client: Client) -> bytes:
        """Plain STUN: tells a client its own address."""
        host, port = client.address[0], client.address[1]
        mapped = (stun.XOR_MAPPED_ADDRESS, stun.xor_address(host, port, message.transaction))
        return stun.serialise(stun.BINDING_SUCCESS, message.transaction, [mapped], None)

    # --- requests

    def _request(self, message: StunMessage, client: Client, now: int) -> bytes:
        key: bytes | None = None
        try:
            username, session_id, key = self._authenticate(message, client, now)
            unknown = message.unknown_required(turn.UNDERSTOOD)
            if unknown:
                raise _Refusal(stun.UNKNOWN_ATTRIBUTE, Refused.BAD_REQUEST, unknown)
            if message.kind == turn.ALLOCATE:
                attributes = self._allocate(message, client, username, session_id, key, now)
            else:
                allocation = self._allocation(client, now)
                if allocation is None:
                    raise _Refusal(turn.ALLOCATION_MISMATCH, Refused.NO_ALLOCATION)
                if allocation.username != username:
                    raise _Refusal(turn.WRONG_CREDENTIALS, Refused.UNAUTHENTICATED)
                if message.kind == turn.REFRESH:
                    attributes = self._refresh(message, allocation, now)
                elif message.kind == turn.CREATE_PERMISSION:
                    attributes = self._create_permission(message, allocation, now)
                else:
                    attributes = self._bind_channel(message, allocation, now)
        except StunMalformed:
            return self._error(message, client, _Refusal(stun.BAD_REQUEST, Refused.BAD_REQUEST), key, now)
        except _Refusal as refusal:
            return self._error(message, client, refusal, key, now)
        return stun.serialise(message.kind | turn.SUCCESS, message.transaction, attributes, key)

    def _error(self, message: StunMessage, client: Client, refusal: _Refusal, key: bytes | None, now: int) -> bytes:
        self.refused[refusal.counter] += 1
        attributes = [stun.error_code(refusal.error)]
        if refusal.error in (stun.UNAUTHENTICATED, turn.STALE_NONCE):
            attributes.append((turn.REALM, access.REALM.encode()))
            attributes.append((turn.NONCE, self._nonces.issue(_text(client), now)))
        if refusal.unknown:
            attributes.append(stun.unknown_attributes(refusal.unknown))
        return stun.serialise(message.kind | turn.ERROR, message.transaction, attributes, key)

    def _authenticate(self, message: StunMessage, client: Client, now: int) -> tuple[str, int, bytes]:
        """User name, media session and key of whoever signed this (RFC 8489 §9.2.4)."""
        unauthenticated = _Refusal(stun.UNAUTHENTICATED, Refused.UNAUTHENTICATED)
        if message.integrity_at is None:
            raise _Refusal(stun.UNAUTHENTICATED, Refused.CHALLENGED)
        username, nonce = message.username(), message.attributes.get(turn.NONCE)
        if username is None or nonce is None or turn.REALM not in message.attributes:
            raise _Refusal(stun.BAD_REQUEST, Refused.BAD_REQUEST)
        named = access.read_username(username)
        key = access.long_term_key(username, access.password_of(self._secret, username))
        # The signature first: what is wrong with a credential is told to nobody who does not have it.
        if not message.integrity_valid(key) or named is None or message.attributes[turn.REALM] != access.REALM.encode():
            raise unauthenticated
        if not self._nonces.valid(nonce, _text(client), now):
            raise _Refusal(turn.STALE_NONCE, Refused.UNAUTHENTICATED)
        expires_at, session_id = named
        # A call may be longer than the credential's time, so that is only asked for when an allocation begins.
        if session_id not in self._granted or (expires_at <= now and message.kind == turn.ALLOCATE):
            raise unauthenticated
        return username, session_id, key

    def _allocate(
        self, message: StunMessage, client: Client, username: str, session_id: int, key: bytes, now: int
    ) -> list[tuple[int, bytes]]:
        existing = self._allocation(client, now)
        if existing is not None:
            # The same request again: its answer was lost (RFC 8656 §7.2).
            if existing.transaction == message.transaction and existing.username == username:
                return self._allocated(message, existing, now)
            raise _Refusal(turn.ALLOCATION_MISMATCH, Refused.BAD_REQUEST)
        transport = turn.number(message, turn.REQUESTED_TRANSPORT, 1)
        if transport is None:
            raise StunMalformed("no transport")
        if transport != turn.UDP:
            raise _Refusal(turn.TRANSPORT_NOT_SUPPORTED, Refused.BAD_REQUEST)
        ip = self._relayed_ip(turn.number(message, turn.REQUESTED_ADDRESS_FAMILY, 1))
        lifetime = self._lifetime(message)
        self._check_limits(client, session_id, now)
        relayed = self._unused_address(ip)
        made = _Allocation(client, username, session_id, key, relayed, now + lifetime, message.transaction)
        self._allocations[client] = self._by_relayed[relayed] = made
        self._of_address[_subscriber(client)] += 1
        self._of_session[session_id] += 1
        return self._allocated(message, made, now)

    def _allocated(self, message: StunMessage, allocation: _Allocation, now: int) -> list[tuple[int, bytes]]:
        host, port = allocation.client.address[0], allocation.client.address[1]
        return [
            (turn.XOR_RELAYED_ADDRESS, stun.xor_address(allocation.relayed[0], allocation.relayed[1], message.transaction)),
            (turn.LIFETIME, _seconds(allocation.expires_at - now)),
            (stun.XOR_MAPPED_ADDRESS, stun.xor_address(host, port, message.transaction)),
        ]

    def _check_limits(self, client: Client, session_id: int, now: int) -> None:
        config = self._config
        if len(self._allocations) >= min(config.max_allocations, len(_RELAYED_PORTS)):
            self.tick(now)
            if len(self._allocations) >= min(config.max_allocations, len(_RELAYED_PORTS)):
                raise _Refusal(turn.INSUFFICIENT_CAPACITY, Refused.LIMIT)
        if (
            self._of_address[_subscriber(client)] >= config.max_allocations_per_address
            or self._of_session[session_id] >= config.max_allocations_per_session
        ):
            raise _Refusal(turn.QUOTA_REACHED, Refused.LIMIT)

    def _relayed_ip(self, family: int | None) -> str:
        """An own address of the family that the client asks for. Without a wish IPv4, if there is one."""
        version = 4 if family is None else turn.FAMILIES.get(family)
        found = next((ip for ip in self._ips if ipaddress.ip_address(ip).version == version), None)
        if found is None and family is None:
            return self._ips[0]
        if found is None:
            raise _Refusal(turn.FAMILY_NOT_SUPPORTED, Refused.BAD_REQUEST)
        return found

    def _unused_address(self, ip: str) -> Address:
        while True:
            address = (ip, self._rng.choice(_RELAYED_PORTS), 0, RELAYED)
            if address not in self._by_relayed:
                return address

    def _lifetime(self, message: StunMessage) -> int:
        wanted = (turn.number(message, turn.LIFETIME, 4) or 0) * 1000
        return max(self._config.lifetime_ms, min(wanted, self._config.max_lifetime_ms))

    def _refresh(self, message: StunMessage, allocation: _Allocation, now: int) -> list[tuple[int, bytes]]:
        family = turn.number(message, turn.REQUESTED_ADDRESS_FAMILY, 1)
        if family is not None and turn.FAMILIES.get(family) != ipaddress.ip_address(allocation.relayed[0]).version:
            raise _Refusal(turn.FAMILY_MISMATCH, Refused.BAD_REQUEST)
        if turn.number(message, turn.LIFETIME, 4) == 0:
            self._remove(allocation)
            return [(turn.LIFETIME, _seconds(0))]
        allocation.expires_at = now + self._lifetime(message)
        return [(turn.LIFETIME, _seconds(allocation.expires_at - now))]

    def _create_permission(self, message: StunMessage, allocation: _Allocation, now: int) -> list[tuple[int, bytes]]:
        peers = [stun.address_of_xor(value, message.transaction) for value in turn.values(message, turn.XOR_PEER_ADDRESS)]
        if not peers:
            raise StunMalformed("no peer")
        # All or none (RFC 8656 §10.2).
        if not all(ip in self._ips for ip, _ in peers):
            raise _Refusal(turn.FORBIDDEN, Refused.FORBIDDEN_PEER)
        for ip, _ in peers:
            allocation.permissions[ip] = now + self._config.permission_ms
        return []

    def _bind_channel(self, message: StunMessage, allocation: _Allocation, now: int) -> list[tuple[int, bytes]]:
        channel = turn.number(message, turn.CHANNEL_NUMBER, 2)
        address = message.attributes.get(turn.XOR_PEER_ADDRESS)
        if channel is None or address is None or channel not in turn.CHANNELS:
            raise StunMalformed("incomplete")
        peer = stun.address_of_xor(address, message.transaction)
        if peer not in self._packed:
            raise _Refusal(turn.FORBIDDEN, Refused.FORBIDDEN_PEER)
        for old, (_, ends_at) in list(allocation.channels.items()):
            if ends_at <= now:
                del allocation.channel_of[allocation.channels.pop(old)[0]]
        if allocation.channels.get(channel, (peer, 0))[0] != peer or allocation.channel_of.get(peer, channel) != channel:
            raise _Refusal(stun.BAD_REQUEST, Refused.BAD_REQUEST)
        allocation.channels[channel] = peer, now + self._config.channel_ms
        allocation.channel_of[peer] = channel
        allocation.permissions[peer[0]] = now + self._config.permission_ms
        return []

    # --- allocations

    def _allocation(self, client: Client, now: int) -> _Allocation | None:
        allocation = self._allocations.get(client)
        if allocation is not None and allocation.expires_at <= now:
            self._remove(allocation)
            return None
        return allocation

    def _remove(self, allocation: _Allocation) -> None:
        del self._allocations[allocation.client]
        del self._by_relayed[allocation.relayed]
        for counter, key in ((self._of_address, _subscriber(allocation.client)), (self._of_session, allocation.session_id)):
            _lower(counter, key)


def _lower(counter: Counter[str] | Counter[int], key: str | int) -> None:
    """Counters forget who is at zero: they would grow for ever."""
    entries: Counter[str | int] = counter  # type: ignore[assignment]
    entries[key] -= 1
    if entries[key] <= 0:
        del entries[key]


def _subscriber(client: Client) -> str:
    return subscriber(str(client.address[0]))


def _text(client: Client) -> str:
    return f"{client.address[0]}|{client.address[1]}"


def _seconds(milliseconds: int) -> bytes:
    return struct.pack("!I", max(0, milliseconds // 1000))
