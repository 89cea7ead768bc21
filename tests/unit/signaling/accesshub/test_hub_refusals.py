"""Bad input: the protocol's own error or a clean close, and nothing left behind."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from signaling.accesshub.frames import MessageType, frame_header
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms import older_rooms
from signaling.accesshub.rooms.codec import BODIES
from tests.unit.signaling.accesshub.samples import SAMPLES
from tests.unit.signaling.accesshub.wire import Peer, World, switch_payload
from tests.unit.signaling.house import APP

HEARTBEAT = frame_header(MessageType.HEARTBEAT_REQUEST, 5, 2) + b"\x08\x01"


async def exception(peer: Peer, stream: int) -> pb.AhPushException:
    return pb.AhPushException.FromString(await peer.answer(MessageType.PUSH_EXCEPTION, stream))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 1007),
        (b"\xaf", 1007),
        (b"\xac" + HEARTBEAT[1:], 1007),
        (HEARTBEAT[:-1], 1007),
        (HEARTBEAT + b"\0", 1007),
        (frame_header(MessageType.HEARTBEAT_REQUEST, 5, 5000) + b"\0" * 5000, 1009),
    ],
    ids=["empty", "one byte", "another magic", "too short", "too long", "huge"],
)
async def test_what_is_no_frame_closes_the_connection_with_a_reason(data: bytes, code: int) -> None:
    async with World(frame_size=4096) as world:
        watcher, peer = world.peer(), world.peer()
        await watcher.enter("w")
        await peer.enter("a")
        peer.socket.put_bytes(data)
        assert (await peer.ended())[0] == code
        last = peer.rest()[-1]
        assert last.type == MessageType.CLOSE_CONNECTION
        said = pb.AhCloseConnection.FromString(last.body)
        assert (said.reason, said.action) == (20000, 4)
        assert peer.session_id in world.house.told  # its session waits as after any lost socket
        assert (await watcher.reply(301005, pb.LrHbReq())).rsp_head.code == 0


async def test_text_frames_close_the_connection() -> None:
    async with World() as world:
        peer = world.peer()
        peer.socket.put("{}")
        assert (await peer.ended())[0] == 1003


async def test_unknown_types_and_unreadable_bodies_are_answered_with_their_number() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(99, 3, pb.AhHBRequest(txid=4))
        unknown = await exception(peer, 3)
        assert (unknown.reason, unknown.txid) == (20003, 4)
        peer.socket.put_bytes(frame_header(MessageType.GET_CONFIG_REQUEST, 3, 3) + b"\xff\xff\xff")
        unreadable = await exception(peer, 3)
        assert (unreadable.reason, unreadable.txid) == (20004, 0)
        assert unreadable.HasField("txid")
        assert (await peer.enter("a")).rsp_head.code == 0


async def test_services_that_are_not_offered_are_refused() -> None:
    async with World() as world:
        peer = world.peer()
        for service in (0, 9):
            peer.send(17, 13, pb.AhPCUpwardMessage(txid=6, service_no=service, ack=True, payload=b"x"))
            refused = await exception(peer, 13)
            assert (refused.reason, refused.txid) == (20010, 6)


async def test_a_stream_id_used_again_for_another_service_ends_the_channel_that_had_it() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        peer.send(17, peer.stream, pb.AhPCUpwardMessage(txid=6, service_no=9, payload=b"x"))
        assert (await exception(peer, peer.stream)).reason == 20010
        assert world.hubs.sessions == 0 and peer.session_id in world.house.told


async def test_payloads_that_cannot_be_read_harm_nobody() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        good = switch_payload(301005, 1, peer.context_key, pb.LrHbReq())
        for payload in (b"", b"\x21" + good[1:], good[:-1], good + b"x", good[:7] + b"\xff" + good[8:]):
            peer.send(17, peer.stream, pb.AhPCUpwardMessage(payload=payload))
        assert (await peer.reply(301005, pb.LrHbReq())).rsp_head.code == 0


async def test_unreadable_body_of_a_known_command_is_refused() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        payload = switch_payload(303001, 77, peer.context_key, pb.LrHbReq())
        payload = payload[:3] + (3).to_bytes(4) + payload[7:] + b"\xff\xff\xff"
        peer.send(17, peer.stream, pb.AhPCUpwardMessage(payload=payload))
        answer = await peer.payload()
        assert (answer.header.cmd, answer.header.seq) == (303002, 77)
        assert pb.LrCommonRsp.FromString(answer.body).rsp_head.code == 200003


@pytest.mark.parametrize("command", sorted(BODIES))
async def test_empty_requests_of_every_command_are_answered(command: int) -> None:
    """Missing sub-messages and fields, with a login and without."""
    with capture_logs() as logs:
        async with World() as world:
            peer = world.peer()
            await peer.reply(command, BODIES[command](), context_key=0)
            await peer.enter("a")
            await peer.reply(command, BODIES[command]())
    assert not [entry for entry in logs if entry["log_level"] in ("error", "warning")]


async def test_a_flood_is_refused_and_then_disconnected() -> None:
    async with World(commands_per_second=1, command_burst=3, refusals_before_close=2) as world:
        peer = world.peer()
        for _ in range(10):
            peer.send(14, 3, pb.AhGetConfigRequest(txid=1, appid=APP))
        assert (await peer.ended())[0] == 1008
        kinds = [frame.type for frame in peer.rest()]
        assert kinds[:3] == [15, 15, 15] and set(kinds[3:]) == {MessageType.PUSH_EXCEPTION}


async def test_client_that_does_not_read_is_closed_and_its_session_waits() -> None:
    async with World(outbox_frames=4) as world:
        peer = world.peer()
        await peer.enter("a")
        host = world.house.join("r", "host")
        await peer.push(10001)
        peer.socket.writable.clear()
        for number in range(10):
            world.house.publish(host, f"s{number}")
        await peer._task
        assert peer.session_id in world.house.told
        peer.socket.writable.set()


def _frames() -> st.SearchStrategy[bytes]:
    """Anything: noise, frames with noise in them, captured ones with a byte changed."""
    kinds = st.sampled_from([*MessageType, 99])
    noise = st.binary(max_size=40)
    streams = st.sampled_from([3, 9, 2**32 - 1])
    framed = st.builds(lambda kind, stream, body: frame_header(kind, stream, len(body)) + body, kinds, streams, noise)
    upward = st.builds(
        lambda stream, payload, service: _upward(stream, payload, service),
        streams,
        st.one_of(noise, _payloads()),
        st.sampled_from([0, 9, 17]),
    )
    captured = st.builds(
        _changed, st.sampled_from([sample.data for sample in SAMPLES if sample.layer == "hub"]), st.integers(0), st.integers(0, 255)
    )
    return st.one_of(noise, framed, upward, captured)


def _upward(stream: int, payload: bytes, service: int) -> bytes:
    body = pb.AhPCUpwardMessage(txid=1, service_no=service, payload=payload).SerializeToString()
    return frame_header(MessageType.PC_UPWARD_MESSAGE, stream, len(body)) + body


def _payloads() -> st.SearchStrategy[bytes]:
    captured = [sample.data for sample in SAMPLES if sample.layer == "switch" and sample.dir == "c>s"]
    changed = st.builds(_changed, st.sampled_from(captured), st.integers(0), st.integers(0, 255))
    return st.one_of(changed, st.sampled_from(captured))


def _changed(data: bytes, at: int, value: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes((value,)) + data[at + 1 :]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_frames(), max_size=12))
def test_whatever_a_client_sends_the_others_go_on_and_nothing_is_left(frames: list[bytes]) -> None:
    async def story() -> None:
        async with World() as world:
            watcher = world.peer()
            await watcher.enter("w")
            peer = world.peer()
            await peer.enter("a")
            for data in frames:
                peer.socket.put_bytes(data)
            peer.socket.put_bytes(HEARTBEAT)
            peer.socket.cut()
            await peer._task
            assert world.hubs.sessions == 1
            assert (await watcher.reply(301005, pb.LrHbReq())).rsp_head.code == 0

    with capture_logs() as logs:
        asyncio.run(story())
    assert not [entry for entry in logs if entry["log_level"] == "error"]


def older_payload(command: str, seq: int) -> bytes:
    """As web SDK 2.16.1 to 2.25.6 write it."""
    header = pb.SwOlderHeader(cmd=command, seq=seq, timestamp=1).SerializeToString() + b"\x42\x01\x00"
    return struct.pack(">BHI", 0x21, len(header), 3) + header + b"\x08\x07\x10"


async def test_rooms_of_web_2_16_to_2_25_are_refused_in_their_own_words() -> None:
    async with World() as world:
        peer = world.peer()
        with capture_logs() as logs:
            peer.send(17, 9, pb.AhPCUpwardMessage(txid=1, service_no=17, ack=True, payload=older_payload("/lr/login_room", 4)))
            downward = pb.AhPCDownwardMessage.FromString(await peer.answer(MessageType.PC_DOWNWARD_MESSAGE, 9))
        magic, length, rest = struct.unpack_from(">BHI", downward.payload)
        header = pb.SwOlderHeader.FromString(downward.payload[7 : 7 + length])
        assert (magic, header.cmd, header.seq, len(downward.payload)) == (0x21, "/lr/login_room_rsp", 4, 7 + length + rest)
        said = pb.LrCommonRsp.FromString(downward.payload[7 + length :])
        assert said.rsp_head.code == 200009 and "setAccess(false)" in said.rsp_head.message
        (line,) = [entry for entry in logs if entry["event"] == "older_rooms_refused"]
        assert "setAccess(false)" in line["reason"]
        await peer.enter("a")  # the connection is as good as before


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_any_older_payload_is_refused_or_left_alone(rest: bytes) -> None:
    answer = older_rooms.refusal(b"\x21" + rest, 1)
    assert answer is None or answer[0] == 0x21
