"""Refusals of calls, next to those of ``rooms.errors``, ``auth.errors`` and ``media.errors``, which pass through unchanged.

``SdpRefused`` and ``MediaFull`` are named here for the dialects, which never import ``media``.

A dialect maps each to its own number in one table. The texts are for people and never hold a secret.
"""

from __future__ import annotations

from media.errors import MediaFull, SdpRefused

__all__ = [
    "AddressInvalid",
    "AddressStale",
    "AppUnknown",
    "CallError",
    "MediaEnded",
    "MediaFull",
    "MediaSessionUnknown",
    "NoRelay",
    "SdpRefused",
    "StreamElsewhere",
    "TooManyMediaSessions",
]


class CallError(Exception):
    """A request that concerns a login or media and is refused."""


class AppUnknown(CallError):
    """No App with this AppID is configured here."""


class AddressInvalid(CallError):
    """A media or RTMP address that this house did not hand out."""


class AddressStale(CallError):
    """The media address was good, but its room session is over: ask the room for a new one."""


class MediaSessionUnknown(CallError):
    """The media session does not exist (any more), or belongs to somebody else."""


class TooManyMediaSessions(CallError):
    """One room session opens more publish and play sessions than the setting allows."""


class NoRelay(CallError):
    """The client insists on a TURN server, and this node knows of none."""


class StreamElsewhere(CallError):
    """The stream is held by another node: ask for its address again."""


class MediaEnded(CallError):
    """The room session or the stream ended while its media was being opened."""
