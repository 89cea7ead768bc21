"""The ``seq`` of what is pushed to a client."""

from __future__ import annotations

from rooms.model import Clock

TENTH = 100
"""Milliseconds."""
UINT32 = 2**32


class PushNumbers:
    """Rising numbers for one socket, that begin above those of the client's earlier sockets, on whatever node these were.

    SDKs remember the last number of a push in their stream, not in their socket: 1.19.0 drops a ``StreamStatusNotifyPush`` that does not
    rise, SDKs from 2.24.0 drop any such push within 6 s of the last (``compareSeqs`` in the packages; ``web-1x-2x.md`` §3). So counting
    begins with the time in tenths of a second: a socket would have to push ten times a second all its life to overtake the next one.
    In uint32, which is what accesshub has for it, the time comes round in 2038.
    """

    def __init__(self, clock: Clock) -> None:
        self._last = clock() // TENTH % UINT32

    def next(self) -> int:
        self._last = (self._last + 1) % UINT32
        return self._last
