"""Ports for processes that have to be told theirs before they start, or that come back at the one they had."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody has now, TCP or (``SOCK_DGRAM``) UDP. Below 32768: above are those that the system gives to outgoing
    connections, one of which might have it before its process does. A cluster node takes the port 10000 higher, too."""
    while True:
        port = random.SystemRandom().randrange(11_000, 22_000)
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
