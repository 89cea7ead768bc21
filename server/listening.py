"""The TCP socket that is served on, bound before anything else starts: port 0 becomes a number, a taken port a clear message."""

from __future__ import annotations

import errno
import ipaddress
import socket


class CannotStart(Exception):
    """The text names the setting to change."""


def listen_tcp(host: str, port: int) -> socket.socket:
    """A bound socket (not yet listening). Raises ``CannotStart``."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
    except socket.gaierror as error:
        raise CannotStart(f'server.host = "{host}": {error.strerror}. Set it to an address of this machine, e.g. "127.0.0.1".') from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" means every interface, IPv4 too; elsewhere an IPv6 address means just that one.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        bound.bind(address)
        # Bind alone succeeds beside another process that is still between bind and listen.
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise CannotStart(_cure(host, port, error)) from None
    bound.setblocking(False)
    return bound


def _cure(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"server.port = {port}: already in use by another program on {host}. Stop that program, or choose another port: "
            "--port, HEARTH_SERVER__PORT or port in [server] of hearth.toml (0 = any free port)."
        )
    if error.errno == errno.EACCES:
        return f"server.port = {port}: this user may not listen on a port below 1024. Choose a higher one with server.port or --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f'server.host = "{host}": not an address of this machine. Set server.host or --host; "0.0.0.0" = every interface.'
    return f'server.host = "{host}", server.port = {port}: {error.strerror}'


def is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def in_url(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
