"""What a client must not do: speak for others, send rubbish, ask too much, not listen. Nothing of it may stay behind."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from structlog.testing import capture_logs

from signaling.refusals import Kind
from tests.unit.signaling.house import APP
from tests.unit.signaling.room_json.wire import Peer, Socket, World
from tests.waiting import until

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("hb", {}), ("user_list", {}), ("stream_info", {}), ("trans_fetch", {"fetch_array": []}), ("logout", {}), ("quit", {}),
    ("stream", {"sub_cmd": 2001, "stream_msg": '{"stream_id":"s"}'}), ("stream_publish", {"stream_id": "s"}),
    ("stream_url", {"stream_ids": ["s"]}), ("webrtc_url", {"stream_id": "s", "ptype": "push"}), ("im_chat", {"msg_content": "x"}),
    ("bigim_chat", {"msgs": [{"msg_content": "x"}]}), ("custommsg", {"dest_id_name": [], "custom_msg": "{}"}),
    ("trans", {"trans_type": "k", "trans_data": "v"}), ("renew_token", {"token": "token"}), ("biz_channel", {"channel": "media"}),
    ("relay", {}),
]  # fmt: skip


@pytest.mark.parametrize(("cmd", "body"), COMMANDS)
async def test_nothing_is_done_before_a_login(cmd: str, body: dict[str, Any]) -> None:
    async with World() as world:
        answer = await world.peer().reply(cmd, body)
        assert answer["err_code"] == (1000000105 if cmd == "hb" else 1006)
        assert (world.house.sessions, world.house.streams, world.house.left) == ({}, {}, [])


@pytest.mark.parametrize("forged", [
    {"session_id": "victim"}, {"session_id": "0"}, {"session_id": None}, {"user_id": "victim"}, {"user_id": None}, {"room_id": "r2"},
    {"appid": APP + 1}, {"session_id": "victim", "user_id": "victim"},
])  # fmt: skip
@pytest.mark.parametrize(("cmd", "body"), COMMANDS)
async def test_nobody_acts_for_another_session(cmd: str, body: dict[str, Any], forged: dict[str, Any]) -> None:
    async with World() as world:
        victim, attacker = world.peer(), world.peer()
        await victim.enter("v", "r")
        await attacker.enter("a", "r")
        await victim.quiet()
        header = {key: victim.header.get(key) if value == "victim" else value for key, value in forged.items()}
        answer = await attacker.reply(cmd, body, **header)
        assert answer["err_code"] == (1000000105 if cmd == "hb" else 1006)
        assert len(world.house.sessions) == 2 and world.house.streams == {}
        assert await victim.quiet() == []


async def test_a_connection_stays_its_users() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a", "r")
        for header, user in (({"session_id": "0"}, "b"), ({}, "b"), ({"appid": APP + 1}, "a")):
            assert (await peer.reply("login", peer.login_body(user), **header))["err_code"] == 1006
        assert (await peer.reply("enter", peer.login_body("b"), session_id="0", room_id="r2"))["err_code"] == 1006
        assert [s.user_id for s in world.house.sessions.values()] == ["a"]
        assert (await peer.reply("hb"))["err_code"] == 0
        await peer.reply("logout")
        # Free again.
        peer.header |= {"session_id": "0", "user_id": ""}
        assert (await peer.login("b"))["err_code"] == 0


@pytest.mark.parametrize(("text", "code"), [
    ("", 1007), ("rubbish", 1007), ("[]", 1007), ('{"header":{"cmd":"hb"}}', 1007), ("[" * 1000, 1007), ("x" * 2001, 1009),
])  # fmt: skip
async def test_what_cannot_be_answered_closes_the_connection_with_a_reason(text: str, code: int) -> None:
    async with World(frame_size=2000) as world:
        watcher, peer = world.peer(), world.peer()
        await watcher.enter("w", "r")
        await peer.enter("a", "r")
        await watcher.quiet()
        with capture_logs() as logs:
            peer.socket.put(text)
            closed = await peer.ended()
        assert closed[0] == code and closed[1]
        assert len(closed[1].encode()) <= 123
        assert [entry["event"] for entry in logs if entry["log_level"] == "info"] == ["room_socket_refused"]
        # Its session waits as after any loss: nobody else notices.
        assert await watcher.quiet() == []
        assert len(world.house.told) == 1


async def test_binary_frames_close_the_connection() -> None:
    async with World() as world:
        peer = world.peer()
        peer.socket.put_bytes(b"{}")
        assert (await peer.ended())[0] == 1003


async def test_broken_requests_are_answered_and_the_connection_lives() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a", "r")
        with capture_logs() as logs:
            assert (await peer.reply("im_chat", {"msg_content": 5}))["err_code"] == 1
        assert [entry["event"] for entry in logs] == ["room_request_refused"]
        assert (await peer.reply("stream", {"sub_cmd": 2001, "stream_msg": "not json"}))["err_code"] == 1
        assert (await peer.reply("stream", {"sub_cmd": 2001, "stream_msg": "{}"}))["err_code"] == 1
        assert (await peer.reply("hb"))["err_code"] == 0


async def test_tokens_are_not_logged() -> None:
    async with World() as world:
        peer = world.peer()
        with capture_logs() as logs:
            await peer.login("a", token="bad")
            await peer.reply("login", peer.login_body("a", token=["secret-token"]))
            await peer.login("a", token="secret-token")
            await peer.reply("renew_token", {"token": "secret-token"})
        assert "secret-token" not in repr(logs)
        assert peer.header["session_id"] not in repr(logs)


# --- asking too much


async def test_floods_are_refused_then_closed() -> None:
    async with World(commands_per_second=10, command_burst=20, refusals_before_close=5) as world:
        peer = world.peer()
        await peer.enter("a", "r")
        for _ in range(18):
            assert (await peer.reply("relay"))["err_code"] == 1000000009
        assert (await peer.reply("relay"))["err_code"] == 1000000207
        # Heartbeats are counted apart (§15 no. 18).
        assert (await peer.reply("hb"))["err_code"] == 0
        world.clock.now += 1000
        for _ in range(10):
            assert (await peer.reply("relay"))["err_code"] == 1000000009
        for _ in range(6):
            peer.request("relay")
        assert await peer.ended() == (1008, "too many requests")


async def test_extra_heartbeats_are_answered() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a", "r")
        for _ in range(15):
            assert (await peer.reply("hb"))["err_code"] == 0


async def test_requests_wait_in_line_and_not_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    async with World(waiting_commands=4, command_burst=100) as world:
        peer = world.peer()
        await peer.enter("a", "r")
        order: list[str] = []
        send = world.house.send_broadcast

        async def note(session: Any, content: str, **how: Any) -> Any:
            order.append(content)
            return await send(session, content, **how)

        monkeypatch.setattr(world.house, "send_broadcast", note)
        for n in range(40):
            peer.request("im_chat", {"msg_content": str(n)})
        await until(lambda: len(order) == 40)
        assert order == [str(n) for n in range(40)]


# --- not listening


async def test_client_that_does_not_read_is_closed_and_its_session_waits() -> None:
    async with World(outbox_frames=10) as world:
        talker, deaf = world.peer(), world.peer()
        await talker.enter("t", "r")
        await deaf.enter("d", "r")
        deaf.socket.writable.clear()
        with capture_logs() as logs:
            for _ in range(13):
                await talker.reply("im_chat", {"msg_content": "hello"})
            await until(lambda: world.sockets.connections == 1)
        assert "room_socket_not_read" in [entry["event"] for entry in logs]
        assert len(world.house.told) == 1
        assert (await talker.reply("hb"))["online_count"] == 2


async def test_client_that_reads_slowly_gets_everything_in_order() -> None:
    async with World() as world:
        talker, slow = world.peer(), world.peer()
        await talker.enter("t", "r")
        await slow.enter("s", "r")
        await slow.quiet()
        rng = random.Random(5)
        for n in range(60):
            if rng.random() < 0.5:
                slow.socket.writable.clear()
            else:
                slow.socket.writable.set()
            await talker.reply("im_chat", {"msg_content": str(n)})
        slow.socket.writable.set()
        contents = [(await slow.push("push_im_chat"))["chat_data"][0]["msg_content"] for _ in range(60)]
        assert contents == [str(n) for n in range(60)]


async def test_pushes_are_written_without_a_task_of_their_own() -> None:
    async with World() as world:
        talker, other = world.peer(), world.peer()
        await talker.enter("t", "r")
        await other.enter("o", "r")
        await other.quiet()
        before = len(other.socket.sent)
        world.house.join("r", "x")
        # Synchronously: nothing has yielded to the event loop since.
        assert len(other.socket.sent) == before + 1


async def test_answer_and_kick_reach_the_client_before_its_socket_is_closed() -> None:
    async with World(refusals_before_close=0, command_burst=2, commands_per_second=1) as world:
        peer = world.peer()
        await peer.enter("a", "r")
        peer.socket.writable.clear()
        seq = peer.request("hb")
        peer.request("relay")
        await until(lambda: peer.world.sockets.requests["hb", Kind.OK] == 1)
        peer.socket.writable.set()
        assert (await peer.ended())[0] == 1008
        assert seq in [frame["header"]["seq"] for frame in peer.rest()]


def mutated(rng: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(characters))
        characters[place : place + rng.randint(0, 3)] = rng.choice(['"', "{", "}", ",", "0", "null", "\u0000", "1e999", "é", ""])
    return "".join(characters)


async def test_random_frames_never_end_in_a_fault() -> None:
    rng = random.Random(20)
    async with World(command_burst=100_000, refusals_before_close=100_000) as world:
        watcher = world.peer()
        await watcher.enter("w", "r")
        peer: Peer | None = None
        with capture_logs() as logs:
            for _ in range(500):
                if peer is None or peer.socket.closed is not None:
                    peer = world.peer()
                    await peer.enter("a", "r")
                cmd, body = rng.choice([*COMMANDS, ("login", peer.login_body("a")), ("enter", peer.login_body("a"))])
                frame = {"header": {"cmd": cmd, "appid": APP, "seq": 1, **peer.header}, "body": body}
                peer.socket.put(mutated(rng, json.dumps(frame)))
                await watcher.reply("hb")
        assert not [entry for entry in logs if entry["log_level"] in ("error", "warning")]


def test_socket_of_the_tests_is_one_of_the_dialects() -> None:
    from signaling.socket import SocketLike

    socket: SocketLike = Socket()
    assert socket.scope == {}
