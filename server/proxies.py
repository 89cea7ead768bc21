"""Who a request comes from and which address it used, when reverse proxies may stand between.

``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed only from peers in ``server.trusted_proxies``: anybody else could
write any address there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SECURE = {"https", "wss"}


@dataclass(frozen=True)
class Origin:
    """Where a request comes from, as far as it can be believed."""

    client_address: str
    """IP address of the client, ``""`` if unknown."""
    secure: bool
    """https or wss between the client and the outermost trusted proxy (or us)."""
    host: str
    """``host[:port]`` as the client wrote it; ``""`` if it sent none that is well formed."""

    @property
    def ws_base(self) -> str:
        """``ws://host:port`` that the client used; ``""`` if unknown."""
        return f"{'wss' if self.secure else 'ws'}://{self.host}" if self.host else ""


class TrustedProxies:
    """The proxies whose word counts."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(network, strict=False) for network in networks)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks if network.version == address.version)

    def origin(self, scope: Scope) -> Origin:
        """Read the origin of an ASGI connection."""
        headers = Headers(scope=scope)
        client: tuple[str, int] | None = scope.get("client")
        address = client[0] if client else ""
        secure = scope.get("scheme") in _SECURE
        if self._trusts(parse_address(address)):
            address = self._forwarded_for(headers.getlist("x-forwarded-for"), address)
            protocol = headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
            if protocol:
                secure = protocol in _SECURE
        host = headers.get("host", "")
        parsed = parse_address(address)
        return Origin(str(parsed) if parsed else address, secure, host if _HOST.fullmatch(host) else "")

    def _forwarded_for(self, values: Sequence[str], peer: str) -> str:
        """The last address in the chain that none of our proxies added: everything left of it may be invented."""
        for entry in reversed([part.strip() for value in values for part in value.split(",")]):
            parsed = parse_address(_without_port(entry))
            if parsed is None:
                return peer
            peer = str(parsed)
            if not self._trusts(parsed):
                return peer
        return peer


def _without_port(entry: str) -> str:
    """``203.0.113.7:4711`` and ``[2001:db8::1]:4711`` (some proxies write them) without the port."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def parse_address(text: str) -> Address | None:
    """An address in its plain form; None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:203.0.113.7; rules are written for the plain form.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_loopback(text: str) -> bool:
    parsed = parse_address(text)
    return parsed is not None and parsed.is_loopback
