"""Settings of the node's own TURN server, and of one that it does not run itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TurnConfig:
    """Port and limits. Times are milliseconds."""

    port: int = 3478
    """0 = any free port."""
    any_port_if_taken: bool = False
    """Rather another port than none, where nobody asked for this one: clients are told the number anyway."""
    max_allocations: int = 8_000
    """At one time on this node; the next gets 508. At most 16384, the ports of one relayed address."""
    max_allocations_per_address: int = 500
    """At one time from one client IP address; the next gets 486. A page has one for each stream that it publishes or plays."""
    max_allocations_per_session: int = 8
    """Browsers make one for each network interface."""
    lifetime_ms: int = 600_000
    """Of an allocation that asks for none or for less (RFC 8656 §3.2)."""
    max_lifetime_ms: int = 3_600_000
    permission_ms: int = 300_000
    """RFC 8656 §9."""
    channel_ms: int = 600_000
    """RFC 8656 §12."""
    nonce_ms: int = 3_600_000
    credential_ms: int = 86_400_000
    """How long a credential is good for a new allocation. It ends with its media session in any case."""
    receive_budget: int = 16
    """Datagrams read in one wake of the event loop. Few: each may be copied to every player of a stream before signalling has its turn."""


@dataclass(frozen=True)
class ExternalTurn:
    """A TURN server (coturn with ``use-auth-secret``) that this node only makes credentials for."""

    urls: tuple[str, ...]
    shared_secret: str = field(repr=False)
    credential_ms: int = 86_400_000
