"""Limits and timings of the media socket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSocketSettings:
    """All times in milliseconds, sizes in bytes of UTF-8."""

    heartbeat_interval: int = 10_000
    """What clients are told (``ClientHBRsp.hb_interval``)."""
    idle_timeout: int = 60_000
    """A socket that sends nothing for so long is closed. Clients beat only while they hold a session, and close the socket after
    their last one (``web-1x-2x.md`` §1)."""
    negotiation_interval: int = 25_000
    """``LoginRsp.negoInterval``: how long a client gives a negotiation."""
    quality_interval: int = 10_000
    """How often SDKs are asked for quality reports; 0 = not at all. Those after 2.13.0 send none."""
    max_frame: int = 65_536
    """Longest frame. An audio and video offer of a browser has about 8 KiB."""
    max_queued_frames: int = 512
    """Frames waiting for a slow client; one more closes its socket, its sessions wait for it to come back."""
    max_queued_characters: int = 1_048_576
    """The same for their length together: an answer with a session description has thousands of characters."""
    login_timeout: int = 30_000
    """A socket on which nobody has logged in for so long is closed. One whose login was refused stays open until then: 2.14.0 reopens
    a closed one at once and without end."""
    frames_without_login: int = 64
    """Frames of a socket on which nobody is logged in; each attempt to log in asks the registry. SDKs send a handful."""
    messages_per_second: int = 100
    """Sustained. A page that plays 64 streams sends about 25 (``Peer2PeerNetStatsGetReq`` every 3 s per stream)."""
    message_burst: int = 400
