"""Where mini-programs are sent for RTMP, and what refusals look like to an SDK that takes only a 200 for an answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from calls.settings import CallSettings
from rooms.model import Session
from signaling.accesshub.rtmp_dispatch import OK, REFUSED, DispatchAnswer, RtmpDispatch
from signaling.accesshub.services import HttpAnswer, HttpRequest
from tests.unit.calls.fakes import APP_ID, THERE, House


def request(location: str, *sessions: Session) -> HttpRequest:
    hub: Any = SimpleNamespace(
        sessions={number: SimpleNamespace(session=session) for number, session in enumerate(sessions)}, base_url="wss://rtc.example:8443"
    )
    return HttpRequest(hub=hub, method=1, location=location, headers={}, body=b"", token="")


def where(action: str, stream_id: str = "s") -> str:
    return f"/v1/jsrtmp/dispatch/{APP_ID}/{stream_id}/{action}/192.0.2.7"


def read(answer: HttpAnswer) -> DispatchAnswer:
    assert answer.status == 200
    return msgspec.json.decode(answer.body, type=DispatchAnswer)


@pytest.fixture
def house() -> House:
    return House(settings=CallSettings(rtmp_port=1935))


async def test_who_publishes_keeps_the_stream_and_is_given_this_node(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    dispatch = RtmpDispatch(house.calls)  # type: ignore[arg-type]
    assert read(await dispatch.answer(request(where("push"), amy))) == DispatchAnswer(OK, "", ("rtc.example:1935",))
    assert house.rooms.held[APP_ID, "s"].session_id == amy.session_id
    refused = read(await dispatch.answer(request(where("push"), bob)))
    assert refused.code == REFUSED and not refused.hosts


async def test_who_plays_is_given_the_node_that_holds_the_stream(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    house.rooms.elsewhere(amy, "far")
    answer = read(await RtmpDispatch(house.calls).answer(request(where("pull", "far"), bob)))  # type: ignore[arg-type]
    assert answer.hosts == (THERE.rtmp_url.removeprefix("rtmp://"),)


async def test_in_several_rooms_the_stream_is_kept_only_when_it_arrives(house: House) -> None:
    first = house.rooms.enter("amy", "r1")
    second = house.rooms.enter("amy", "r2", login_id=first.login_id)
    answer = read(await RtmpDispatch(house.calls).answer(request(where("push"), first, second)))  # type: ignore[arg-type]
    assert answer.hosts == ("rtc.example:1935",) and (APP_ID, "s") not in house.rooms.held


async def test_what_may_pass_is_for_later_and_what_will_not_is_final(house: House) -> None:
    amy = house.rooms.enter("amy")
    dispatch = RtmpDispatch(house.calls)  # type: ignore[arg-type]
    house.rooms.down = True
    assert (await dispatch.answer(request(where("push"), amy))).status == 503
    house.rooms.down = False
    assert read(await dispatch.answer(request(where("push")))).code == REFUSED
    without = House()
    nobody = read(await RtmpDispatch(without.calls).answer(request(where("push"), without.rooms.enter("amy"))))  # type: ignore[arg-type]
    assert nobody.code not in (OK, REFUSED) and not nobody.hosts


BAD = ("", "/v1/jsrtmp/dispatch/1/s/push", where("grab"), where("push", "../x"), where("push", "ä"), where("push") * 2)


@pytest.mark.parametrize("location", BAD)
async def test_other_paths_are_bad_requests(house: House, location: str) -> None:
    assert (await RtmpDispatch(house.calls).answer(request(location, house.rooms.enter("amy")))).status == 400  # type: ignore[arg-type]
