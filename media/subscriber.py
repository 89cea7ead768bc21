"""Whose limit an address counts towards."""

from __future__ import annotations

import ipaddress


def subscriber(host: str) -> str:
    """An IPv4 address, or the /64 that any one IPv6 subscriber has whole (RFC 6177 §2). ``host``: IP address, or anything without ":"."""
    host = host.partition("%")[0]
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
