"""How connections get, keep and lose sessions. What a client's lists come to is in ``test_convergence.py``."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from rooms.errors import (
    AlreadyInRoom,
    Draining,
    InvalidRoomId,
    MultiRoomDisabled,
    RoomError,
    RoomFull,
    StoreUnavailable,
    TooManyRooms,
)
from rooms.events import EndReason
from tests.unit.signaling.house import House
from tests.unit.signaling.room_json.wire import Peer, World
from tests.waiting import until

WEB_OLD, WEB_1_19, WEB_2_14, MINI = (3, "1.4.0"), (3, "1.19.0"), (3, "2.14.0"), (2, "2.11.0")


async def streams(peer: Peer) -> list[tuple[int, list[str]]]:
    """Stream pushes that are there: command and stream ids."""
    frames = [frame["body"] for frame in await peer.quiet() if frame["header"]["cmd"] == "push_stream_update"]
    return [(body["stream_cmd"], [entry.get("stream_id", "") for entry in body["stream_info"]]) for body in frames]


@pytest.mark.parametrize("client", [WEB_OLD, WEB_2_14, MINI])
async def test_resume_keeps_the_ids_and_nobody_else_notices(client: tuple[int, str]) -> None:
    async with World() as world:
        watcher, peer = world.peer(), world.peer(*client)
        await watcher.enter("w", "r")
        first = await peer.enter("a", "r")
        await watcher.quiet()
        await peer.lose()
        again = peer.again()
        second = await again.login("a")
        assert [second[key] for key in ("user_id", "session_id", "room_session_id")] == [
            first[key] for key in ("user_id", "session_id", "room_session_id")
        ]
        assert await watcher.quiet() == []


async def test_miniprogram_is_caught_up_by_pushes_and_web_by_the_lists_in_the_answer() -> None:
    async with World() as world:
        owner = world.house.join("r", "o")
        world.house.publish(owner, "stays", "1")
        world.house.publish(owner, "goes")
        mini, web = world.peer(*MINI), world.peer(*WEB_2_14)
        await mini.enter("m", "r")
        await web.enter("w", "r")
        await mini.lose()
        await web.lose()
        world.house.unpublish(owner, "goes")
        world.house.publish(owner, "comes")
        world.house.update(owner, "stays", "2")
        mini, web = mini.again(), web.again()
        await mini.login("m")
        assert await streams(mini) == [(12002, ["goes"]), (12001, ["comes"]), (12003, ["stays"])]
        assert {entry["stream_id"] for entry in (await web.login("w"))["stream_info"]} == {"stays", "comes"}
        assert await streams(web) == []


async def test_nothing_happened_while_away() -> None:
    async with World() as world:
        world.house.publish(world.house.join("r", "o"), "s")
        mini = world.peer()
        await mini.enter("m", "r")
        await mini.lose()
        mini = mini.again()
        await mini.login("m")
        assert await streams(mini) == []


async def test_removal_that_may_not_have_arrived_is_told_again_until_a_heartbeat_proves_it() -> None:
    async with World() as world:
        owner = world.house.join("r", "o")
        mini = world.peer()
        await mini.enter("m", "r")
        world.house.publish(owner, "s")
        world.house.unpublish(owner, "s")
        # This answer and what was pushed before it are proven only by the heartbeat after it.
        world.clock.now += 30_000
        await mini.reply("hb")
        await mini.lose()
        mini = mini.again()
        await mini.login("m")
        assert await streams(mini) == [(12002, ["s"])]
        for _ in range(2):
            world.clock.now += 30_000
            await mini.reply("hb")
        await mini.lose()
        mini = mini.again()
        await mini.login("m")
        assert await streams(mini) == []


async def test_more_changes_than_can_be_remembered_make_the_client_ask() -> None:
    async with World() as world:
        owner = world.house.join("r", "o")
        mini = world.peer()
        await mini.enter("m", "r")
        for n in range(257):
            world.house.publish(owner, f"s{n}")
            world.house.unpublish(owner, f"s{n}")
        await mini.lose()
        mini = mini.again()
        await mini.login("m")
        assert await streams(mini) == [(12003, [""])]


async def test_unknown_wire_state_makes_a_miniprogram_ask_for_its_list() -> None:
    # The poke of miniprogram-2.11.0.md §5.4, and the list as a push for one that cannot ask any more.
    async with World() as world:
        world.house.publish(world.house.join("r", "o"), "s")
        mini, web = world.peer(*MINI), world.peer(*WEB_2_14)
        await mini.enter("m", "r")
        await web.enter("w", "r")
        await mini.lose()
        await web.lose()
        world.house.forget_told()
        mini, web = mini.again(), web.again()
        await mini.login("m")
        poke = await mini.push("push_stream_update")
        assert (poke["stream_cmd"], poke["stream_seq"], poke["stream_info"]) == (12003, -1, [{}])
        assert await streams(mini) == [(12001, ["s"]), (12003, ["s"])]
        await web.login("w")
        assert await streams(web) == []


async def test_expired_session_becomes_a_new_one() -> None:
    async with World() as world:
        mini = world.peer()
        first = await mini.enter("m", "r")
        await mini.lose()
        world.house.end(world.house.session(int(first["session_id"])), EndReason.LOST)
        mini = mini.again()
        second = await mini.login("m")
        assert second["session_id"] != first["session_id"]
        # SDK 2.11.0 learns a new user_id only after it has seen, and dropped, what follows the answer.
        assert second["user_id"] == first["user_id"]
        assert (await mini.push("push_stream_update"))["stream_seq"] == -1


async def test_login_with_session_0_after_a_refused_relogin_is_no_fresh_client() -> None:
    # The SDK goes on with "0" but keeps its room, and so its old list (§13.2).
    async with World() as world:
        mini = world.peer()
        await mini.enter("m", "r")
        await mini.lose()
        mini = mini.again()
        mini.header |= {"session_id": "0", "room_session_id": "0"}
        await mini.login("m")
        assert (await mini.push("push_stream_update"))["stream_seq"] == -1


async def test_login_after_logout_is_a_fresh_client() -> None:
    async with World() as world:
        mini = world.peer()
        mini.header |= {"user_id": ""}
        await mini.login("m")
        assert await streams(mini) == []


async def test_login_again_on_the_same_socket() -> None:
    # Unanswered heartbeats make the SDK do that (§4).
    async with World() as world:
        watcher, mini = world.peer(), world.peer()
        await watcher.enter("w", "r")
        first = await mini.enter("m", "r")
        await watcher.quiet()
        assert (await mini.login("m"))["session_id"] == first["session_id"]
        assert (await mini.reply("hb"))["err_code"] == 0
        assert mini.socket.closed is None
        assert await watcher.quiet() == []


async def test_fresh_login_on_the_same_socket_does_not_kick_itself() -> None:
    # A login that stays unanswered is repeated on the open socket (§3.3).
    async with World() as world:
        mini = world.peer()
        first = await mini.enter("m", "r")
        mini.header |= {"session_id": "0", "user_id": ""}
        second = await mini.login("m")
        assert second["session_id"] != first["session_id"]
        assert not [frame for frame in await mini.quiet() if frame["header"]["cmd"] == "push_kickout"]


async def test_session_taken_over_closes_the_older_socket_without_a_word() -> None:
    async with World() as world:
        watcher, old = world.peer(), world.peer()
        await watcher.enter("w", "r")
        await old.enter("m", "r")
        await watcher.quiet()
        new = old.again()
        await new.login("m")
        assert (await old.ended())[0] == 1000
        assert not [frame for frame in old.rest() if frame["header"]["cmd"] == "push_kickout"]
        assert (await new.reply("hb"))["err_code"] == 0
        assert await watcher.quiet() == []


@pytest.mark.parametrize(("reason", "code"), [(EndReason.REPLACED, 1), (EndReason.KICKED, 2), (EndReason.ROOM_CLOSED, 2)])
async def test_client_that_was_kicked_while_away_learns_it_when_it_comes_back(reason: EndReason, code: int) -> None:
    async with World() as world:
        mini = world.peer()
        first = await mini.enter("m", "r")
        await mini.lose()
        world.house.end(world.house.session(int(first["session_id"])), reason)
        mini = mini.again()
        answer = await mini.login("m")
        assert answer["session_id"] == first["session_id"]
        kick = await mini.push("push_kickout")
        assert (kick["reason"], kick["session_id"]) == (code, first["session_id"])
        assert world.house.session_of("r", "m") is None


async def test_client_whose_token_ran_out_while_away_learns_it() -> None:
    async with World() as world:
        mini = world.peer()
        first = await mini.enter("m", "r")
        await mini.lose()
        world.house.end(world.house.session(int(first["session_id"])), EndReason.TOKEN_EXPIRED)
        assert (await mini.again().login("m"))["err_code"] == 1010


@pytest.mark.parametrize(("client", "bad", "expired"), [
    (MINI, 1000002002, 1010), (WEB_2_14, 1000002002, 1010), (WEB_1_19, 1000002002, 1010),
    # Does not know 1000002002 (its source).
    (WEB_OLD, 1008, 1010), ((3, "1.12.0"), 1008, 1010),
])  # fmt: skip
async def test_refused_tokens(client: tuple[int, str], bad: int, expired: int) -> None:
    async with World() as world:
        peer = world.peer(*client)
        assert (await peer.login("a", token="bad"))["err_code"] == bad
        assert (await peer.login("a", token="expired"))["err_code"] == expired
        assert world.house.sessions == {}


@pytest.mark.parametrize(("fault", "client", "code"), [
    (RoomFull("full"), MINI, 1000001105),
    (TooManyRooms("five"), MINI, 1000005022),
    (MultiRoomDisabled("no"), MINI, 1000001016),
    (AlreadyInRoom("there"), MINI, 1006),
    (InvalidRoomId("room_id", "letters"), MINI, 1000000002),
    # SDKs go on trying on these, and on no other (§13.1; web 1.4.0 from its source).
    (StoreUnavailable("away"), MINI, 1100040001),
    (StoreUnavailable("away"), WEB_OLD, 1002),
    (RuntimeError("a fault"), MINI, 1000000001),
])  # fmt: skip
async def test_refused_logins(fault: RoomError, client: tuple[int, str], code: int) -> None:
    async with World() as world:
        peer = world.peer(*client)
        world.house.fault = fault
        answer = await peer.login("a")
        assert answer["err_code"] == code
        assert "a fault" not in answer["err_message"]
        # The same socket may try again.
        assert (await peer.login("a"))["err_code"] == 0


async def test_login_at_a_node_that_stops_is_refused_and_sent_elsewhere() -> None:
    async with World() as world:
        peer = world.peer(*WEB_2_14)
        world.house.fault = Draining("soon gone")
        assert (await peer.login("a"))["err_code"] == 1100040001
        # SDKs take the next of their servers only for a new socket.
        assert await peer.ended() == (1012, "the server restarts")


# --- several rooms (§12)


async def rooms(world: World, *names: str) -> Peer:
    peer = world.peer()
    first, *further = names
    await peer.enter("m", first, login_logic=3)
    main = dict(peer.header)
    for name in further:
        peer.header |= {"session_id": "0", "room_session_id": "0"}
        await peer.enter("m", name, cmd="enter", login_logic=3)
    peer.last_room = dict(peer.header)
    peer.header = main
    return peer


def further(peer: Peer) -> dict[str, Any]:
    """Header of the room entered last."""
    return dict(peer.last_room)


async def test_rooms_have_sessions_of_their_own_and_one_user_id() -> None:
    async with World() as world:
        peer = await rooms(world, "r", "r2")
        assert further(peer)["user_id"] == peer.header["user_id"]
        assert further(peer)["session_id"] != peer.header["session_id"]
        assert (await peer.reply("hb"))["err_code"] == 0
        assert (await peer.reply("hb", **further(peer)))["err_code"] == 0
        world.house.join("r2", "o")
        assert (await peer.push("push_userlist_update"))["room_id"] == "r2"


async def test_quit_leaves_one_room_and_logout_all() -> None:
    async with World() as world:
        peer = await rooms(world, "r", "r2")
        assert (await peer.reply("quit", {"reserve": 0}))["err_code"] == 0
        assert [s.room_id for s in world.house.sessions.values()] == ["r2"]
        assert (await peer.reply("hb", **further(peer)))["err_code"] == 0
        await peer.lose()
    async with World() as world:
        peer = await rooms(world, "r", "r2", "r3")
        await peer.reply("logout", {"reserve": 0, "login_logic": 3})
        assert world.house.sessions == {}


async def test_main_room_changes_when_it_is_quit() -> None:
    async with World() as world:
        peer = await rooms(world, "r", "r2")
        await peer.reply("quit")
        await peer.lose()
        again = peer.again()
        again.header = further(peer)
        answer = await again.login("m", "r2", login_logic=3)
        assert answer["session_id"] == further(peer)["session_id"]


async def test_kick_from_one_of_several_rooms_leaves_the_others() -> None:
    async with World() as world:
        peer = await rooms(world, "r", "r2")
        world.house.end(world.house.session(int(further(peer)["session_id"])), EndReason.KICKED)
        assert (await peer.push("push_kickout"))["protocol"] != 1
        assert (await peer.reply("hb"))["err_code"] == 0


async def test_further_rooms_come_back_with_the_first_and_are_entered_at_their_next_heartbeat() -> None:
    # SDK 2.11.0 logs in to its first room only after a quick reconnect (§15 no. 17).
    async with World() as world:
        owner = world.house.join("r2", "o")
        peer = await rooms(world, "r", "r2")
        await peer.lose()
        world.house.publish(owner, "s")
        world.house.join("r2", "p")
        again = peer.again()
        await again.login("m", login_logic=3)
        push = await again.push("push_stream_update")
        assert [entry["stream_id"] for entry in push["stream_info"]] == ["s"]
        await world.house.send_broadcast(owner, "hello")
        assert (await again.push("push_im_chat"))["chat_data"][0]["msg_content"] == "hello"
        assert (await again.reply("hb", **further(peer)))["err_code"] == 1000000105
        again.header = further(peer)
        entered = await again.login("m", "r2", cmd="enter", login_logic=3)
        assert entered["session_id"] == further(peer)["session_id"]
        users = await again.reply("user_list", {"user_index": 0})
        assert {user["id_name"] for user in users["user_baseinfos"]} == {"m", "o", "p"}
        assert (await again.reply("hb"))["err_code"] == 0
        assert await streams(again) == []


async def test_further_rooms_of_another_node_are_entered_at_their_next_heartbeat() -> None:
    async with World() as world:
        peer = await rooms(world, "r", "r2")
        await peer.lose()
        world.sockets.take_lost(world.house.session(int(peer.header["session_id"])).login_id)
        again = peer.again()
        await again.login("m", login_logic=3)
        assert (await again.reply("hb", **further(peer)))["err_code"] == 1000000105
        again.header = further(peer)
        assert (await again.login("m", "r2", cmd="enter", login_logic=3))["session_id"] == further(peer)["session_id"]


async def test_entering_without_a_login_is_refused() -> None:
    async with World() as world:
        assert (await world.peer().login("m", cmd="enter", login_logic=3))["err_code"] == 1006


# --- the end


async def test_drain_answers_what_came_and_lets_the_sessions_wait() -> None:
    async with World() as world:
        peers = [world.peer() for _ in range(3)]
        for n, peer in enumerate(peers):
            await peer.enter(f"u{n}", "r")
            peer.rest()
        seqs = [peer.request("hb") for peer in peers]
        await world.sockets.drain()
        for peer, seq in zip(peers, seqs, strict=True):
            assert seq in [frame["header"]["seq"] for frame in peer.rest()]
            assert (await peer.ended())[0] == 1012
        assert len(world.house.told) == 3 and len(world.house.sessions) == 3


async def test_client_that_goes_while_it_is_being_closed_is_no_fault() -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with World() as world:
        peer = world.peer()
        await peer.enter("a", "r")
        peer.socket.gone = True
        await world.sockets.drain()
        await peer.lose()
    gc.collect()
    assert faults == []


async def test_connection_without_a_login_is_closed() -> None:
    async with World() as world:
        silent, busy = world.peer(), world.peer()
        await busy.enter("a", "r")
        await until(lambda: world.sockets.connections == 2)
        world.clock.now += 30_000
        world.sockets.close_idle()
        assert (await silent.ended())[0] == 1008
        assert (await busy.reply("hb"))["err_code"] == 0
        await busy.reply("logout")
        world.sockets.close_idle()
        assert busy.socket.closed is None
        world.clock.now += 30_000
        world.sockets.close_idle()
        assert (await busy.ended())[0] == 1008


async def test_socket_lost_during_a_login_leaves_a_waiting_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with World() as world:
        go = asyncio.Event()
        login = House.login

        async def slow(*args: object) -> object:
            await go.wait()
            return await login(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(world.house, "login", lambda *args: slow(world.house, *args))
        peer = world.peer()
        peer.request("login", peer.login_body("a"))
        peer.socket.cut()
        await until(lambda: world.sockets.connections == 1)
        go.set()
        await peer.lose()
        assert list(world.house.told) == list(world.house.sessions) and len(world.house.told) == 1


async def test_heartbeat_is_answered_while_a_slow_request_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    # An unanswered heartbeat at a re-login ends in DISCONNECTED on SDK 2.11.0 (§15 no. 5).
    async with World() as world:
        go = asyncio.Event()
        peer = world.peer()
        await peer.enter("a", "r")

        async def slow(*args: object) -> list[str]:
            await go.wait()
            return []

        monkeypatch.setattr(world.house, "play_urls", slow)
        waiting = peer.request("stream_url", {"stream_ids": ["s"]})
        assert (await peer.reply("hb"))["err_code"] == 0
        go.set()
        assert (await peer.frame())["header"]["seq"] == waiting
