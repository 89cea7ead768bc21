"""Announcements of streams that went off the air only because their media was away for too long.

An SDK announces a stream once. When only its media was away, longer than the grace, it opens its media again and believes itself still
announced (all of 1.4.0, 2.5.0, 2.14.0 and 2.26.2: ``tests/e2e/test_web_media_endings.py``). So what it said is kept, and counts again once
its media is back.
"""

from __future__ import annotations

from dataclasses import dataclass

from rooms.model import Stream


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the owner said of the stream, and until when (epoch ms) it counts."""

    session_id: int
    extra_info: str
    until: int


class KeptAnnouncements:
    """By App and stream id; each is forgotten after ``keep`` milliseconds, so there are no more than streams lost in that time."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._kept: dict[tuple[int, str], Announcement] = {}

    def add(self, app_id: int, stream: Stream, now: int) -> None:
        """The stream was on the air until now."""
        if stream.on_air:
            self._kept[app_id, stream.stream_id] = Announcement(stream.session_id, stream.extra_info, now + self._keep)

    def forget(self, app_id: int, stream_id: str) -> None:
        """Its owner has said something newer, or is not in the room any more."""
        self._kept.pop((app_id, stream_id), None)

    def current(self, now: int) -> dict[tuple[int, str], Announcement]:
        """Those that still count."""
        self._kept = {key: kept for key, kept in self._kept.items() if kept.until > now}
        return self._kept
