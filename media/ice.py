"""The ICE-lite agent (RFC 8445 §2.5): answers connectivity checks, and learns from them where the peers are."""

from __future__ import annotations

from media import stun
from media.outlet import Outlet
from media.packet_rate import PacketRate
from media.plane import Address, Drop
from media.plane_peer import Peer

REFUSALS_PER_SECOND = 50
"""Checks without a right password that are answered, of the whole node. An answer costs more than the look at the check, and goes to
whatever address the check claims to come from; no client needs it, since each tries again anyway."""


class IceLite:
    """Knows each peer by the user name fragment that its checks carry, and by the addresses that passed a check."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._refusals = PacketRate(REFUSALS_PER_SECOND, burst_ms=1_000)
        self._by_ufrag: dict[str, Peer] = {}
        self.by_address: dict[Address, Peer] = {}
        """Who is behind an address. Whoever passed a check from it last."""

    def add(self, peer: Peer) -> None:
        self._by_ufrag[peer.ice.ufrag] = peer

    def remove(self, peer: Peer) -> None:
        del self._by_ufrag[peer.ice.ufrag]
        for address in peer.addresses:
            if self.by_address.get(address) is peer:
                del self.by_address[address]

    def received(self, data: bytes, address: Address, now: int) -> None:
        """Handles a STUN datagram that came from ``address``."""
        try:
            message = stun.parse(data)
        except stun.StunMalformed:
            self._outlet.drops[Drop.STUN_MALFORMED] += 1
            return
        if message.kind not in (stun.BINDING_REQUEST, stun.BINDING_INDICATION):
            # We ask nothing, so an answer is nobody's.
            self._outlet.drops[Drop.STUN_UNSUPPORTED] += 1
            return
        username = message.username()
        if username is None or message.integrity_at is None:
            # RFC 8489 §9.1.3. Indications are never answered.
            self._outlet.drops[Drop.STUN_UNAUTHORISED] += 1
            self._refuse(message, stun.BAD_REQUEST, address, now)
            return
        ufrag, _, remote_ufrag = username.partition(":")
        peer = self._by_ufrag.get(ufrag)
        if peer is None:
            # Not answered: a browser whose session is closed goes on checking for a while.
            self._outlet.drops[Drop.STUN_UNKNOWN_PEER] += 1
            return
        if remote_ufrag != peer.ice.remote_ufrag or not message.integrity_valid(peer.ice.password):
            self._outlet.drops[Drop.STUN_UNAUTHORISED] += 1
            self._refuse(message, stun.UNAUTHENTICATED, address, now)
            return
        if now < peer.answer_checks_from:
            self._outlet.drops[Drop.STUN_EARLY] += 1
            return
        if not peer.checks.allows(now):
            peer.rate_limited += 1
            self._outlet.drops[Drop.RATE_LIMITED] += 1
            return
        self._checked(peer, message, address, now)

    def _refuse(self, message: stun.StunMessage, error: tuple[int, str], address: Address, now: int) -> None:
        if message.kind == stun.BINDING_REQUEST and self._refusals.allows(now):
            self._outlet.reply(stun.binding_error(message, error), address)

    def _checked(self, peer: Peer, message: stun.StunMessage, address: Address, now: int) -> None:
        """An authentic check or keep-alive of the peer came from ``address``."""
        if message.kind == stun.BINDING_INDICATION:
            if self.by_address.get(address) is peer:
                peer.last_heard = now
            return
        unknown = message.unknown_required()
        if unknown:
            self._outlet.drops[Drop.STUN_UNSUPPORTED] += 1
            self._outlet.reply(stun.binding_error(message, stun.UNKNOWN_ATTRIBUTE, peer.ice.password, unknown), address)
            return
        if stun.ICE_CONTROLLED in message.attributes:
            # A lite agent is always the controlled one (RFC 8445 §6.1.1); the other side has to switch (§7.3.1.1).
            self._outlet.reply(stun.binding_error(message, stun.ROLE_CONFLICT, peer.ice.password), address)
            return
        peer.last_heard = now
        before = self.by_address.get(address)
        if before is not peer:
            if before is not None:
                # A client closed one connection and opened the next from the same port.
                before.addresses.pop(address, None)
            self.by_address[address] = peer
            forgotten = peer.learn(address)
            if forgotten is not None and self.by_address.get(forgotten) is peer:
                del self.by_address[forgotten]
        local = self._outlet.port.arrived_at
        nominating = stun.USE_CANDIDATE in message.attributes
        if peer.takes_over(address, local, nominating, now) and (address, local) != (peer.address, peer.local):
            peer.move_to(address, local, self._outlet.port.route(address, local))
        answer = stun.binding_success(message, address[0], address[1], peer.ice.password)
        if (address, local) == (peer.address, peer.local):
            self._outlet.send(answer, address, peer.send)
        else:
            self._outlet.reply(answer, address)
