"""The server's side of RTMP: what clients ask, in the words of librtmp, ffmpeg and OBS, and what they are told."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag
from media.rtmp import amf0
from media.rtmp.messages import MAX_AGGREGATED, MessageType, UserControl, uint32, user_control
from media.rtmp.protocol import (
    CHUNK_SIZE,
    MAX_REQUEST,
    MESSAGES_AT_ONCE,
    WINDOW,
    Code,
    ConnectRequested,
    Event,
    MediaReceived,
    PauseRequested,
    PlayRequested,
    ProtocolError,
    PublishRequested,
    RtmpServerProtocol,
    StreamClosed,
    media_bytes,
)
from tests.unit.media.rtmp.rtmp_client import PLAIN_HELLO, RtmpClient


class Pair:
    """A client and the server, joined by a wire without delay."""

    def __init__(self) -> None:
        self.client = RtmpClient()
        self.server = RtmpServerProtocol(rng=random.Random(5), max_message=100_000, max_chunk_streams=8)

    def say(self, data: bytes) -> list[Event]:
        events = self.server.receive(data)
        self.hear()
        return events

    def hear(self) -> None:
        self.client.receive(self.server.take())

    def greet(self) -> None:
        assert self.say(PLAIN_HELLO) == []
        assert self.client.greeted
        assert self.say(self.client.hello_again()) == []

    def connected(self) -> Pair:
        self.greet()
        (event,) = self.say(self.client.connect("1/key.2"))
        assert isinstance(event, ConnectRequested) and event.app == "1/key.2"
        self.server.accept_connect()
        self.hear()
        return self

    def publishing(self) -> Pair:
        self.connected()
        assert self.say(self.client.publish("s1?a=b")) == [PublishRequested("s1?a=b")]
        self.server.accept_publish()
        self.hear()
        return self

    def playing(self) -> Pair:
        self.connected()
        assert self.say(self.client.play("s1")) == [PlayRequested("s1")]
        self.server.accept_play()
        self.hear()
        return self


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_client_connects(pair: Pair) -> None:
    pair.connected()
    kinds = [message.type for message in pair.client.got]
    assert kinds[:3] == [MessageType.WINDOW_ACK_SIZE, MessageType.SET_PEER_BANDWIDTH, MessageType.SET_CHUNK_SIZE]
    assert pair.client.answers[0][:2] == ["_result", 1.0] and pair.client.codes == [Code.CONNECT_SUCCESS]


def test_a_client_is_refused_at_connect(pair: Pair) -> None:
    pair.greet()
    pair.say(pair.client.connect("nowhere"))
    pair.server.refuse_connect("no such App here")
    pair.hear()
    assert pair.client.answers[0][:2] == ["_error", 1.0] and pair.client.codes == [Code.CONNECT_REJECTED] and pair.server.closed


def test_a_publisher_as_ffmpeg_and_obs_do_it(pair: Pair) -> None:
    pair.connected()
    say, client = pair.say, pair.client
    assert say(client.command("releaseStream", 2, None, "s1?k=secret") + client.command("FCPublish", 3, None, "s1?k=secret")) == []
    assert say(client.command("createStream", 4, None) + client.command("_checkbw", 5, None)) == []
    assert ["_result", 4.0, None, 1.0] in client.answers
    assert "secret" not in str(client.answers)
    assert say(client.command("publish", 6, None, "s1?k=secret", "live", stream_id=1)) == [PublishRequested("s1?k=secret")]
    pair.server.accept_publish()
    pair.hear()
    assert client.codes[-1] == Code.PUBLISH_START
    metadata = amf0.encode("onMetaData", {"audiocodecid": 10})
    config = aac_config_tag(b"\x12\x10")
    events = say(client.message(MessageType.DATA_AMF0, amf0.encode("@setDataFrame") + metadata, stream_id=1) + client.media(config))
    assert events == [MediaReceived(Tag(TagKind.DATA, 0, metadata)), MediaReceived(config)]
    assert say(client.command("FCUnpublish", 7, None, "s1") + client.command("deleteStream", 8, None, 1)) == [StreamClosed()]
    assert client.codes[-1] == Code.UNPUBLISH_SUCCESS
    assert say(client.publish("s2")) == [PublishRequested("s2")]


def test_a_player_as_librtmp_and_ffmpeg_do_it(pair: Pair) -> None:
    pair.connected()
    say, client = pair.say, pair.client
    assert say(client.command("createStream", 2, None) + client.command("FCSubscribe", 0, None, "s1")) == []
    assert say(client.command("getStreamLength", 3, None, "s1")) == []
    assert ["_result", 3.0, None, 0.0] in client.answers
    assert say(client.command("play", 4, None, "s1", -2000, stream_id=1)) == [PlayRequested("s1")]
    pair.server.accept_play()
    pair.hear()
    assert client.codes[-2:] == [Code.PLAY_RESET, Code.PLAY_START]
    begin = user_control(UserControl.STREAM_BEGIN, 1)
    assert any(message.type == MessageType.USER_CONTROL and message.body == begin for message in client.got)
    assert say(client.command("pause", 0, None, True, 0, stream_id=1)) == [PauseRequested(True)]
    assert say(client.command("pause", 0, None, False, 0, stream_id=1)) == [PauseRequested(False)]
    assert client.codes[-2:] == [Code.PAUSE_NOTIFY, Code.UNPAUSE_NOTIFY]
    pair.server.end_play("over")
    pair.hear()
    assert client.codes[-2:] == [Code.PLAY_UNPUBLISH_NOTIFY, Code.PLAY_STOP]


@pytest.mark.parametrize("size", [10, CHUNK_SIZE, 3 * CHUNK_SIZE + 5])
@pytest.mark.parametrize("timestamp", [0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF])
def test_a_message_is_framed_once_and_read_by_every_player(size: int, timestamp: int) -> None:
    tag = aac_frame_tag(bytes(size), timestamp)
    assert media_bytes(tag) is media_bytes(tag)
    for pair in (Pair().playing(), Pair().playing()):
        pair.client.receive(media_bytes(tag))
        (got,) = pair.client.media_got
        assert (got.type, got.timestamp, got.stream_id, got.body) == (TagKind.AUDIO, timestamp, 1, tag.body)


def test_what_comes_behind_a_request_waits_for_its_answer(pair: Pair) -> None:
    """A client that does not wait for Publish.Start loses nothing, not even the codec's configuration."""
    pair.connected()
    config, frame = aac_config_tag(b"\x12\x10"), aac_frame_tag(b"x" * 300, 20)
    behind = pair.client.media(config) + pair.client.media(frame)
    assert pair.say(pair.client.publish("s1") + behind[:100]) == [PublishRequested("s1")]
    assert pair.server.waiting and pair.say(behind[100:]) == []
    pair.server.accept_publish()
    assert pair.say(b"") == [MediaReceived(config), MediaReceived(frame)]


def test_an_aggregate_is_its_messages(pair: Pair) -> None:
    pair.publishing()
    tags, before = [aac_frame_tag(b"a", 1000), aac_frame_tag(b"b", 1020)], pair.server.messages
    events = pair.say(pair.client.message(MessageType.AGGREGATE, b"".join(bytes(tag) for tag in tags), timestamp=50, stream_id=1))
    assert events == [MediaReceived(tag.at(time)) for tag, time in zip(tags, (50, 70), strict=True)]
    assert pair.server.messages - before == 3  # what a limit counts: it is no way around one


@pytest.mark.parametrize("chunk_size, counted", [(1, 300), (127, 3), (128, 1), (4_096, 1)])
def test_a_message_in_pieces_smaller_than_clients_make_counts_as_so_many(pair: Pair, chunk_size: int, counted: int) -> None:
    pair.publishing()
    pair.say(pair.client.message(MessageType.SET_CHUNK_SIZE, uint32(chunk_size)))
    pair.client.chunk_size, before = chunk_size, pair.server.messages
    frame = aac_frame_tag(bytes(298), 1)
    assert pair.say(pair.client.media(frame)) == [MediaReceived(frame)]
    assert pair.server.messages - before == counted


def test_commands_of_the_amf3_kind_are_read(pair: Pair) -> None:
    pair.greet()
    body = b"\x00" + amf0.encode("connect", 1, {"app": "1/k.2"})
    (event,) = pair.say(pair.client.message(MessageType.COMMAND_AMF3, body))
    assert isinstance(event, ConnectRequested)


def test_the_peers_chunk_size_counts_from_the_next_message_on(pair: Pair) -> None:
    pair.publishing()
    frame = aac_frame_tag(bytes(5_000), 1)
    announced = pair.client.message(MessageType.SET_CHUNK_SIZE, uint32(60_000))
    pair.client.chunk_size = 60_000
    assert pair.say(announced + pair.client.media(frame)) == [MediaReceived(frame)]


def test_bytes_are_acknowledged_and_pings_answered(pair: Pair) -> None:
    pair.publishing()
    pair.say(pair.client.message(MessageType.WINDOW_ACK_SIZE, uint32(1_000)))
    pair.say(pair.client.media(aac_frame_tag(bytes(1_000), 1)))
    assert any(message.type == MessageType.ACKNOWLEDGEMENT for message in pair.client.got)
    pair.say(pair.client.message(MessageType.USER_CONTROL, user_control(UserControl.PING_REQUEST, 77)))
    assert pair.client.got[-1].body == user_control(UserControl.PING_RESPONSE, 77)
    pair.server.ping(0x1_0000_0005)
    pair.hear()
    assert pair.client.got[-1].body == user_control(UserControl.PING_REQUEST, 5)
    pair.say(pair.client.message(MessageType.SET_PEER_BANDWIDTH, uint32(9_999) + b"\x02"))
    assert pair.client.got[-1].type == MessageType.WINDOW_ACK_SIZE and WINDOW != 9_999


def test_a_second_stream_on_a_connection_is_refused_and_the_first_goes_on(pair: Pair) -> None:
    pair.publishing()
    assert pair.say(pair.client.publish("s2")) == []
    assert pair.client.codes[-2:] == [Code.CALL_FAILED, Code.CALL_FAILED]
    assert pair.say(pair.client.media(frame := aac_frame_tag(b"x", 1))) == [MediaReceived(frame)]


@pytest.mark.parametrize(
    "bad",
    [
        lambda client: client.publish("s1"),
        lambda client: client.message(MessageType.COMMAND_AMF0, amf0.encode(5)),
        lambda client: client.message(MessageType.SET_CHUNK_SIZE, uint32(0)),
        lambda client: client.message(MessageType.AUDIO, bytes(MAX_REQUEST + 1)),
    ],
    ids=["publish before connect", "no name", "chunks of nothing", "too long"],
)
def test_what_cannot_go_on_is_an_error(pair: Pair, bad: object) -> None:
    pair.greet()
    assert callable(bad)
    with pytest.raises(ProtocolError):
        pair.say(bad(pair.client))


def test_long_messages_are_for_publishers(pair: Pair) -> None:
    """Else everybody could have this node keep megabytes, before anybody has looked at who it is."""
    long = aac_frame_tag(bytes(MAX_REQUEST), 1)
    assert pair.publishing().say(pair.client.media(long)) == [MediaReceived(long)]
    with pytest.raises(ProtocolError):
        pair.say(pair.client.media(aac_frame_tag(bytes(100_001), 2)))
    player = Pair().playing()
    with pytest.raises(ProtocolError):
        player.say(player.client.media(long))


def test_many_messages_at_once_are_understood_bit_by_bit(pair: Pair) -> None:
    """So that a client that sends thousands in one segment does not stop everybody else meanwhile."""
    pair.publishing()
    frames = [aac_frame_tag(b"", time) for time in range(2 * MESSAGES_AT_ONCE + 1)]
    expected = [MediaReceived(frame) for frame in frames]
    assert pair.say(b"".join(map(pair.client.media, frames))) == expected[:MESSAGES_AT_ONCE] and pair.server.unread
    assert pair.say(b"") == expected[MESSAGES_AT_ONCE:-1] and pair.server.unread
    assert pair.say(b"") == expected[-1:] and not pair.server.unread


def test_an_aggregate_of_very_many_messages_is_cut(pair: Pair) -> None:
    pair.publishing()
    body = bytes(aac_frame_tag(b"", 0)) * (MAX_AGGREGATED + 1)
    assert len(pair.say(pair.client.message(MessageType.AGGREGATE, body, stream_id=1))) == MAX_AGGREGATED


@given(st.lists(st.tuples(st.integers(0, 25), st.binary(max_size=200)), max_size=6))
def test_garbage_in_every_kind_of_message_is_an_error_at_worst(messages: list[tuple[int, bytes]]) -> None:
    pair = Pair().publishing()
    with contextlib.suppress(ProtocolError):
        for kind, body in messages:
            pair.say(pair.client.message(kind, body, stream_id=1))


@given(st.binary(max_size=600))
def test_garbage_behind_the_handshake_is_an_error_at_worst(data: bytes) -> None:
    pair = Pair()
    pair.greet()
    with contextlib.suppress(ProtocolError):
        pair.server.receive(data)
