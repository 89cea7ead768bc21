"""Addresses of this machine's network interfaces."""

from __future__ import annotations

import ipaddress

import ifaddr

from server.listening import is_wildcard


def machine_addresses() -> list[str]:
    """All of them, loopback and link-local ones left out."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                found.append(str(address))
    return list(dict.fromkeys(found))


def reached_at(host: str) -> list[str]:
    """Where other machines reach a socket that is bound to ``host``: there, or for a wildcard at each address that it takes."""
    if not is_wildcard(host):
        return [host]
    return [address for address in machine_addresses() if host == "::" or ":" not in address]
