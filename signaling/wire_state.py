"""What one client has been told: its own sequences and stream list, and how it is brought up to date after a break.

Sequences on the wire belong to the session, not to the room: each push raises one by the number of its entries. A client
accepts a push only if its number fits (``miniprogram-2.11.0.md`` §6.2, §7.2, ``web-1x-2x.md`` §2.2).

A push that was written to a socket need not have arrived when that socket dies. What was told lately is therefore "unsure" until a
later heartbeat proves it: an SDK whose heartbeat stays unanswered for 8 s logs in again, so one that sends its next heartbeat at
least ``PROOF_MS`` after an answer has had that answer, and all before it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rooms.model import Stream

PROOF_MS = 10_000
MOST_UNSURE = 256
"""Beyond so many unsure streams what the client knows counts as unknown."""

_FORMAT = 1
_POKE_STEP = 1_000


class ToldStream(msgspec.Struct, frozen=True, array_like=True):
    """A stream as the client knows it."""

    stream_sid: int
    version: int
    user_id: str
    user_name: str


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The opaque wire state that ``RoomService.detach`` keeps for the next connection."""

    format: int
    stream_seq: int
    user_seq: int
    streams: dict[str, ToldStream]
    unsure: dict[str, ToldStream | None]
    """Streams told lately; with what the client may still believe of a removed one."""
    certain: bool
    """False: what the client knows of streams is not known."""


class CatchUp(msgspec.Struct, frozen=True):
    """The difference between what a client knows and what is: at most three pushes, in this order (§5.3)."""

    kept: dict[str, Stream]
    """What it knows already."""
    gone: list[tuple[str, ToldStream]]
    added: list[Stream]
    changed: list[Stream]


UNKNOWN = Told(_FORMAT, 0, 0, {}, {}, False)
"""Nothing is known of what the client knows."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Told).decode


def read_told(told: bytes | None) -> Told | None:
    """The wire state of an earlier connection, or None if there is none that can be used."""
    if not told:
        return None
    try:
        state = _decode(told)
    except msgspec.DecodeError:
        return None
    return state if state.format == _FORMAT and state.certain else None


class WireState:
    """Of one session, while it is connected. ``streams`` are the ones of others; SDKs know their own."""

    __slots__ = (
        "_doubt",
        "_doubt_before",
        "_poked",
        "_proven_at",
        "_tracks",
        "_unsure",
        "_unsure_before",
        "stream_seq",
        "streams",
        "user_seq",
    )

    def __init__(self, now: int, told: Told | None, *, tracks: bool, first: int = 0) -> None:
        """``tracks``: keep what is unsure, for a client whose next login answer does not simply replace its list.

        ``first``: where sequences begin; those of an earlier connection go on from where they were, if that is higher.
        """
        self.stream_seq = max(first, told.stream_seq) if told else first
        self.user_seq = max(first, told.user_seq) if told else first
        self.streams: dict[str, Stream] = {}
        self._tracks = tracks
        self._proven_at = now
        self._unsure: dict[str, ToldStream | None] = {}
        self._unsure_before: dict[str, ToldStream | None] = {}
        self._doubt = self._doubt_before = self._poked = False

    @property
    def certain(self) -> bool:
        """Whether it is known, but for the unsure streams, what the client knows."""
        return not (self._doubt or self._doubt_before or self._poked)

    def next_stream(self, entries: int = 1) -> int:
        self.stream_seq += entries
        return self.stream_seq

    def next_user(self, entries: int = 1) -> int:
        self.user_seq += entries
        return self.user_seq

    def add(self, stream: Stream) -> None:
        """A stream is pushed as added or updated."""
        self.streams[stream.stream_id] = stream
        self._mark(stream.stream_id, None)

    def remove(self, stream_id: str) -> None:
        """A stream is pushed as deleted."""
        known = self.streams.pop(stream_id, None)
        if known is not None:
            self._mark(stream_id, _told(known))

    def removed(self, stream_id: str, known: ToldStream) -> None:
        """A stream of an earlier connection is pushed as deleted."""
        self._mark(stream_id, known)

    def begin(self, streams: Mapping[str, Stream]) -> None:
        """The list is in the login answer, without which the client is not logged in at all."""
        self.streams = dict(streams)

    def poke(self) -> None:
        """The client is made to ask for its list: what it knows until it has the answer is not known."""
        self._poked = True

    def list_asked(self, streams: Mapping[str, Stream]) -> None:
        """The client is told the whole list. If that is lost, it knows what it knew before."""
        if self._poked:
            self._poked = False
            self._lose()
        for stream_id, known in list(self.streams.items()):
            now = streams.get(stream_id)
            if now is None or now.stream_sid != known.stream_sid:
                self._mark(stream_id, _told(known))
        for stream_id in streams:
            self._mark(stream_id, None)
        self.streams = dict(streams)

    def heartbeat(self, now: int) -> None:
        """A heartbeat came and is being answered."""
        if now - self._proven_at >= PROOF_MS:
            self._proven_at = now
            self._unsure_before, self._unsure = self._unsure, {}
            self._doubt_before, self._doubt = self._doubt, False

    def told(self) -> bytes:
        """Everything, for another connection to go on with."""
        certain = self.certain
        unsure = self._unsure_before | {name: old or self._unsure_before.get(name) for name, old in self._unsure.items()}
        return _encode(
            Told(
                format=_FORMAT,
                stream_seq=self.stream_seq,
                user_seq=self.user_seq,
                streams={name: _told(stream) for name, stream in self.streams.items()} if certain else {},
                unsure=unsure if certain else {},
                certain=certain,
            )
        )

    def beyond_doubt(self, now: int) -> int:
        """A stream sequence that the client cannot hold, for the answer to ``stream_info`` (§5.4)."""
        self.stream_seq = max(self.stream_seq + _POKE_STEP, now)
        return self.stream_seq

    def _mark(self, stream_id: str, removed: ToldStream | None) -> None:
        if not self._tracks:
            return
        self._unsure[stream_id] = removed or self._unsure.get(stream_id)
        if len(self._unsure) > MOST_UNSURE:
            self._lose()

    def _lose(self) -> None:
        self._unsure.clear()
        self._unsure_before.clear()
        self._doubt = True


def catch_up(told: Told, current: Mapping[str, Stream]) -> CatchUp:
    """What a client with this wire state must be told so that it knows ``current`` (streams of others).

    Unsure streams are told again; that is harmless, SDKs pass over what they know already (§7.2).
    """
    gone = {name: known for name, known in told.streams.items() if name not in current or current[name].stream_sid != known.stream_sid}
    gone |= {name: removed for name, removed in told.unsure.items() if removed is not None and name not in gone}
    kept: dict[str, Stream] = {}
    added: list[Stream] = []
    changed: list[Stream] = []
    for name, stream in current.items():
        known = told.streams.get(name) if name not in gone else None
        sure = told.certain and name not in told.unsure
        if known is None or not sure:
            added.append(stream)
        if (known is None and not told.certain) or (known is not None and not (sure and known.version == stream.version)):
            changed.append(stream)
        if known is not None and sure and known.version == stream.version:
            kept[name] = stream
    return CatchUp(kept, list(gone.items()), added, changed)


def _told(stream: Stream) -> ToldStream:
    return ToldStream(stream.stream_sid, stream.version, stream.user_id, stream.user_name)
