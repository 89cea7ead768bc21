"""Deadlines and limits of calls. ``server/settings.py`` fills them from ``hearth.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallSettings:
    """All times in milliseconds."""

    publisher_grace: int = 10_000
    """How long a stream stays on the air without its publisher's media. SDKs of the 2.x web line re-create a lost session after
    3–4 s (``web-1x-2x.md`` §9)."""
    announcement_memory: int = 300_000
    """How long a stream that went off the air with its media is announced again when that is back. SDKs of the 2.x web line try so long."""
    socket_grace: int = 90_000
    """How long media sessions live on after their media socket is lost."""
    describe_grace: int = 30_000
    """How long a session waits for its offer where that comes second. Clients of that style give up after 25 s themselves."""
    max_media_sessions: int = 64
    """Publish and play sessions of one room session."""
    stray_player_check: int = 2_000
    """How often streams that have players but no publisher here are looked up, in case they have moved to another node, and how often
    nodes that play each other's streams compare notes."""
    asker_silence: int = 15_000
    """After so long without a sign of a node whose clients play streams of this one, they wait for their clients by ``socket_grace``."""
    return_wait: int = 2_500
    """How long a media socket waits for its user to be back in the room. SDKs give an attempt to connect 3 s and more."""
    tick: int = 250
    """How often deadlines are looked at."""
    replace_after: int = 3_000
    """An RTMP publisher from which nothing came for so long gives way to another connection of the same owner. A phone that changed its
    network is back with a new one long before the old one is known to be dead."""
    statistics_interval: int = 5_000
    """How often the quality of each media session is sampled."""
    statistics_points: int = 120
    """Samples kept of each media session: ten minutes."""
    rtmp_port: int = 0
    """See ``StreamAddresses.rtmp_port``."""
