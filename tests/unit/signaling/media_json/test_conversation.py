"""The ``/media`` conversation as a client sees it."""

from __future__ import annotations

import json

import pytest

from calls.figures import QualityReport
from calls.settings import CallSettings
from media.errors import MediaFull, SdpRefused
from media.sfu import Lost
from rooms.events import EndReason, ReservationEnded, StreamEnd, StreamRemoved
from rooms.model import Grant
from signaling.media_endings import MediaResult
from signaling.media_json.settings import MediaSocketSettings
from tests.unit.calls.fakes import APP_ID, NOW, House
from tests.unit.signaling.media_json.client import Client
from tests.waiting import until

PUBLISH, PLAY, PROBE = 0, 1, 2


def closing(push: dict[str, object]) -> tuple[object, dict[str, object]]:
    """``reason`` and the parsed ``err_info`` of a CloseSessionPush."""
    assert push["header"]["cmd"] == "CloseSessionPush"  # type: ignore[index]
    body = push["body"]
    return body["reason"], json.loads(body["err_info"])  # type: ignore[index]


async def test_login_echoes_the_token_and_asks_for_reports() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        answer = await amy.log_in()
        assert answer["header"] == {
            "cmd": "LoginRsp",
            "appid": str(APP_ID),
            "seq": 2,
            "user_id": "amy",
            "session_id": 0,
            "version": "1.0.1",
        }
        assert answer["body"] == {
            "result": 0,
            "token": "t0ken",
            "tokenType": 1,
            "report": True,
            "report_interval_ms": 10_000,
            "negoInterval": 25_000,
        }


async def test_publish_and_play() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        published = await amy.open(PUBLISH, "s")
        number = published["body"]["session_id"]
        assert published["header"]["cmd"] == "CreateSessionWithSdpRsp"
        assert published["header"]["session_id"] == number > 0
        assert published["body"]["result"] == 0
        assert published["body"]["sdp"].startswith("answer to v=0")
        assert len(published["body"]["session_token"]) == 32
        assert published["body"]["clientip"] == "192.0.2.7"

        house.calls.media_connected(number)
        push = await amy.push()
        assert push["header"] == {
            "cmd": "PublishEventPush",
            "appid": str(APP_ID),
            "seq": house.clock() // 100 % 2**32 + 1,
            "user_id": "amy",
            "session_id": number,
            "version": "1.0.1",
        }
        assert push["body"] == {"event": 0, "stream_id": "s"}

        ack = await amy.ask("StreamStatusNotify", {"mic_status": 0, "camera_status": 2}, session_id=number)
        assert (ack["header"]["cmd"], ack["header"]["session_id"], ack["body"]) == ("StreamStatusNotifyAck", number, {"result": 0})

        player = (await bob.open(PLAY, "s"))["body"]["session_id"]
        house.calls.media_connected(player)
        event, status = await bob.push(), await bob.push()
        assert (event["header"]["cmd"], event["body"]) == ("PlayEventPush", {"event": 0, "stream_id": "s"})
        assert status["header"]["cmd"] == "StreamStatusNotifyPush"
        assert status["header"]["session_id"] == player
        assert status["body"] == {"stream_id": "s", "mic_status": 0, "camera_status": 2}
        bob.send("StreamStatusNotifyPushAck", {"result": 0}, session_id=player)

        await amy.ask("StreamStatusNotify", {"mic_status": 2, "camera_status": 2}, session_id=number)
        muted = await bob.push()
        assert muted["body"]["mic_status"] == 2
        first = event["header"]["seq"]
        assert [status["header"]["seq"], muted["header"]["seq"]] == [first + 1, first + 2]


async def test_a_player_is_told_once_that_it_plays_even_when_the_publisher_comes_back() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        player = (await bob.open(PLAY, "s"))["body"]["session_id"]
        house.calls.media_connected(player)
        await amy.ask("CloseSessionReq", {"reason": 1}, session_id=number)
        again = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        house.calls.media_connected(again)
        await amy.ask("StreamStatusNotify", {"mic_status": 0, "camera_status": 2}, session_id=again)
        assert [(await bob.push())["header"]["cmd"] for _ in range(2)] == ["PlayEventPush", "StreamStatusNotifyPush"]
        await bob.ask("ClientHBReq", {"session_ids": [player]})
        assert not bob.pushes


async def test_muting_what_one_plays_stops_its_forwarding() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "s")
        player = (await amy.open(PLAY, "s"))["body"]["session_id"]
        for active in (0, 1):
            answer = await amy.ask("ActivateAudioPlayStreamReq", {"active": active, "layer": 0}, session_id=player)
            assert (answer["header"]["cmd"], answer["body"]["result"]) == ("ActivateAudioPlayStreamRsp", 0)
            assert house.plane.forwarding == {player: bool(active)}
        answer = await amy.ask("ActivateVideoPlayStreamReq", {"active": 0, "layer": 0}, session_id=player)
        assert (answer["header"]["cmd"], answer["body"]["result"]) == ("ActivateVideoPlayStreamRsp", 0)
        assert house.plane.forwarding == {player: True}


async def test_closing_is_answered_and_may_be_repeated() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        for _ in range(2):
            answer = await amy.ask("CloseSessionReq", {"reason": 0}, session_id=number)
            assert (answer["header"]["cmd"], answer["header"]["session_id"]) == ("CloseSessionRsp", number)
            assert answer["body"] == {"result": 0}
        assert not house.plane.open and not amy.pushes


async def test_the_small_questions_get_the_answers_that_do_no_harm() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        expected = [
            ("ClientHBReq", {"session_ids": [number]}, "ClientHBRsp", {"result": 0, "hb_interval": 10_000}),
            ("CandidateInfoReq", {"infos": [{"candidate": "x", "sdpMid": "0"}]}, "CandidateInfoRsp", {"result": 0}),
            ("QualityReportReq", {"streams": []}, "QualityReportRsp", {"result": 0, "report": True, "report_interval_ms": 10_000}),
            ("Peer2PeerNetStatsGetReq", {"peer_id": 4}, "Peer2PeerNetStatsGetRsp", {"result": 0, "peer_id": 4}),
            (
                "CmdReq",
                {"peer_id": 0, "cmd_id": 6, "body": "MgQIABAB"},
                "CmdRsp",
                {"result": 0, "peer_id": 0, "cmd_id": 6, "body": "MgIIAA=="},
            ),
            ("SomethingNewReq", {"x": [1]}, "SomethingNewRsp", {"result": 0}),
            ("MediaDescUpdateReq", {"sdp": "v=0"}, "MediaDescUpdateRsp", {"result": 1}),
        ]
        for cmd, body, answer_cmd, answer_body in expected:
            answer = await amy.ask(cmd, body, session_id=number)
            assert (answer["header"]["cmd"], answer["header"]["session_id"]) == (answer_cmd, number)
            assert answer["body"] == answer_body
        # Neither answered nor objected to.
        for cmd in ("BroadcasterStatusNotify", "CloseSessionAck", "SessionResetAck", "StreamStatusNotifyPushAck", "Whatever"):
            amy.send(cmd, {"status": 1, "result": 0}, session_id=number)
        assert (await amy.ask("ClientHBReq", {"session_ids": []}))["header"]["cmd"] == "ClientHBRsp"


@pytest.mark.parametrize("kind", [PROBE, 3, -1])
async def test_other_kinds_of_session_are_refused(kind: int) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "s")
        assert (await amy.open(kind, "s"))["body"]["result"] != 0
        assert len(house.plane.open) == 1


async def test_an_unknown_stream_is_1004_until_somebody_publishes_it() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        refused = await bob.open(PLAY, "s")
        assert refused["body"]["result"] == 1004
        await amy.open(PUBLISH, "s")
        assert (await bob.open(PLAY, "s"))["body"]["result"] == 0


@pytest.mark.parametrize(("error", "result"), [(SdpRefused("no"), 105), (MediaFull("full"), 2016)])
async def test_offers_that_cannot_be_served_are_results(error: Exception, result: int) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        house.plane.refuse = error
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == result


async def refusal_of_publishing(amy: Client) -> tuple[object, dict[str, object]]:
    """The session is accepted with an answer that takes nothing, and closed at once."""
    answer = await amy.open(PUBLISH, "s")
    number = answer["body"]["session_id"]
    assert answer["body"]["result"] == 0 and "m=audio 0 " in answer["body"]["sdp"]
    push = await amy.push()
    assert push["header"]["session_id"] == number
    return closing(push)


async def test_the_second_publisher_is_told_for_good() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        first = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        assert await refusal_of_publishing(bob) == (15, {"action": 1, "err": 1011})
        assert set(house.plane.open) == {first} and not amy.pushes


async def test_who_may_not_publish_is_told_for_good() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy", grant=Grant(may_publish=False))) as amy:
        await amy.log_in()
        assert await refusal_of_publishing(amy) == (15, {"action": 1, "err": 1011})


async def test_who_has_an_expired_token_is_told_that() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy", grant=Grant(expires_at=house.clock()))) as amy:
        await amy.log_in()
        assert await refusal_of_publishing(amy) == (15, {"action": 1, "err": 1014})


async def test_a_player_of_a_stream_on_another_node_asks_for_the_address_again() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    house.rooms.elsewhere(amy, "far")
    async with Client(house, house.rooms.enter("bob")) as bob:
        await bob.log_in()
        assert (await bob.open(PLAY, "far"))["body"]["result"] == 0
        assert closing(await bob.push())[1] == {"action": 6}


async def test_a_kick_closes_the_session_for_good() -> None:
    house = House()
    session = house.rooms.enter("amy")
    async with Client(house, session) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        house.rooms.gone(session, EndReason.KICKED)
        push = await amy.push()
        assert push["header"]["session_id"] == number
        assert closing(push) == (0, {"action": 1})
        assert not house.plane.open
        # What it asks for now leads it back to the room, where it is not any more.
        await amy.open(PUBLISH, "s")
        assert closing(await amy.push())[1] == {"action": 6}


async def test_a_stream_removed_by_the_operator_is_forbidden_to_its_publisher() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "s")
        stream = house.rooms.held.pop((APP_ID, "s"))
        house.rooms.emit(APP_ID, "r", StreamRemoved(rev=1, stream=stream, reason=StreamEnd.REMOVED))
        assert closing(await amy.push()) == (15, {"action": 1, "err": 1011})


async def test_a_stream_that_was_never_announced_is_ended_for_good() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "s")
        stream = house.rooms.held.pop((APP_ID, "s"))
        house.rooms.emit(APP_ID, "r", ReservationEnded(rev=1, stream=stream))
        assert closing(await amy.push()) == (0, {"action": 1})


async def test_lost_media_makes_the_client_open_the_session_again() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        house.plane.close(number)
        house.calls.media_lost(number, Lost.IDLE.value)
        assert closing(await amy.push())[1] == {"action": 5}


async def test_a_lost_socket_is_replaced_and_its_sessions_live_on() -> None:
    house = House()
    session = house.rooms.enter("amy")
    async with Client(house, session) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        opened = (await amy.open(PUBLISH, "s"))["body"]
        player = (await bob.open(PLAY, "s"))["body"]
        house.calls.media_connected(opened["session_id"])
        house.calls.media_connected(player["session_id"])
        heard = await bob.push()
        house.clock.forward(1_000)
        bob.hang_up()
        await until(lambda: bob.server.done())
        await amy.ask("StreamStatusNotify", {"mic_status": 2, "camera_status": 2}, session_id=opened["session_id"])
        assert len(house.plane.open) == 2

        async with Client(house, bob.session) as again:
            answer = await again.log_in((player["session_id"], player["session_token"]), (99, "never was"))
            assert answer["body"]["result"] == 0
            status, reset = await again.push(), await again.push()
            assert (status["header"]["cmd"], status["body"]["mic_status"]) == ("StreamStatusNotifyPush", 2)
            assert (reset["header"]["cmd"], reset["header"]["session_id"]) == ("SessionResetPush", 0)
            # Counted on over the sockets: SDKs drop what does not rise.
            assert heard["header"]["seq"] < status["header"]["seq"] < reset["header"]["seq"]
            assert reset["body"] == {"cResetType": 1, "session_ids": [99]}
            await again.ask("ActivateAudioPlayStreamReq", {"active": 0}, session_id=player["session_id"])
            assert house.plane.forwarding == {player["session_id"]: False}


async def test_a_beat_for_a_session_that_is_gone_makes_the_client_open_it_again_once() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        for _ in range(3):
            await amy.ask("ClientHBReq", {"session_ids": [number, 5, 6]})
        await amy.ask("ClientHBReq", {"session_ids": [number]})
        assert [push["body"]["session_ids"] for push in amy.pushes] == [[5, 6]]


async def test_who_comes_back_to_an_address_whose_session_is_over_is_sent_for_a_new_one() -> None:
    house = House()
    session = house.rooms.enter("amy")
    async with Client(house, session) as amy:
        await amy.log_in()
        opened = (await amy.open(PUBLISH, "s"))["body"]
        house.rooms.gone(session, EndReason.TIMEOUT)
    async with Client(house, session) as again:
        assert (await again.log_in((opened["session_id"], opened["session_token"])))["body"]["result"] == 0
        push = await again.push()
        assert push["header"]["session_id"] == opened["session_id"]
        assert closing(push)[1] == {"action": 6}
    async with Client(house, session) as again:
        # As SDKs do that have given up their sessions but not the address.
        assert (await again.log_in())["body"]["result"] == 0
        for kind in (PUBLISH, PLAY):
            answer = await again.open(kind, "s")
            assert answer["body"]["result"] == 0 and "m=audio 0 " in answer["body"]["sdp"]
            push = await again.push()
            assert push["header"]["session_id"] == answer["body"]["session_id"]
            assert closing(push)[1] == {"action": 6}
        assert (await again.ask("CmdReq", {}))["body"]["result"] == 3
        assert not house.plane.open


async def test_who_has_come_back_to_the_room_goes_on_at_the_old_address() -> None:
    house = House()
    session = house.rooms.enter("amy")
    house.rooms.gone(session, EndReason.TIMEOUT)
    house.rooms.enter("amy")
    for version in ("1.4.0", "2.14.0"):
        async with Client(house, session) as amy:
            assert (await amy.log_in((5, "t"), token=house.token("amy"), version=version))["body"]["result"] == 0
            reset = await amy.push()
            assert (reset["header"]["cmd"], reset["body"]["session_ids"]) == ("SessionResetPush", [5])
            assert (await amy.open(PUBLISH, "s"))["body"]["sdp"].startswith("answer to v=0")


async def test_whoever_has_no_good_address_is_sent_to_the_room_and_told_nothing() -> None:
    house = House()
    session = house.rooms.enter("amy")
    for query in (f"app={APP_ID}&session={session.session_id}&key=guessed", f"app={APP_ID}&session=1&key={session.media_key}"):
        async with Client(house, session, query=query) as thief:
            assert (await thief.log_in((5, "t")))["body"]["result"] == 0
            assert closing(await thief.push()) == (5, {"action": 6})
            assert "m=audio 0 " in (await thief.open(PUBLISH, "s"))["body"]["sdp"]
            assert closing(await thief.push()) == (5, {"action": 6})
            assert not house.plane.open


async def test_whoever_cannot_ask_the_room_or_names_another_app_is_refused() -> None:
    house = House()
    session = house.rooms.enter("amy")
    for query, version in (
        (f"app={APP_ID}&session={session.session_id}&key=guessed", "1.4.0"),
        (f"app=7&session={session.session_id}&key={session.media_key}", "2.14.0"),
    ):
        async with Client(house, session, query=query) as thief:
            answer = await thief.log_in((5, "t"), version=version)
            assert answer["body"]["result"] != 0 and answer["body"]["strError"]
            assert (await thief.open(PUBLISH, "s"))["body"]["result"] == 3
            # Beats are not answered, and the socket stays: closing it makes 2.14.0 come back at once.
            thief.send("ClientHBReq", {"session_ids": []})
            assert (await thief.ask("CmdReq", {}))["body"]["result"] == 3
            assert thief.socket.closed is None and not thief.pushes


async def test_a_store_that_is_down_does_not_send_clients_away() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        house.rooms.down = True
        answer = await amy.log_in((4, "t"))
        assert answer["body"]["result"] not in (0, 1008)
        house.rooms.down = False
        assert (await amy.log_in())["body"]["result"] == 0
        house.rooms.down = True
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == 2016
        assert not amy.pushes


async def test_nobody_speaks_before_login_or_for_another_user_or_app() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == 3
        assert (await amy.ask("StreamStatusNotify", {"mic_status": 0, "camera_status": 0}))["body"]["result"] == 3
        assert (await amy.ask("SomethingNewReq", {}))["body"]["result"] == 3
        assert (await amy.ask("LoginReq", {"token": "t"}, user_id="bob"))["body"]["result"] != 0
        assert (await amy.ask("LoginReq", {"token": "t"}, appid="7"))["body"]["result"] == 1008
        await amy.log_in()
        assert (await amy.ask("CloseSessionReq", {"reason": 0}, user_id="bob"))["body"]["result"] == 3
        assert (await amy.ask("CloseSessionReq", {"reason": 0}, appid="7"))["body"]["result"] == 3
        assert not house.plane.open


async def test_forged_session_ids_touch_nobody() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("mallory")) as mallory:
        await amy.log_in()
        await mallory.log_in()
        opened = (await amy.open(PUBLISH, "s"))["body"]
        number = opened["session_id"]
        for cmd, body in (
            ("StreamStatusNotify", {"mic_status": 2, "camera_status": 2}),
            ("ActivateAudioPlayStreamReq", {"active": 0}),
            ("ActivateVideoPlayStreamReq", {"active": 0}),
        ):
            assert (await mallory.ask(cmd, body, session_id=number))["body"]["result"] != 0
        await mallory.ask("CloseSessionReq", {"reason": 0}, session_id=number)
        await mallory.log_in((number, opened["session_token"]))
        assert (await mallory.push())["header"]["cmd"] == "SessionResetPush"
        house.calls.media_connected(number)
        assert (await amy.push())["header"]["cmd"] == "PublishEventPush"
        assert set(house.plane.open) == {number}


@pytest.mark.parametrize(
    ("cmd", "body"),
    [
        ("LoginReq", {"sessions": "all"}),
        ("LoginReq", {"sessions": [{"session_id": -1}]}),
        ("LoginReq", {"sessions": [{"session_id": n} for n in range(1000)]}),
        ("CreateSessionWithSdpReq", {}),
        ("CreateSessionWithSdpReq", {"type": 0, "stream_id": ["s"], "sdp": "v=0"}),
        ("StreamStatusNotify", {"mic_status": -1, "camera_status": "x"}),
        ("ActivateAudioPlayStreamReq", {"active": None}),
        ("CloseSessionReq", []),
        ("Peer2PeerNetStatsGetReq", {"peer_id": {}}),
        ("CmdReq", "x"),
    ],
)
async def test_a_wrong_body_is_answered_and_the_conversation_goes_on(cmd: str, body: object) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        assert (await amy.ask(cmd, body))["body"]["result"] == 2
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == 0


async def test_a_mistake_of_the_servers_is_answered_too() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        house.plane.refuse = RuntimeError("a bug")
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == 1
        house.plane.refuse = None
        assert (await amy.open(PUBLISH, "s"))["body"]["result"] == 0


async def test_a_session_that_opens_too_many_is_told_for_good() -> None:
    house = House(settings=CallSettings(max_media_sessions=1))
    async with Client(house, house.rooms.enter("amy"), MediaSocketSettings()) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "t")
        assert await refusal_of_publishing(amy) == (15, {"action": 1, "err": 1011})


async def test_no_reports_are_asked_for_where_none_are_wanted() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy"), MediaSocketSettings(quality_interval=0)) as amy:
        assert (await amy.log_in())["body"]["report"] is False
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        answer = await amy.ask("QualityReportReq", {"streams": [{"audioBitrate": 30}]}, session_id=number)
        assert answer["body"] == {"result": 0, "report": False, "report_interval_ms": 10_000}
        told = house.calls.statistics.stream(APP_ID, "s", history=False).publisher
        assert told is not None and told.reported is None


async def reported(version: str, **said: object) -> object:
    """What is kept of a player's report, as ``loss`` and ``packets_lost`` … by name."""
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in(version=version)
        await amy.open(PUBLISH, "s")
        player = (await amy.open(PLAY, "s"))["body"]["session_id"]
        answer = await amy.ask("QualityReportReq", {"streams": [{"stream_type": "play", **said}]}, session_id=player)
        assert answer["header"]["cmd"] == "QualityReportRsp"
        (told,) = house.calls.statistics.stream(APP_ID, "s", history=False).players
        return answer["body"]["result"], told.reported


async def test_quality_reports_are_kept_in_the_units_of_the_house() -> None:
    figures = {"audioBitrate": 31.5, "audioPacketsLostRate": 0.05, "audioPacketsLost": 12, "audioJitter": 0.004, "audioQuality": 4}
    result, kept = await reported("2.13.0", **figures, currentRoundTripTime=0.02, audioLevel=0.3, videoFPS=0, playData=1)
    expected = QualityReport(NOW, 31_500.0, 0.05, 12, 4.0, 20.0, 0.3, 4)
    assert (result, kept) == (0, expected)
    # 1.4.0: bitrate 0 at first, a loss rate that is none.
    _, kept = await reported("1.4.0", audioBitrate=0, audioPacketsLostRate=0.05, currentRoundTripTime=0)
    assert kept == QualityReport(NOW, bitrate=0.0)


@pytest.mark.parametrize(
    "said",
    [
        {"audioBitrate": -1, "audioPacketsLostRate": 1.5, "audioJitter": 1e300, "audioPacketsLost": -4, "audioQuality": 77},
        {"audioBitrate": None, "audioLevel": 1e9, "currentRoundTripTime": -3},
    ],
)
async def test_what_cannot_be_true_is_left_out_of_a_report(said: dict[str, object]) -> None:
    assert await reported("2.13.0", **said) == (0, QualityReport(NOW))


@pytest.mark.parametrize("body", [{"streams": "x"}, {"streams": [{}] * 17}, {"streams": [{"audioBitrate": {}}]}, {}, []])
async def test_a_report_that_is_none_is_refused(body: object) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        await amy.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        answer = await amy.ask("QualityReportReq", body, session_id=number)
        assert (answer["header"]["cmd"], answer["body"]["result"]) == ("QualityReportRsp", MediaResult.BAD_REQUEST)


async def test_a_report_about_somebody_elses_session_is_not_kept() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy, Client(house, house.rooms.enter("bob")) as bob:
        await amy.log_in()
        await bob.log_in()
        number = (await amy.open(PUBLISH, "s"))["body"]["session_id"]
        await bob.ask("QualityReportReq", {"streams": [{"audioBitrate": 30}]}, session_id=number)
        told = house.calls.statistics.stream(APP_ID, "s", history=False).publisher
        assert told is not None and told.reported is None
