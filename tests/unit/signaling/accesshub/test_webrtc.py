"""One client's WebRTC signalling (services 18 and 19) over fake rooms and a fake media plane."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from auth import TokenExpired
from calls.media_session import MediaEnd
from media.errors import MediaFull, SdpRefused
from rooms.events import EndReason
from rooms.model import Session
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.webrtc import WebRtcSignaling
from signaling.accesshub.webrtc_codec import Command, decode_request, encode_message
from signaling.media_endings import MediaResult
from tests.unit.calls.fakes import APP_ID, House
from tests.unit.signaling.accesshub.samples import RTC
from tests.waiting import until

PUBLISH, PLAY = 0, 1
OFFER = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
KINDS: dict[int, type[Message]] = {
    **RTC,
    6: pb.RtcCreateSessionWithSdpRsp, 12: pb.RtcMediaDescRsp, 14: pb.RtcCandidateInfoRsp, 21: pb.RtcCloseSessionPush,
    30: pb.RtcActivateAudioPlayStreamRsp, 32: pb.RtcActivateVideoPlayStreamRsp, 44: pb.RtcCmdRsp, 48: pb.RtcWebRTCDispatchRsp,
}  # fmt: skip
REQUESTS: dict[int, Message] = {
    1: pb.RtcLoginReq(), 3: pb.RtcCreateSessionReq(), 5: pb.RtcCreateSessionWithSdpReq(sdp=OFFER), 11: pb.RtcMediaDescReq(sdp=OFFER),
    13: pb.RtcCandidateInfoReq(), 15: pb.RtcCloseSessionReq(), 23: pb.RtcStreamStatusNotify(mic_status=0),
    29: pb.RtcActivateAudioPlayStreamReq(active=1), 31: pb.RtcActivateVideoPlayStreamReq(active=1), 41: pb.RtcPeer2PeerNetStatsGetReq(),
    43: pb.RtcCmdReq(cmd_id=6), 47: pb.RtcWebRTCDispatchReq(),
}  # fmt: skip


class Client:
    """Speaks as the SDK does, with a rising ``seq``."""

    def __init__(self, house: House, *sessions: Session) -> None:
        self.house = house
        self.rooms = list(sessions)
        self.user_id = sessions[0].user_id
        self.sent: list[tuple[int, int, int, Any]] = []
        self.service = WebRtcSignaling(house.calls, self, self._receive, clock=house.clock, client_address="192.0.2.7")
        self._seq = 0

    def session_of(self, room_id: str) -> Session | None:
        return next((session for session in self.rooms if room_id in ("", session.room_id)), None)

    def sessions(self) -> list[Session]:
        return self.rooms

    def _receive(self, payload: bytes) -> None:
        head, body = _split(payload)
        self.sent.append((head.cmd, head.seq, head.session_id, KINDS[head.cmd].FromString(body)))

    async def ask(self, command: int, message: Message, session_id: int = 0) -> Any:
        """The answer's body; its ``session_id`` is in ``answered``."""
        self._seq += 1
        await self.service.handle(decode_request(request(command, self._seq, session_id, message)))
        for number, seq, answered, body in self.sent:
            if number == command + 1 and seq == self._seq:
                self.answered = answered
                return body
        return None

    async def log_in(self, **fields: Any) -> Any:
        login = pb.RtcLoginReq(appid=APP_ID, user_id=self.user_id, tokenType=0, token="04room", roomid=self.rooms[0].room_id)
        for name, value in fields.items():
            getattr(login, name).extend(value) if name == "sessions" else setattr(login, name, value)
        return await self.ask(Command.LOGIN, login)

    async def open(self, kind: int, stream_id: str, room_id: str = "") -> tuple[int, Any]:
        wish = pb.RtcCreateSessionWithSdpReq(type=kind, stream_id=stream_id, sdp=OFFER, roomid=room_id)
        answer = await self.ask(Command.CREATE_SESSION_WITH_SDP, wish)
        return self.answered, answer

    def pushed(self, command: int) -> list[tuple[int, Any]]:
        return [(session_id, body) for number, _, session_id, body in self.sent if number == command]


def request(command: int, seq: int, session_id: int, message: Message) -> bytes:
    """As ``encode_message``, from the client's side and without zeros."""
    body = message.SerializeToString()
    head = pb.RtcHead(cmd=command, seq=seq, session_id=session_id).SerializeToString()
    inner = b"\x11" + len(head).to_bytes(2) + len(body).to_bytes(4) + head + body
    return b"\xb5\x00\x00\x02" + len(inner).to_bytes(4) + b"\x08\x64" + inner


def _split(payload: bytes) -> tuple[pb.RtcHead, bytes]:
    assert payload[:4] == b"\xb5\x00\x00\x02" and payload[8:10] == b"\x08\x65"
    inner = payload[10:]
    end = 7 + int.from_bytes(inner[1:3])
    return pb.RtcHead.FromString(inner[7:end]), inner[end:]


def closes(client: Client) -> list[tuple[int, int, dict[str, int]]]:
    return [(number, push.reason, json.loads(push.err_info)) for number, push in client.pushed(Command.CLOSE_SESSION_PUSH)]


async def pair() -> tuple[House, Client, Client]:
    """amy and bob in one room, both logged in."""
    house = House()
    amy, bob = Client(house, house.rooms.enter("amy")), Client(house, house.rooms.enter("bob"))
    for client in (amy, bob):
        assert (await client.log_in()).result == 0
    return house, amy, bob


async def test_offers_are_answered_with_everything_that_sdks_insist_on() -> None:
    house, amy, bob = await pair()
    publisher, answer = await amy.open(PUBLISH, "s")
    assert house.plane.open[publisher] == ("publisher", house.name("s")) and answer.sdp == f"answer to {OFFER}"
    assert answer.gw_nodes == ["192.0.2.1:7000"] and answer.client_ip == "192.0.2.7" and answer.HasField("peer_id")
    extension = pb.CmdWebrtcCmdReqMsg.FromString(answer.params_ext).peer_ext_params_push
    assert extension.turn_urls == "turn:192.0.2.1:3478?transport=udp" and extension.turn_username and extension.turn_auth_key
    player, _ = await bob.open(PLAY, "s")
    house.calls.media_connected(publisher)
    house.calls.media_connected(player)
    assert (await amy.ask(Command.STREAM_STATUS, pb.RtcStreamStatusNotify(mic_status=0, camera_status=3), publisher)).result == 0
    ((number, status),) = bob.pushed(Command.STREAM_STATUS_PUSH)
    assert (number, status.mic_status, status.camera_status) == (player, 0, 3)
    assert not closes(amy) and not closes(bob)


async def test_without_a_turn_server_one_is_named_that_opens_nothing() -> None:
    house, amy, _ = await pair()
    house.plane.turn_servers = ()
    _, answer = await amy.open(PUBLISH, "s")
    extension = pb.CmdWebrtcCmdReqMsg.FromString(answer.params_ext).peer_ext_params_push
    assert (extension.turn_username, extension.turn_auth_key, extension.turn_urls) == ("-", "-", "turn:192.0.2.1:3478?transport=udp")


async def test_in_turn_mode_the_offer_comes_after_the_session() -> None:
    house, amy, _ = await pair()
    begun = await amy.ask(Command.CREATE_SESSION, pb.RtcCreateSessionReq(type=PUBLISH, stream_id="s"))
    assert begun.session_id == amy.answered != 0
    assert begun.turn_server == "turn:192.0.2.1:3478?transport=udp" and begun.turn_auth_key and begun.gw_nodes == ["192.0.2.1:7000"]
    described = await amy.ask(Command.MEDIA_DESC, pb.RtcMediaDescReq(type=0, sdp=OFFER), begun.session_id)
    assert described.result == 0 and described.sdp == f"answer to {OFFER}" and begun.session_id in house.plane.open
    again = await amy.ask(Command.MEDIA_DESC, pb.RtcMediaDescReq(type=0, sdp=OFFER, update=1), begun.session_id)
    assert again.result == MediaResult.BAD_REQUEST


async def test_a_lost_hub_keeps_media_and_the_next_one_claims_it_before_the_room_is_entered_again() -> None:
    house = House()
    session = house.rooms.enter("amy")
    amy = Client(house, session)
    token = (await amy.log_in()).token
    publisher, answer = await amy.open(PUBLISH, "s")
    amy.service.ended()
    assert publisher in house.plane.open
    back = Client(house, session)
    back.rooms = []
    held = [pb.RtcSessionInfo(session_id=publisher, session_token=answer.session_token)]
    login = pb.RtcLoginReq(appid=APP_ID, user_id="amy", tokenType=1, token=token, roomid="r", sessions=held)
    assert (await back.ask(Command.LOGIN, login)).result == 0
    assert not back.pushed(Command.SESSION_RESET_PUSH)
    assert (await back.ask(Command.CLOSE_SESSION, pb.RtcCloseSessionReq(), publisher)).result == 0
    assert publisher not in house.plane.open


async def test_sessions_that_are_not_here_any_more_are_to_be_opened_again_and_said_so_once() -> None:
    _, amy, _ = await pair()
    gone = [pb.RtcSessionInfo(session_id=7, session_token="t"), pb.RtcSessionInfo(session_id=8, session_token="t")]
    for _ in range(2):
        assert (await amy.log_in(sessions=gone)).result == 0
    ((_, push),) = amy.pushed(Command.SESSION_RESET_PUSH)
    assert (push.cResetType, list(push.session_ids)) == (1, [7, 8])


async def test_media_of_several_rooms_on_one_socket_is_kept_apart_and_claimed_together() -> None:
    house = House()
    first = house.rooms.enter("amy", "r1")
    second = house.rooms.enter("amy", "r2", login_id=first.login_id)
    amy = Client(house, first, second)
    await amy.log_in()
    one, opened_one = await amy.open(PUBLISH, "s1", "r1")
    two, opened_two = await amy.open(PUBLISH, "s2", "r2")
    assert house.rooms.held[APP_ID, "s1"].room_id == "r1" and house.rooms.held[APP_ID, "s2"].room_id == "r2"
    amy.service.ended()
    back = Client(house, first, second)
    held = [(one, opened_one.session_token), (two, opened_two.session_token), (9, "t")]
    await back.log_in(sessions=[pb.RtcSessionInfo(session_id=number, session_token=token) for number, token in held])
    ((_, push),) = back.pushed(Command.SESSION_RESET_PUSH)
    assert list(push.session_ids) == [9]
    for number in (one, two):
        await back.ask(Command.CLOSE_SESSION, pb.RtcCloseSessionReq(), number)
    assert not house.plane.open


async def test_of_rooms_that_a_client_has_left_only_those_with_media_are_remembered() -> None:
    house = House()
    first = house.rooms.enter("amy", "r0")
    amy = Client(house, first)
    await amy.log_in()
    kept, _ = await amy.open(PUBLISH, "s0", "r0")
    for number in range(1, 5):
        amy.rooms = [house.rooms.enter("amy", f"r{number}", login_id=first.login_id)]
        playing, _ = await amy.open(PLAY, "s0", f"r{number}")
        await amy.ask(Command.CLOSE_SESSION, pb.RtcCloseSessionReq(), playing)
    assert len(amy.service._logins) == 2
    await amy.ask(Command.CLOSE_SESSION, pb.RtcCloseSessionReq(), kept)
    assert not house.plane.open


@pytest.mark.parametrize(
    ("refusal", "result"),
    [(SdpRefused("x"), MediaResult.BAD_SDP), (MediaFull("x"), MediaResult.NO_CAPACITY), (RuntimeError("x"), MediaResult.FAILED)],
)
async def test_what_may_pass_is_a_result(refusal: Exception, result: MediaResult) -> None:
    house, amy, _ = await pair()
    house.plane.refuse = refusal
    _, answer = await amy.open(PUBLISH, "s")
    assert answer.result == result and not closes(amy)
    begun = await amy.ask(Command.CREATE_SESSION, pb.RtcCreateSessionReq(type=PUBLISH, stream_id="s2"))
    described = await amy.ask(Command.MEDIA_DESC, pb.RtcMediaDescReq(sdp=OFFER), begun.session_id)
    assert described.result == result
    # Told by a close, too: not every client of this style looks at the result.
    assert [number for number, _, _ in closes(amy)] == ([] if result == MediaResult.FAILED else [begun.session_id])


async def test_playing_what_nobody_publishes_is_tried_again() -> None:
    _, amy, _ = await pair()
    assert (await amy.open(PLAY, "nothing"))[1].result == MediaResult.STREAM_UNKNOWN


async def test_what_will_not_pass_is_a_session_that_is_closed_at_once() -> None:
    _, amy, bob = await pair()
    await amy.open(PUBLISH, "s")
    number, answer = await bob.open(PUBLISH, "s")
    assert answer.result == 0 and "m=audio 0" in answer.sdp
    assert closes(bob) == [(number, 15, {"action": 1, "err": 1011})]


async def test_an_expired_token_ends_the_wish_to_publish_with_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    house, amy, _ = await pair()

    async def refuse(*_: Any, **__: Any) -> None:
        raise TokenExpired("over")

    monkeypatch.setattr(house.calls, "open_publisher", refuse)
    number, _ = await amy.open(PUBLISH, "s")
    assert closes(amy) == [(number, 15, {"action": 1, "err": 1014})]


async def test_the_end_of_a_session_is_told_with_a_rising_number() -> None:
    house, amy, bob = await pair()
    await amy.open(PUBLISH, "s")
    player, _ = await bob.open(PLAY, "s")
    for media in house.calls._live.all():
        house.calls._live.end(media, MediaEnd.NODE_STOPPED)
    assert closes(bob) == [(player, 5, {"action": 6})]
    numbers = [seq for number, seq, _, _ in bob.sent if number == Command.CLOSE_SESSION_PUSH]
    house.clock.now += 1000
    later = Client(house, bob.rooms[0])
    await later.log_in(sessions=[pb.RtcSessionInfo(session_id=player, session_token="x")])
    assert [seq for number, seq, _, _ in later.sent if number == Command.SESSION_RESET_PUSH] > numbers


async def test_muting_a_player_stops_its_packets() -> None:
    house, amy, bob = await pair()
    await amy.open(PUBLISH, "s")
    player, _ = await bob.open(PLAY, "s")
    for active in (0, 1):
        assert (await bob.ask(Command.ACTIVATE_AUDIO, pb.RtcActivateAudioPlayStreamReq(active=active), player)).result == 0
        assert house.plane.forwarding[player] is bool(active)
    assert (await bob.ask(Command.ACTIVATE_VIDEO, pb.RtcActivateVideoPlayStreamReq(active=0), player)).result == 0


async def test_commands_in_commands_are_answered_in_kind() -> None:
    _, amy, bob = await pair()
    publisher, _ = await amy.open(PUBLISH, "s")
    grade = pb.CmdWebrtcCmdReqMsg(net_quality_grade=pb.CmdNetQualityGradeReq())
    answer = await amy.ask(Command.CMD, pb.RtcCmdReq(peer_id=3, cmd_id=6, body=grade.SerializeToString()), publisher)
    assert (answer.peer_id, answer.cmd_id) == (3, 6) and pb.CmdWebrtcCmdRspMsg.FromString(answer.body).net_quality_grade.result == 0
    status = pb.CmdWebrtcCmdReqMsg(stream_status=pb.CmdStreamStatusNotify(seq=4, mic_status=2, camera_status=2))
    answer = await amy.ask(Command.CMD, pb.RtcCmdReq(cmd_id=16, body=status.SerializeToString()), publisher)
    assert pb.CmdWebrtcCmdRspMsg.FromString(answer.body).stream_status_ack.seq == 4
    restart = pb.CmdWebrtcCmdReqMsg(restart_ice=pb.CmdRestartICEReq(seq=5))
    answer = await amy.ask(Command.CMD, pb.RtcCmdReq(cmd_id=28, body=restart.SerializeToString()), publisher)
    assert pb.CmdWebrtcCmdRspMsg.FromString(answer.body).restart_ice.result != 0


async def test_sessions_of_others_cannot_be_touched() -> None:
    house, amy, bob = await pair()
    publisher, _ = await amy.open(PUBLISH, "s")
    for command in (Command.STREAM_STATUS, Command.ACTIVATE_AUDIO, Command.ACTIVATE_VIDEO, Command.MEDIA_DESC):
        assert (await bob.ask(command, REQUESTS[command], publisher)).result == MediaResult.BAD_REQUEST
    await bob.ask(Command.CLOSE_SESSION, pb.RtcCloseSessionReq(), publisher)
    assert publisher in house.plane.open


async def test_before_the_login_nothing_is_given() -> None:
    house = House()
    amy = Client(house, house.rooms.enter("amy"))
    for command, message in REQUESTS.items():
        if command not in (Command.LOGIN, Command.CMD):
            assert (await amy.ask(command, message)).result == MediaResult.NOT_LOGGED_IN
    assert not house.plane.open


async def test_a_login_of_another_app_or_without_a_room_is_refused_and_of_another_user_too() -> None:
    house = House()
    amy = Client(house, house.rooms.enter("amy"))
    assert (await amy.log_in(appid=7)).result == MediaResult.TOKEN_REFUSED
    assert (await amy.log_in(user_id="bob")).result == MediaResult.FAILED
    amy.rooms = []
    login = pb.RtcLoginReq(appid=APP_ID, user_id="amy", tokenType=1, token="guess", roomid="r")
    assert (await amy.ask(Command.LOGIN, login)).result == MediaResult.FAILED


async def test_a_room_that_the_client_is_not_in_gets_no_media() -> None:
    house, amy, _ = await pair()
    number, _ = await amy.open(PUBLISH, "s", "elsewhere")
    assert closes(amy) == [(number, 5, {"action": 6})] and not house.plane.open


async def test_a_store_that_is_away_is_for_later() -> None:
    house, amy, _ = await pair()
    house.rooms.down = True
    assert (await amy.open(PUBLISH, "s"))[1].result == MediaResult.NO_CAPACITY


async def test_a_binary_sdp_is_asked_for_in_plain_text() -> None:
    _, amy, _ = await pair()
    mini = pb.RtcCreateSessionWithSdpReq(type=PUBLISH, stream_id="s", mini_sdp=b"\x01")
    assert (await amy.ask(Command.CREATE_SESSION_WITH_SDP, mini)).result == 110


async def test_a_socket_that_ends_in_the_middle_of_an_offer_leaves_nothing_behind() -> None:
    house, amy, _ = await pair()
    house.plane.gate = asyncio.Event()
    opening = asyncio.create_task(amy.open(PUBLISH, "s"))
    await until(lambda: house.calls._live.all())
    opening.cancel()
    amy.service.ended()
    await asyncio.gather(opening, return_exceptions=True)
    assert not house.calls._live.all() and not house.plane.open


async def test_who_leaves_the_room_is_told_nothing_more_than_the_end() -> None:
    house, amy, _ = await pair()
    publisher, _ = await amy.open(PUBLISH, "s")
    house.rooms.gone(amy.rooms[0], EndReason.KICKED)
    assert closes(amy) == [(publisher, 0, {"action": 1})]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*REQUESTS, 2, 7, 99]), st.binary(max_size=48), st.integers(0, 2**32 - 1))
def test_no_body_of_any_command_does_harm(command: int, body: bytes, session_id: int) -> None:
    async def story() -> None:
        house, amy, _ = await pair()
        head = pb.RtcHead(cmd=command, seq=1, session_id=session_id).SerializeToString()
        inner = b"\x11" + len(head).to_bytes(2) + len(body).to_bytes(4) + head + body
        payload = b"\xb5\x00\x00\x02" + len(inner).to_bytes(4) + b"\x08\x64" + inner
        await amy.service.handle(decode_request(payload))
        assert len(house.plane.open) <= 1

    asyncio.run(story())


def test_every_answer_has_its_zeros() -> None:
    assert encode_message(16, 1, 2, pb.RtcCloseSessionRsp()).endswith(b"\x08\x00")
