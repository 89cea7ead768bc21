"""The server's side of one RTMP connection, without I/O: bytes in, events out; commands in, bytes out.

``receive`` takes what came and returns what it means; what is to be sent collects until ``take``. Everything that needs no decision is
answered here (handshake, acknowledgements, pings, stream ids); connecting, publishing and playing wait for their ``accept_…`` or
``refuse_…``. Commands and status codes: RTMP 1.0 §7.2, and where that is silent what librtmp, ffmpeg and OBS send and wait for.

One connection carries one stream at a time, under message stream id 1, as every known client does: that, and absolute timestamps,
make a message's bytes the same for all players of a stream (``media_bytes``).
"""

from __future__ import annotations

import contextlib
import enum
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from media.flv import Tag, TagKind
from media.rtmp import amf0
from media.rtmp.amf0 import Value
from media.rtmp.chunks import INITIAL_CHUNK_SIZE, ChunkReader, ChunkStreamBroken, Message, write_message
from media.rtmp.handshake import HandshakeRefused, ServerHandshake
from media.rtmp.messages import MessageType, UserControl, read_aggregate, read_uint32, read_user_control, uint32, user_control

CHUNK_SIZE = 4096
"""Ours, told to every client: an audio message is one chunk. What servers have used for long, so that every client has met it."""
STREAM_ID = 1
"""Message stream id of the one stream of a connection."""
WINDOW = 2_500_000
"""Bytes after which we want an acknowledgement, and send one before the client has named a window."""
MAX_REQUEST = 65_536
"""Bytes of one message of a client that does not publish: all it has to say are commands. Only who may publish is granted more."""
MESSAGES_AT_ONCE = 16
"""Messages that one call of ``receive`` understands. Each may be three bytes long and go to a hundred players: others wait meanwhile."""
_PEER_BANDWIDTH_DYNAMIC = 2

_CONTROL_CHUNKS, _COMMAND_CHUNKS, _AUDIO_CHUNKS, _VIDEO_CHUNKS, _DATA_CHUNKS = 2, 3, 4, 6, 5
_CHUNKS_OF = {TagKind.AUDIO: _AUDIO_CHUNKS, TagKind.VIDEO: _VIDEO_CHUNKS, TagKind.DATA: _DATA_CHUNKS}


class ProtocolError(ValueError):
    """The peer breaks the protocol, or takes more than is granted: the connection cannot go on."""


class Code(enum.StrEnum):
    """``code`` of the status that a client is told (RTMP 1.0 §7.2.2, and Flash's list of NetStream and NetConnection codes)."""

    CONNECT_SUCCESS = "NetConnection.Connect.Success"
    CONNECT_REJECTED = "NetConnection.Connect.Rejected"
    CALL_FAILED = "NetConnection.Call.Failed"
    PUBLISH_START = "NetStream.Publish.Start"
    PUBLISH_BAD_NAME = "NetStream.Publish.BadName"
    PUBLISH_FAILED = "NetStream.Publish.Failed"
    UNPUBLISH_SUCCESS = "NetStream.Unpublish.Success"
    PLAY_RESET = "NetStream.Play.Reset"
    PLAY_START = "NetStream.Play.Start"
    PLAY_STOP = "NetStream.Play.Stop"
    PLAY_FAILED = "NetStream.Play.Failed"
    PLAY_STREAM_NOT_FOUND = "NetStream.Play.StreamNotFound"
    PLAY_UNPUBLISH_NOTIFY = "NetStream.Play.UnpublishNotify"
    PAUSE_NOTIFY = "NetStream.Pause.Notify"
    UNPAUSE_NOTIFY = "NetStream.Unpause.Notify"


@dataclass(frozen=True, slots=True)
class ConnectRequested:
    """Answer with ``accept_connect`` or ``refuse_connect``."""

    app: str
    """Path of the address up to the stream's name, as the client cut it: it may hold credentials."""
    client: str
    """``flashVer``: what the client calls itself."""
    transaction: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """Answer with ``accept_publish`` or ``refuse_publish``."""

    name: str


@dataclass(frozen=True, slots=True)
class PlayRequested:
    """Answer with ``accept_play`` or ``refuse_play``."""

    name: str


@dataclass(frozen=True, slots=True)
class MediaReceived:
    """From a publisher whose publish was accepted. Data messages are without ``@setDataFrame``."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """A player wants no messages for now (True), or messages again. Answered already."""

    paused: bool


@dataclass(frozen=True, slots=True)
class StreamClosed:
    """The client has ended its publish or play; it may begin another."""


Event = ConnectRequested | PublishRequested | PlayRequested | MediaReceived | PauseRequested | StreamClosed


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    NEW = enum.auto()
    CONNECTING = enum.auto()
    CONNECTED = enum.auto()
    ASKED = enum.auto()
    """A publish or play waits for its answer."""
    PUBLISHING = enum.auto()
    PLAYING = enum.auto()
    CLOSED = enum.auto()


_STANDSTILL = (_State.CONNECTING, _State.ASKED, _State.CLOSED)


class RtmpServerProtocol:
    """See the module. After ``ProtocolError`` or ``closed`` nothing more is read."""

    def __init__(self, *, rng: random.Random, max_message: int, max_chunk_streams: int) -> None:
        """``max_message``: bytes; a publisher that announces a longer one is cut off. ``rng``: fills the handshake."""
        self._handshake = ServerHandshake(rng)
        self._max_message = max_message
        self._reader = ChunkReader(max_message=min(max_message, MAX_REQUEST), max_streams=max_chunk_streams)
        self._state = _State.HANDSHAKE
        self._out = bytearray()
        self._chunk_size = INITIAL_CHUNK_SIZE
        """Of what we send."""
        self._received = 0
        self._acknowledged = 0
        self._window = WINDOW
        self._told_window = 0
        self._connect_transaction = 1.0
        self._stream_open = False
        self.unread = False
        """There is, or may be, more to understand than ``receive`` has: call it again, without data."""
        self._messages = 0
        self._events: list[Event] = []
        self._commands: Mapping[str, Callable[[float, list[Value]], None]] = {
            "connect": self._connect,
            "createStream": self._create_stream,
            "publish": self._publish,
            "play": self._play,
            "pause": self._pause,
            "deleteStream": self._delete_stream,
            "closeStream": self._close_stream,
            "releaseStream": self._void_result,
            "FCPublish": self._fc_publish,
            "FCUnpublish": self._fc_unpublish,
            "FCSubscribe": self._fc_subscribe,
            "getStreamLength": self._stream_length,
            "_checkbw": self._void_result,
        }

    @property
    def waiting(self) -> bool:
        """A request waits for its answer."""
        return self._state in (_State.CONNECTING, _State.ASKED)

    @property
    def closed(self) -> bool:
        """The client was refused: send what there is, then close."""
        return self._state is _State.CLOSED

    @property
    def connected(self) -> bool:
        """The handshake and ``connect`` are done."""
        return self._state in (_State.CONNECTED, _State.ASKED, _State.PUBLISHING, _State.PLAYING)

    @property
    def messages(self) -> int:
        """Understood so far, whatever their kind. Those in an aggregate count each, and so do pieces smaller than clients make: one byte in
        a chunk of its own takes as long as a message."""
        return self._messages + self._reader.fragments

    def take(self) -> bytes:
        """What has to be sent now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def receive(self, data: bytes) -> list[Event]:
        """What ``data`` means. Raises ``ProtocolError``; what was understood before is lost then.

        While a request waits for its answer nothing more is read: call this again with no data after ``accept_…``. Neither is more
        than ``MESSAGES_AT_ONCE`` (see ``unread``).
        """
        self._received += len(data)
        if self._state in _STANDSTILL:
            self._reader.keep(data)
            return []
        try:
            if self._state is _State.HANDSHAKE:
                self._out += self._handshake.receive(data)
                if not self._handshake.done:
                    return []
                self._state = _State.NEW
                data = self._handshake.rest
            self.unread = False
            with contextlib.closing(self._reader.receive(data)) as messages:
                for count, message in enumerate(messages, 1):
                    self._messages += 1
                    self._message(message)
                    if self._state in _STANDSTILL or count == MESSAGES_AT_ONCE:
                        self.unread = True
                        break
        except (HandshakeRefused, ChunkStreamBroken) as error:
            raise ProtocolError(str(error)) from None
        self._acknowledge()
        events, self._events = self._events, []
        return events

    # --- decisions

    def accept_connect(self) -> None:
        self._state = _State.CONNECTED
        self._control(MessageType.WINDOW_ACK_SIZE, uint32(WINDOW))
        self._control(MessageType.SET_PEER_BANDWIDTH, uint32(WINDOW) + bytes((_PEER_BANDWIDTH_DYNAMIC,)))
        self._control(MessageType.SET_CHUNK_SIZE, uint32(CHUNK_SIZE))
        self._chunk_size = CHUNK_SIZE
        server: dict[str, Value] = {"fmsVer": "FMS/3,5,7,7009", "capabilities": 31, "mode": 1}
        self._command("_result", self._connect_transaction, server, _status("status", Code.CONNECT_SUCCESS, "connected", objectEncoding=0))

    def refuse_connect(self, reason: str) -> None:
        self._state = _State.CLOSED
        self._command("_error", self._connect_transaction, None, _status("error", Code.CONNECT_REJECTED, reason))

    def accept_publish(self) -> None:
        self._state = _State.PUBLISHING
        self._reader.max_message = self._max_message
        self._control(MessageType.USER_CONTROL, user_control(UserControl.STREAM_BEGIN, STREAM_ID))
        self._on_status("status", Code.PUBLISH_START, "publishing")

    def refuse_publish(self, reason: str, code: Code = Code.PUBLISH_BAD_NAME) -> None:
        """Also ends a running publish."""
        self._state = _State.CLOSED
        self._on_status("error", code, reason)

    def accept_play(self) -> None:
        """What Flash wanted besides (``|RtmpSampleAccess``, ``NetStream.Data.Start``) ffmpeg takes for streams of their own: left out."""
        self._state = _State.PLAYING
        self._control(MessageType.USER_CONTROL, user_control(UserControl.STREAM_BEGIN, STREAM_ID))
        self._on_status("status", Code.PLAY_RESET, "resetting")
        self._on_status("status", Code.PLAY_START, "playing")

    def refuse_play(self, reason: str, code: Code = Code.PLAY_FAILED) -> None:
        self._state = _State.CLOSED
        self._on_status("error", code, reason)

    def end_play(self, reason: str) -> None:
        """The stream is over, or the player may not have it any longer."""
        self._state = _State.CLOSED
        self._control(MessageType.USER_CONTROL, user_control(UserControl.STREAM_EOF, STREAM_ID))
        self._on_status("status", Code.PLAY_UNPUBLISH_NOTIFY, reason)
        self._on_status("status", Code.PLAY_STOP, reason)

    def ping(self, now: int) -> None:
        """Asks for a sign of life. ``now``: ms, of any clock."""
        if self.connected:
            self._control(MessageType.USER_CONTROL, user_control(UserControl.PING_REQUEST, now & 0xFFFFFFFF))

    # --- messages in

    def _message(self, message: Message) -> None:
        kind, body = message.type, message.body
        if kind in (MessageType.AUDIO, MessageType.VIDEO):
            self._media(Tag(TagKind(kind), message.timestamp, body))
        elif kind in (MessageType.COMMAND_AMF0, MessageType.COMMAND_AMF3):
            # AMF3 commands of real clients are AMF0 behind a zero byte (§7.1.1).
            self._invoke(body[1:] if kind == MessageType.COMMAND_AMF3 and body[:1] == b"\x00" else body)
        elif kind in (MessageType.DATA_AMF0, MessageType.DATA_AMF3):
            self._data_received(message.timestamp, body[1:] if kind == MessageType.DATA_AMF3 and body[:1] == b"\x00" else body)
        elif kind == MessageType.AGGREGATE:
            for tag in read_aggregate(message.timestamp, body):
                self._messages += 1
                if tag.kind is TagKind.DATA:
                    self._data_received(tag.timestamp, tag.body)
                else:
                    self._media(tag)
        else:
            self._control_received(kind, body)

    def _media(self, tag: Tag) -> None:
        # What comes before the publish is accepted, or behind its end, is nobody's.
        if self._state is _State.PUBLISHING and tag.body:
            self._events.append(MediaReceived(tag))

    def _data_received(self, timestamp: int, body: bytes) -> None:
        body = body.removeprefix(_SET_DATA_FRAME)
        if body.startswith(_ON_META_DATA):
            self._media(Tag(TagKind.DATA, timestamp, body))

    def _control_received(self, kind: int, body: bytes) -> None:
        value = read_uint32(body)
        if kind == MessageType.SET_CHUNK_SIZE and value is not None:
            if not 1 <= value <= 0x7FFFFFFF:
                raise ProtocolError(f"chunk size {value}")
            self._reader.chunk_size = value
        elif kind == MessageType.ABORT and value is not None:
            self._reader.abort(value)
        elif kind == MessageType.WINDOW_ACK_SIZE and value:
            self._window = value
        elif kind == MessageType.SET_PEER_BANDWIDTH and value and value != self._told_window:
            self._told_window = value
            self._control(MessageType.WINDOW_ACK_SIZE, uint32(value))
        elif kind == MessageType.USER_CONTROL:
            event = read_user_control(body)
            if event is not None and event[0] == UserControl.PING_REQUEST:
                self._control(MessageType.USER_CONTROL, user_control(UserControl.PING_RESPONSE, event[1]))

    def _acknowledge(self) -> None:
        if self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._control(MessageType.ACKNOWLEDGEMENT, uint32(self._received & 0xFFFFFFFF))

    # --- commands in

    def _invoke(self, body: bytes) -> None:
        values = amf0.decode_some(body)
        if not values or not isinstance(values[0], str):
            raise ProtocolError("a command without a name")
        name = values[0]
        transaction = values[1] if len(values) > 1 and isinstance(values[1], float) else 0.0
        if not self.connected and not (name == "connect" and self._state is _State.NEW):
            raise ProtocolError(f"{name[:32]!r} before connect")
        command = self._commands.get(name)
        # Unknown ones pass: clients announce and measure all kinds of things, and need no answer to go on.
        if command is not None:
            command(transaction, values[2:])

    def _connect(self, transaction: float, arguments: list[Value]) -> None:
        options = arguments[0] if arguments and isinstance(arguments[0], Mapping) else {}
        self._state = _State.CONNECTING
        self._connect_transaction = transaction
        self._events.append(ConnectRequested(_text(options.get("app")), _text(options.get("flashVer")), transaction))

    def _create_stream(self, transaction: float, _: list[Value]) -> None:
        if self._stream_open:
            self._command("_error", transaction, None, _status("error", Code.CALL_FAILED, "one stream for a connection at a time"))
            return
        self._stream_open = True
        self._command("_result", transaction, None, STREAM_ID)

    def _publish(self, _: float, arguments: list[Value]) -> None:
        if self._begin():
            self._events.append(PublishRequested(_argument(arguments, 1)))

    def _play(self, _: float, arguments: list[Value]) -> None:
        if self._begin():
            self._events.append(PlayRequested(_argument(arguments, 1)))

    def _begin(self) -> bool:
        if self._state is not _State.CONNECTED or not self._stream_open:
            self._on_status("error", Code.CALL_FAILED, "createStream first" if self.connected and not self._stream_open else "busy")
            return False
        self._state = _State.ASKED
        return True

    def _pause(self, _: float, arguments: list[Value]) -> None:
        if self._state is not _State.PLAYING:
            return
        paused = len(arguments) > 1 and arguments[1] is True
        self._on_status("status", Code.PAUSE_NOTIFY if paused else Code.UNPAUSE_NOTIFY, "paused" if paused else "playing")
        self._events.append(PauseRequested(paused))

    def _delete_stream(self, _: float, __: list[Value]) -> None:
        self._end_stream()
        self._stream_open = False

    def _close_stream(self, _: float, __: list[Value]) -> None:
        self._end_stream()

    def _end_stream(self) -> None:
        if self._state in (_State.PUBLISHING, _State.PLAYING):
            if self._state is _State.PUBLISHING:
                self._on_status("status", Code.UNPUBLISH_SUCCESS, "unpublished")
            self._state = _State.CONNECTED
            self._events.append(StreamClosed())

    def _fc_publish(self, transaction: float, arguments: list[Value]) -> None:
        self._command("onFCPublish", 0, None, _status("status", Code.PUBLISH_START, _shown(arguments)))
        self._void_result(transaction, arguments)

    def _fc_unpublish(self, transaction: float, arguments: list[Value]) -> None:
        if self._state is _State.PUBLISHING:
            self._command("onFCUnpublish", 0, None, _status("status", Code.UNPUBLISH_SUCCESS, _shown(arguments)))
            self._end_stream()
        self._void_result(transaction, arguments)

    def _fc_subscribe(self, transaction: float, arguments: list[Value]) -> None:
        self._command("onFCSubscribe", 0, None, _status("status", Code.PLAY_START, _shown(arguments)))
        self._void_result(transaction, arguments)

    def _stream_length(self, transaction: float, _: list[Value]) -> None:
        self._command("_result", transaction, None, 0)

    def _void_result(self, transaction: float, _: list[Value]) -> None:
        if transaction:
            self._command("_result", transaction, None, None)

    # --- out

    def _control(self, kind: MessageType, body: bytes) -> None:
        self._out += write_message(_CONTROL_CHUNKS, kind, 0, 0, body, INITIAL_CHUNK_SIZE)

    def _command(self, name: str, transaction: float, *values: Value, stream_id: int = 0) -> None:
        self._send(MessageType.COMMAND_AMF0, stream_id, amf0.encode(name, transaction, *values))

    def _on_status(self, level: str, code: Code, description: str) -> None:
        self._command("onStatus", 0, None, _status(level, code, description), stream_id=STREAM_ID)

    def _send(self, kind: MessageType, stream_id: int, body: bytes) -> None:
        self._out += write_message(_COMMAND_CHUNKS, kind, 0, stream_id, body, self._chunk_size)


_SET_DATA_FRAME = amf0.encode("@setDataFrame")
_ON_META_DATA = amf0.encode("onMetaData")


def media_bytes(tag: Tag) -> bytes:
    """A media message as every player gets it: the same bytes for all, whatever each got before, and so made once."""
    if tag.chunks is None:
        tag.chunks = write_message(_CHUNKS_OF[tag.kind], tag.kind, tag.timestamp, STREAM_ID, tag.body, CHUNK_SIZE)
    return tag.chunks


def _status(level: str, code: Code, description: str, **more: Value) -> dict[str, Value]:
    return {"level": level, "code": code.value, "description": description, **more}


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _argument(arguments: list[Value], index: int) -> str:
    return _text(arguments[index]) if len(arguments) > index else ""


def _shown(arguments: list[Value]) -> str:
    """The stream's name in an answer: without a query, which may hold a credential."""
    return _argument(arguments, 1).partition("?")[0]
