"""The hub of live streams: one publisher feeds a stream, any number of players get its messages, framed once for all.

A stream has the name that the SFU gives it (opaque here), so that the bridge can be the publisher of one (Opus → AAC) or a player of
one (AAC → Opus) in this process, through the same two doors as an RTMP connection: ``LiveHub.publish`` and ``LiveHub.attach``. Who may
is decided elsewhere; nothing here waits, and everything is called on the event loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from media.errors import MediaFull, StreamInUse
from media.flv import TIMESTAMP_MODULUS, AudioHead, FlvMalformed, SoundFormat, Tag, TagKind, VideoHead
from media.plane import Clock


class LivePublisher(Protocol):
    """Who feeds a stream."""

    def replaced(self) -> None:
        """Another publisher has taken the stream over: what its feed still says is for nobody."""


GATHER_MS = 25
"""Sound that comes more seldom is not gathered: it would wait longer than this for its companion."""


class Gathered:
    """Sound messages that go to patient players together. Shared by all of them, and so is what is made of it once."""

    __slots__ = ("chunks", "tags")

    def __init__(self, *tags: Tag) -> None:
        self.tags = tags
        self.chunks: bytes | None = None
        """As RTMP chunks, once somebody has made them."""


class LivePlayer(Protocol):
    """Who gets a stream. Its methods must neither block nor raise, and what it keeps must be bounded: ``LiveStream.restart`` is for a
    player that had to throw something away. It may detach itself in any of them."""

    def message(self, tag: Tag) -> None:
        """The next message, or what a beginning needs: metadata and the codecs' configurations."""

    def began(self) -> None:
        """A publisher feeds the stream (again); its messages follow. Also told on attaching to a stream that has one."""

    def ended(self) -> None:
        """The stream has no publisher now. Another may come, and then the timestamps go on."""


class PatientPlayer(LivePlayer, Protocol):
    """A player that takes two messages together more cheaply than one by one: each is a system call of its own on a socket."""

    def gathered(self, messages: Gathered) -> None:
        """The next messages."""


class LiveListener(Protocol):
    """Who has to know when a stream is wanted and when it is fed, whoever wants or feeds it. Same rules as for a player."""

    def first_player(self, stream: LiveStream) -> None: ...

    def last_player_gone(self, stream: LiveStream) -> None: ...

    def publisher_began(self, stream: LiveStream) -> None: ...

    def publisher_ended(self, stream: LiveStream) -> None: ...


class Feed:
    """A publisher's end of a stream. After ``end``, or once replaced, it does nothing."""

    def __init__(self, stream: LiveStream, publisher: LivePublisher) -> None:
        self._stream = stream
        self._publisher = publisher

    @property
    def live(self) -> bool:
        return self._stream.feed is self

    @property
    def publisher(self) -> LivePublisher:
        return self._publisher

    def message(self, tag: Tag) -> None:
        """Passes a message on to all players, now. Timestamps are the publisher's own, beginning where it likes."""
        if self._stream.feed is self:
            self._stream._pass(tag)

    def end(self) -> None:
        """The publisher stops."""
        if self._stream.feed is self:
            self._stream._feed_ended()


class LiveStream:
    """One stream, for as long as it has a publisher or a player."""

    def __init__(self, name: str, hub: LiveHub, clock: Clock) -> None:
        self.name = name
        self.feed: Feed | None = None
        self.metadata: Tag | None = None
        """``onMetaData``, without the ``@setDataFrame`` that publishers put before it. Its time is 0: ffmpeg takes one with another time
        for a stream of subtitles."""
        self.audio_config: Tag | None = None
        """The AAC sequence header."""
        self.video_config: Tag | None = None
        self.has_video = False
        """The publisher of now has sent a picture."""
        self.messages = 0
        """From all publishers so far."""
        self.bytes = 0
        """Bodies of these messages."""
        self.sound_messages = 0
        """Of these, those with sound."""
        self.sound_bytes = 0
        self.last_arrival: int | None = None
        """Epoch ms of the last message; None before the first."""
        self._hub = hub
        self._clock = clock
        self._players: dict[int, LivePlayer] = {}
        """By ``id``, those that are given everything at once."""
        self._patient: dict[int, PatientPlayer] = {}
        """By ``id``, the others."""
        self._held: Tag | None = None
        """Sound that waits for its companion, which ``_patient`` get it with."""
        self._last_sound: int | None = None
        """Timestamp."""
        self._without_picture: set[int] = set()
        """Players (by ``id``) that have to get a key frame before any other picture."""
        self._restarting: LivePlayer | None = None
        """It is being given a beginning."""
        self._offset: int | None = 0
        """Added to the publisher's timestamps; None = the next message tells."""
        self._last_timestamp = 0
        self._began: tuple[int, int] | None = None
        """Timestamp and arrival (ms) of the publisher's first message."""

    @property
    def players(self) -> tuple[LivePlayer, ...]:
        return (*self._players.values(), *self._patient.values())

    @property
    def played(self) -> int:
        """Number of players."""
        return len(self._players) + len(self._patient)

    @property
    def silent_ms(self) -> int | None:
        """How long nothing has come from the publisher; None before its first message."""
        return None if self.last_arrival is None else max(0, self._clock() - self.last_arrival)

    @property
    def ahead_ms(self) -> float | None:
        """How much further the publisher's time has come than ours since its first message."""
        if self._began is None or self.last_arrival is None:
            return None
        timestamp, arrival = self._began
        return float(self._last_timestamp - timestamp - (self.last_arrival - arrival))

    def restart(self, player: LivePlayer) -> None:
        """A player has lost messages: it begins anew, with the configurations at once and pictures from the next key frame on."""
        self._without_picture.add(id(player))
        if self._restarting is player:
            # The beginning alone is more than it can keep; the same again would not be less.
            return
        former, self._restarting = self._restarting, player
        try:
            if self.metadata is not None:
                player.message(self.metadata)
            for tag in (self.audio_config, self.video_config):
                if tag is not None:
                    player.message(tag.at(self._last_timestamp))
        finally:
            self._restarting = former

    def _add(self, player: LivePlayer) -> None:
        if self.feed is not None:
            player.began()
        self.restart(player)

    def _attach(self, player: LivePlayer) -> None:
        self._players[id(player)] = player
        self._add(player)

    def _attach_patient(self, player: PatientPlayer) -> None:
        self._patient[id(player)] = player
        self._add(player)

    def _detach(self, player: LivePlayer) -> bool:
        """Whether it was there."""
        self._without_picture.discard(id(player))
        return self._players.pop(id(player), None) is not None or self._patient.pop(id(player), None) is not None

    def _fed_by(self, publisher: LivePublisher) -> Feed:
        self._give_held()
        former, self.feed = self.feed, Feed(self, publisher)
        self.metadata = self.audio_config = self.video_config = None
        self.has_video = False
        self._began = None
        if self.last_arrival is not None:
            self._offset = None
        self._without_picture = {*self._players, *self._patient}
        if former is not None:
            former.publisher.replaced()
        return self.feed

    def _feed_ended(self) -> None:
        self._give_held()
        self.feed = None
        for player in self.players:
            player.ended()
        self._hub._publisher_ended(self)

    def _pass(self, tag: Tag) -> None:
        self.messages += 1
        self.bytes += len(tag.body)
        if tag.kind is TagKind.DATA:
            tag = self.metadata = tag.at(0)
            self._give_held()
            for player in self.players:
                player.message(tag)
            return
        tag = self._in_time(tag)
        if tag.kind is TagKind.VIDEO:
            self._give_held()
            self._pass_picture(tag)
            return
        self.sound_messages += 1
        self.sound_bytes += len(tag.body)
        self._note_audio(tag)
        self._pass_sound(tag)

    def _pass_sound(self, tag: Tag) -> None:
        """To a crowd of patient players it goes in twos, so the first of each two waits for the second: for as long as one message
        lasts, and never longer than ``GATHER_MS`` while sound is coming."""
        before, self._last_sound = self._last_sound, tag.timestamp
        for player in tuple(self._players.values()):
            player.message(tag)
        if self._held is not None:
            both, self._held = Gathered(self._held, tag), None
            for patient in tuple(self._patient.values()):
                patient.gathered(both)
        elif len(self._patient) >= self._hub.crowd and before is not None and 0 <= tag.timestamp - before <= GATHER_MS:
            self._held = tag
        else:
            for patient in tuple(self._patient.values()):
                patient.message(tag)

    def _give_held(self) -> None:
        """What waits goes alone: something else comes next, or nothing."""
        held, self._held = self._held, None
        if held is not None:
            for patient in tuple(self._patient.values()):
                patient.message(held)

    def _in_time(self, tag: Tag) -> Tag:
        """The message at the stream's own time."""
        now = self._clock()
        if self._offset is None:
            self._offset = self._go_on(tag.timestamp, now)
        if self._offset:
            tag = tag.at((tag.timestamp + self._offset) % TIMESTAMP_MODULUS)
        self.last_arrival = now
        self._last_timestamp = tag.timestamp
        if self._began is None:
            self._began = tag.timestamp, now
        return tag

    def _go_on(self, timestamp: int, now: int) -> int:
        """The offset with which a new publisher goes on where the one before stopped, as much later as time has passed."""
        assert self.last_arrival is not None
        return self._last_timestamp + max(1, now - self.last_arrival) - timestamp

    def _note_audio(self, tag: Tag) -> None:
        try:
            head = AudioHead.parse(tag.body)
        except FlvMalformed:
            return
        if head.format is SoundFormat.AAC and head.sequence_header:
            self.audio_config = tag

    def _pass_picture(self, tag: Tag) -> None:
        try:
            head = VideoHead.parse(tag.body)
        except FlvMalformed:
            return
        self.has_video = True
        if head.sequence_header:
            self.video_config = tag
        elif head.key_frame:
            self._without_picture.clear()
        waiting = () if head.sequence_header else self._without_picture
        for player in self.players:
            if id(player) not in waiting:
                player.message(tag)


class LiveHub:
    """All live streams of this node, by name."""

    def __init__(self, clock: Clock, *, max_streams: int = 2_000, max_players: int = 20_000, crowd: int = 50) -> None:
        """``clock``: epoch ms, steady. One more publisher or player than the limits say gets ``MediaFull``. ``crowd``: so many patient
        players of one stream, or more, get its sound in twos."""
        self._clock = clock
        self._max_streams = max_streams
        self._max_players = max_players
        self.crowd = crowd
        self._streams: dict[str, LiveStream] = {}
        self._listeners: list[LiveListener] = []
        self._fed = 0
        self._playing = 0

    def listen(self, listener: LiveListener) -> None:
        self._listeners.append(listener)

    def stream(self, name: str) -> LiveStream | None:
        return self._streams.get(name)

    def streams(self) -> Iterable[LiveStream]:
        return tuple(self._streams.values())

    @property
    def publishers(self) -> int:
        return self._fed

    @property
    def players(self) -> int:
        return self._playing

    def publish(self, name: str, publisher: LivePublisher, *, take_over: bool = False) -> Feed:
        """Feeds a stream. Raises ``StreamInUse`` if it has a publisher, unless this one is to ``take_over``; ``MediaFull``."""
        stream = self._streams.get(name)
        former = None if stream is None else stream.feed
        if former is not None and not take_over:
            raise StreamInUse("the stream has a publisher")
        if former is None:
            if self._fed >= self._max_streams:
                raise MediaFull(f"this node has its limit of {self._max_streams} live streams")
            self._fed += 1
        if stream is None:
            stream = self._streams[name] = LiveStream(name, self, self._clock)
        feed = stream._fed_by(publisher)
        for listener in self._listeners:
            listener.publisher_began(stream)
        for player in stream.players:
            player.began()
        return feed

    def attach(self, name: str, player: LivePlayer) -> LiveStream:
        """A player of a stream, whether or not it has a publisher yet. Raises ``MediaFull``."""
        stream = self._place(name)
        stream._attach(player)
        self._attached(stream)
        return stream

    def attach_patient(self, name: str, player: PatientPlayer) -> LiveStream:
        """The same for a player that can do with a delay of one message of sound, where it is one of many."""
        stream = self._place(name)
        stream._attach_patient(player)
        self._attached(stream)
        return stream

    def _place(self, name: str) -> LiveStream:
        if self._playing >= self._max_players:
            raise MediaFull(f"this node has its limit of {self._max_players} live players")
        self._playing += 1
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = LiveStream(name, self, self._clock)
        return stream

    def _attached(self, stream: LiveStream) -> None:
        if stream.played == 1:
            for listener in self._listeners:
                listener.first_player(stream)

    def detach(self, name: str, player: LivePlayer) -> None:
        """A player leaves. Leaving twice does nothing."""
        stream = self._streams.get(name)
        if stream is None or not stream._detach(player):
            return
        self._playing -= 1
        if not stream.played:
            for listener in self._listeners:
                listener.last_player_gone(stream)
        self._drop_if_empty(stream)

    def _publisher_ended(self, stream: LiveStream) -> None:
        self._fed -= 1
        for listener in self._listeners:
            listener.publisher_ended(stream)
        self._drop_if_empty(stream)

    def _drop_if_empty(self, stream: LiveStream) -> None:
        if stream.feed is None and not stream.played and self._streams.get(stream.name) is stream:
            del self._streams[stream.name]
