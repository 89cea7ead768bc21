"""Sessions of the first style, as web SDK 1.4.0 … 2.5.0 open them: TURN server, offer, answer, candidates, strictly in this order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.settings import CallSettings
from media.answer import Transport, write_answer
from media.errors import MediaFull, SdpRefused
from media.negotiation import sink_format
from media.offer import parse_offer
from rooms.model import Grant
from signaling.media_endings import MediaResult
from signaling.media_json.first_style import candidate_infos, turn_server
from tests.unit.calls.fakes import House
from tests.unit.media import offers
from tests.unit.signaling.media_json.client import Client

PUBLISH, PLAY = 0, 1
TURN = "turn:192.0.2.1:3478?transport=udp"
UDP, TCP, SECOND = "turn:a:3478?transport=udp", "turn:a:3478?transport=tcp", "turn:b:3478?transport=udp"


async def create(client: Client, kind: int, stream_id: str = "s", **more: object) -> dict[str, Any]:
    body = {"type": kind, "stream_id": stream_id, "negotiate_mode": 0, "strAuthParam": "", "sdk_version": 1040, "app_id": "1234567890"}
    return await client.ask("CreateSessionReq", {**body, **more})


async def describe(client: Client, session_id: int, sdp: str = "offer") -> dict[str, Any]:
    return await client.ask("MediaDescReq", {"type": 0, "sdp": sdp, "audio_kpbs": 48, "keyframe_intv": 2}, session_id=session_id)


async def closing(client: Client, session_id: int) -> tuple[object, object]:
    push = await client.push()
    assert (push["header"]["cmd"], push["header"]["session_id"]) == ("CloseSessionPush", session_id)
    return push["body"]["reason"], json.loads(push["body"]["err_info"])["action"]


async def test_the_strict_order_of_a_publish_and_a_play() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        for client, kind, event in ((amy, PUBLISH, "PublishEventPush"), (bob, PLAY, "PlayEventPush")):
            await client.log_in()
            created = await create(client, kind)
            body = created["body"]
            number = body["session_id"]
            assert created["header"]["session_id"] == number > 0
            assert body["result"] == 0 and body["session_token"]
            assert (body["turn_server"], body["turn_username"], body["turn_auth_key"]) == (TURN, f"1:{number}", "secret")
            assert number not in house.plane.open

            answered = await describe(client, number)
            assert (answered["header"]["cmd"], answered["body"]["result"]) == ("MediaDescRsp", 0)
            assert not client.pushes
            first, second = await client.push(), await client.push()
            assert first["header"]["cmd"] == "MediaDescPush"
            assert first["body"] == {"type": 1, "sdp": "answer to offer"}
            assert second["header"]["cmd"] == "CandidateInfoPush"
            assert {first["header"]["session_id"], second["header"]["session_id"]} == {number}
            for push in (first, second):
                client.send(push["header"]["cmd"].replace("Push", "Ack"), {"result": 0}, session_id=number)

            candidate = {"infos": [{"candidate": "candidate:1 1 udp 1 192.0.2.1 2 typ relay", "sdpMid": "0", "sdpMLineIndex": 0}]}
            assert (await client.ask("CandidateInfoReq", candidate, session_id=number))["body"] == {"result": 0}
            house.calls.media_connected(number)
            assert (await client.push())["header"]["cmd"] == event
            house.calls.media_connected(number)
            await client.ask("ClientHBReq", {"session_ids": [number]})
            assert not client.pushes


async def test_a_session_is_described_once_and_only_by_its_owner() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        number = (await create(amy, PUBLISH))["body"]["session_id"]
        assert (await describe(bob, number))["body"]["result"] != 0
        assert (await amy.ask("MediaDescReq", {"type": 0}, session_id=number))["body"]["result"] != 0
        assert (await describe(amy, number))["body"]["result"] == 0
        assert (await describe(amy, number))["body"]["result"] != 0
        assert [(await amy.push())["header"]["cmd"] for _ in range(2)] == ["MediaDescPush", "CandidateInfoPush"]
        assert not bob.pushes and not amy.pushes


async def test_a_lost_socket_between_the_steps_is_replaced() -> None:
    house = House()
    session = house.rooms.enter("amy")
    async with Client(house, session) as amy:
        await amy.log_in()
        created = (await create(amy, PUBLISH))["body"]
    async with Client(house, session) as amy:
        await amy.log_in((created["session_id"], created["session_token"]))
        assert (await describe(amy, created["session_id"]))["body"]["result"] == 0


async def test_a_session_that_is_never_described_ends() -> None:
    house = House(settings=CallSettings(describe_grace=5_000))
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await create(amy, PUBLISH))["body"]["session_id"]
        await house.tick(4_999)
        assert (await amy.ask("ClientHBReq", {"session_ids": [number]}))["body"]["result"] == 0
        await house.tick(1)
        assert await closing(amy, number) == (5, 5)
        assert (await describe(amy, number))["body"]["result"] != 0


async def test_what_cannot_be_is_closed_when_the_offer_comes() -> None:
    """1.4.0 hears a CloseSessionPush only once it has made its connection, for which it needs a TURN server."""
    house = House()
    async with Client(house, house.rooms.enter("amy", grant=Grant(may_publish=False))) as amy:
        await amy.log_in()
        body = (await create(amy, PUBLISH))["body"]
        assert body["result"] == 0 and body["turn_server"] == TURN
        assert body["turn_username"] and body["turn_auth_key"]
        await amy.ask("ClientHBReq", {"session_ids": [body["session_id"]]})
        assert not amy.pushes
        assert (await describe(amy, body["session_id"]))["body"]["result"] == 0
        assert await closing(amy, body["session_id"]) == (15, 1)
        assert not house.plane.open


async def test_an_unknown_stream_is_a_result_because_it_may_come() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        body = (await create(amy, PLAY))["body"]
        assert body["result"] == 1004
        assert body["turn_server"] == ""


@pytest.mark.parametrize(("error", "expected"), [(SdpRefused("no"), (23, 1)), (MediaFull("full"), (5, 2))])
async def test_a_refused_offer_closes_the_session(error: Exception, expected: tuple[int, int]) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await create(amy, PUBLISH))["body"]["session_id"]
        house.plane.refuse = error
        assert (await describe(amy, number))["body"]["result"] != 0
        assert await closing(amy, number) == expected


async def test_without_a_turn_server_the_refusal_has_a_form_that_2_14_survives() -> None:
    house = House()
    house.plane.turn_servers = ()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        body = (await create(amy, PUBLISH))["body"]
        assert body["result"] != 0
        assert body["turn_server"] == ""


async def test_a_mistake_of_the_servers_is_a_refusal_that_the_client_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        monkeypatch.setattr(house.calls, "begin_media", breaks)
        body = (await create(amy, PUBLISH))["body"]
        assert (body["result"], body["turn_server"]) == (1, "")


async def test_nobody_begins_before_login_or_with_another_kind() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        assert (await create(amy, PUBLISH))["body"]["result"] != 0
        assert (await describe(amy, 0))["body"]["result"] != 0
        await amy.log_in()
        assert (await create(amy, 2))["body"]["result"] != 0
        assert (await amy.ask("CreateSessionReq", {"type": []}))["body"]["result"] != 0


def test_older_sdks_get_one_turn_server_and_newer_ones_all() -> None:
    assert turn_server([TCP, UDP, SECOND], 1040) == UDP
    assert turn_server([TCP, UDP, SECOND], 2170) == UDP
    assert turn_server([TCP, UDP, SECOND], 2262) == f"{UDP};{SECOND}"
    assert turn_server([TCP], 2262) == TCP


def test_candidates_are_those_of_the_answer_with_their_section() -> None:
    offer = parse_offer(offers.play_offer(), publishing=False, max_bytes=65_536)
    transport = Transport(("192.0.2.1", "2001:db8::1"), 7000, "ufrag", "p" * 24, "AA:BB")
    answer = write_answer(offer, transport, session_id=1, format=sink_format(offer, ssrc=2, cname="c"), track=None)
    infos = candidate_infos(answer)
    assert [info.candidate.split()[4:6] for info in infos] == [["192.0.2.1", "7000"], ["2001:db8::1", "7000"]]
    assert {(info.sdp_mid, info.sdp_m_line_index) for info in infos} == {(offer.media[offer.audio].mid, offer.audio)}


@given(st.text())
def test_candidates_of_any_text(answer: str) -> None:
    candidate_infos(answer)


@pytest.mark.parametrize(("version", "action"), [("1.4.0", 2), ("1.19.0", 2), ("2.5.0", 6)])
async def test_a_client_is_sent_for_another_address_in_the_way_it_knows(version: str, action: int) -> None:
    """Action 6 (ask the room again) is unknown to 1.x, which gives up on it; 2 takes the next address of the room's answer."""
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in(version=version)
        number = (await create(amy, PUBLISH))["body"]["session_id"]
        await describe(amy, number)
        assert [(await amy.push())["header"]["cmd"] for _ in range(2)] == ["MediaDescPush", "CandidateInfoPush"]
        house.calls.aclose()
        assert await closing(amy, number) == (5, action)


async def test_a_stream_of_another_node_is_asked_for_again_but_by_those_who_cannot_be_sent_there() -> None:
    house = House()
    house.rooms.elsewhere(house.rooms.enter("far"), "s")
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("old")) as old:
        await amy.log_in(version="2.5.0")
        number = (await create(amy, PLAY))["body"]["session_id"]
        await describe(amy, number)
        assert await closing(amy, number) == (5, 6)
        await old.log_in(version="1.4.0")
        # The other node is asked, which does not answer here.
        assert (await create(old, PLAY))["body"]["result"] == MediaResult.NO_CAPACITY


async def test_a_client_that_drops_its_first_error_is_refused_twice() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy", grant=Grant(may_publish=False))) as amy:
        await amy.log_in(version="1.4.0")
        for expected in ((5, 5), (15, 1), (5, 5), (15, 1)):
            number = (await create(amy, PUBLISH))["body"]["session_id"]
            await describe(amy, number)
            assert await closing(amy, number) == expected
