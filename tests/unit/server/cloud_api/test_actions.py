"""Every action × {good, missing parameter, wrong type, too long, unknown room, bad signature, stale timestamp, replay}.

The codes are written down here from the cloud's documents, not taken from the code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from server.cloud_api.table import ACTIONS, NOT_OFFERED
from tests.unit.server.cloud_api.house import NOW, ApiHouse, api_house

ROOM, STREAM = "r", "alice-1"
LONG_ROOM, LONG_USER, LONG_STREAM = "r" * 129, "u" * 65, "s" * 257


@dataclass(frozen=True)
class Case:
    good: Mapping[str, Any]
    required: Sequence[str]
    too_long: Mapping[str, tuple[Any, int]] = field(default_factory=dict)
    """Parameter → a value that is too long, and the code for it."""
    unknown_room: int = 0
    """Code when the room does not exist."""
    message: str = "success"
    wrong: Mapping[str, Any] = field(default_factory=dict)
    """Parameter → a value of a wrong type or out of range; beside what is tried with every parameter."""


MESSAGE = {"RoomId": ROOM, "UserId": "server", "UserName": "Server", "MessageCategory": 1, "MessageContent": "hello"}
_MESSAGE_LONG = {"RoomId": (LONG_ROOM, 3), "UserId": (LONG_USER, 3), "UserName": ("n" * 257, 3), "MessageContent": ("é" * 513, 50012)}
_MESSAGE_CASE = Case(MESSAGE, ("RoomId", "UserId", "MessageCategory", "MessageContent"), _MESSAGE_LONG, 104, wrong={"MessageCategory": 3})
_RULE_KEYS = {"IP": ("1" * 46, 3), "RoomId": (LONG_ROOM, 3), "UserId": (LONG_USER, 3)}
_ONE = {"StreamId": STREAM, "Sequence": "1700000000000"}
_ONE_CASE = Case(_ONE, ("StreamId", "Sequence"), {"StreamId": (LONG_STREAM, 3)}, message="ok", wrong={"Sequence": "-1"})
_MANY_CASE = Case(
    {"StreamId": [STREAM, "nobody-1"], "Sequence": "1700000000000"}, ("StreamId", "Sequence"),
    {"StreamId": ([f"s{n}" for n in range(21)], 30006)}, message="ok",
)  # fmt: skip

CASES: Mapping[str, Case] = {
    "KickoutUser": Case(
        {"RoomId": ROOM, "UserId": ["bob"], "CustomReason": "rude"}, ("RoomId", "UserId"),
        {"RoomId": (LONG_ROOM, 3), "UserId": ([f"u{n}" for n in range(6)], 50011), "CustomReason": ("é" * 129, 3)}, 104,
    ),
    "CloseRoom": Case(
        {"RoomId": ROOM, "CustomReason": "late", "RoomCloseCallback": True}, ("RoomId",),
        {"RoomId": (LONG_ROOM, 3), "CustomReason": ("x" * 257, 3)}, 5024, wrong={"RoomCloseCallback": "maybe"},
    ),
    "SendBroadcastMessage": _MESSAGE_CASE,
    "SendBarrageMessage": _MESSAGE_CASE,
    "SendCustomCommand": Case(
        {"RoomId": ROOM, "FromUserId": "server", "ToUserId": ["bob"], "MessageContent": "sit"}, ("RoomId", "FromUserId", "MessageContent"),
        {
            "RoomId": (LONG_ROOM, 3), "FromUserId": (LONG_USER, 3), "MessageContent": ("x" * 1025, 50012),
            "ToUserId": ([f"u{n}" for n in range(11)], 50011),
        },
        104,
    ),
    "DescribeUserNum": Case({"RoomId": [ROOM, "empty"]}, ("RoomId",), {"RoomId": ([f"r{n}" for n in range(11)], 3)}),
    "DescribeUserList": Case(
        {"RoomId": ROOM, "Mode": 0, "Limit": 10}, ("RoomId",), {"RoomId": (LONG_ROOM, 3), "Marker": ("9-" + "x" * 130, 3)},
        wrong={"Mode": 2, "Limit": 201, "Marker": "no marker"},
    ),
    "DescribeUsers": Case(
        {"RoomId": ROOM, "UserId": ["bob", "nobody"]}, ("RoomId", "UserId"),
        {"RoomId": (LONG_ROOM, 3), "UserId": ([f"u{n}" for n in range(11)], 3)}, 50001,
    ),
    "DescribeSimpleStreamList": Case({"RoomId": ROOM}, ("RoomId",), {"RoomId": (LONG_ROOM, 3)}, 104),
    "AddStream": Case(
        {"RoomId": ROOM, "UserId": "bob", "StreamId": "injected", "StreamTitle": "t", "ExtraInfo": "e"}, ("RoomId", "UserId", "StreamId"),
        {
            "RoomId": (LONG_ROOM, 3), "UserId": (LONG_USER, 3), "StreamId": (LONG_STREAM, 3), "StreamTitle": ("t" * 128, 3),
            "ExtraInfo": ("e" * 1025, 3),
        },
        104, wrong={"StreamId": "a b", "CensorFlag": 2},
    ),
    "DeleteStream": Case(
        {"RoomId": ROOM, "UserId": "alice", "StreamId": STREAM}, ("RoomId", "UserId", "StreamId"),
        {"RoomId": (LONG_ROOM, 3), "UserId": (LONG_USER, 3), "StreamId": (LONG_STREAM, 3)}, 104,
    ),
    "SetForbidUserRule": Case(
        {"RuleType": 3, "UserId": "bob", "DisabledPrivilege": [1, 2], "EffectiveTime": 60},
        ("RuleType", "UserId", "DisabledPrivilege", "EffectiveTime"), _RULE_KEYS,
        wrong={"RuleType": 5, "DisabledPrivilege": [3], "EffectiveTime": 86_401},
    ),
    "DescribeForbidUserRules": Case({"RuleType": 3}, ("RuleType",), wrong={"RuleType": 0}),
    "DelForbidUserRule": Case({"RuleType": 4, "RoomId": ROOM, "UserId": "eve"}, ("RuleType", "RoomId", "UserId"), _RULE_KEYS),
    "SetForbidStreamRule": Case(
        {"RoomId": ROOM, "StreamId": STREAM, "DisableAudio": 1, "EffectiveTime": 100_000}, ("RoomId", "StreamId", "DisableAudio"),
        {"RoomId": (LONG_ROOM, 3), "StreamId": (LONG_STREAM, 3)}, wrong={"DisableAudio": 2, "EffectiveTime": 0},
    ),
    "DescribeForbidStreamRules": Case(
        {"RoomId": ROOM, "StreamId": [STREAM]}, ("RoomId", "StreamId"),
        {"RoomId": (LONG_ROOM, 3), "StreamId": ([f"s{n}" for n in range(11)], 3)},
    ),
    "DelForbidStreamRule": Case(
        {"RoomId": ROOM, "StreamId": STREAM}, ("RoomId", "StreamId"), {"RoomId": (LONG_ROOM, 3), "StreamId": (LONG_STREAM, 3)}
    ),
    "GenerateIdentifyToken": Case({"EffectiveTime": 600}, (), wrong={"EffectiveTime": 30 * 86_400 + 1}),
    "ForbidRTCStream": _ONE_CASE,
    "ResumeRTCStream": _ONE_CASE,
    "ForbidRTCStreams": _MANY_CASE,
    "ResumeRTCStreams": _MANY_CASE,
    "DescribeRTCStreamState": _ONE_CASE,
    "RTMPDispatchV2": Case(
        {**_ONE, "Type": "push", "ClientIP": "203.0.113.7"}, ("StreamId", "Sequence", "Type"),
        {"StreamId": (LONG_STREAM, 3)}, message="ok",
    ),
    "HearthDescribeRooms": Case({"Limit": 10}, (), {"Marker": ("m" * 129, 3)}, wrong={"Limit": 0}),
    "HearthDescribeUsers": Case({"RoomId": ROOM}, ("RoomId",), {"RoomId": (LONG_ROOM, 3)}, 104),
    "HearthDescribeStreams": Case({"RoomId": ROOM}, ("RoomId",), {"RoomId": (LONG_ROOM, 3)}, 104),
    "HearthDescribeNodes": Case({}, ()),
    "HearthDescribeSdkLogs": Case({"Limit": 10}, (), wrong={"Limit": 1001}),
    "HearthDescribeDeadCallbacks": Case({"Limit": 10}, (), wrong={"Limit": 0, "Marker": "somewhere"}),
    "HearthRetryDeadCallbacks": Case({"CallbackId": ["1-0"]}, (), wrong={"CallbackId": ["all"]}),
    "HearthDropDeadCallbacks": Case({"CallbackId": ["1-0"]}, (), wrong={"CallbackId": ["all"]}),
}  # fmt: skip

every_action = pytest.mark.parametrize("name", list(ACTIONS))


@pytest_asyncio.fixture
async def house() -> AsyncIterator[ApiHouse]:
    async with api_house(rtmp_url="rtmp://127.0.0.1:1935") as house:
        alice, *_ = await house.enter("alice"), await house.enter("bob")
        await house.rooms.publish(alice, STREAM)
        if "SetForbidUserRule" in ACTIONS:
            rule = {"RuleType": 4, "RoomId": ROOM, "UserId": "eve", "DisabledPrivilege": [1], "EffectiveTime": 60}
            assert (await house.do("SetForbidUserRule", **rule))["Code"] == 0
        yield house


def test_every_action_has_a_case() -> None:
    assert set(CASES) == set(ACTIONS)


@every_action
async def test_good(house: ApiHouse, name: str) -> None:
    case = CASES[name]
    answer = await house.do(name, **case.good)
    assert (answer["Code"], answer["Message"]) == (0, case.message)
    assert ("Data" in answer) == (ACTIONS[name].data is not None)


@every_action
async def test_good_with_everything_in_the_query(house: ApiHouse, name: str) -> None:
    assert (await house.do_get(name, **CASES[name].good))["Code"] == 0


@every_action
async def test_good_under_a_path_of_its_own(house: ApiHouse, name: str) -> None:
    answer = await house.post(house.signed(name, Action=None), CASES[name].good, f"/v2/{name}")
    assert answer["Code"] == 0


@every_action
async def test_missing_parameter(house: ApiHouse, name: str) -> None:
    case = CASES[name]
    before = await house.state()
    for parameter in case.required:
        answer = await house.do(name, **{key: value for key, value in case.good.items() if key != parameter})
        assert answer["Code"] == 2, parameter
        assert parameter in answer["Message"]
        answer = await house.do(name, **{**case.good, parameter: None})
        assert answer["Code"] == 2, f"{parameter}: null"
    assert await house.state() == before


@every_action
async def test_wrong_type(house: ApiHouse, name: str) -> None:
    case = CASES[name]
    before = await house.state()
    for parameter in case.good:
        answer = await house.do(name, **{**case.good, parameter: {"a": "map"}})
        assert answer["Code"] == 2, parameter
    for parameter, value in case.wrong.items():
        answer = await house.do(name, **{**case.good, parameter: value})
        assert answer["Code"] == 2, parameter
    assert await house.state() == before


@every_action
async def test_too_long(house: ApiHouse, name: str) -> None:
    case = CASES[name]
    before = await house.state()
    for parameter, (value, code) in case.too_long.items():
        assert (await house.do(name, **{**case.good, parameter: value}))["Code"] == code, parameter
        assert (await house.do_get(name, **{**case.good, parameter: value}))["Code"] == code, parameter
    assert await house.state() == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if name in ACTIONS and case.good.get("RoomId") == ROOM])
async def test_unknown_room(house: ApiHouse, name: str) -> None:
    case = CASES[name]
    before = await house.state()
    answer = await house.do(name, **{**case.good, "RoomId": "elsewhere"})
    if name == "DelForbidUserRule":
        assert answer["Code"] == 50124
    else:
        assert answer["Code"] == case.unknown_room
    assert await house.state() == before


@every_action
async def test_bad_signature(house: ApiHouse, name: str) -> None:
    before = await house.state()
    for query in (
        house.signed(name, secret="x" * 32), house.signed(name, SignatureNonce="other"), house.signed(name, Timestamp=str(NOW + 1)),
        house.signed(name, Signature="0" * 32), house.signed(name, Signature="é"),
    ):  # fmt: skip
        assert (await house.post(query, CASES[name].good))["Code"] == 100000005
    assert (await house.post(house.signed(name, Signature=None), CASES[name].good))["Code"] == 100000009
    assert await house.state() == before


@every_action
async def test_stale_timestamp(house: ApiHouse, name: str) -> None:
    before = await house.state()
    early, late = house.signed(name), house.signed(name)
    house.now = NOW + 601
    assert (await house.post(early, CASES[name].good))["Code"] == 100000004
    house.now = NOW - 601
    assert (await house.post(late, CASES[name].good))["Code"] == 100000004
    house.now = NOW
    assert await house.state() == before


@every_action
async def test_replay(house: ApiHouse, name: str) -> None:
    query = house.signed(name)
    assert (await house.post(query, CASES[name].good))["Code"] == 0
    before = await house.state()
    assert (await house.post(query, CASES[name].good))["Code"] == 100000004
    # The action is not signed, so the signature is no better for another one.
    assert (await house.post({**query, "Action": "HearthDescribeRooms"}, {}))["Code"] == 100000004
    assert await house.state() == before


@pytest.mark.parametrize("name", sorted(NOT_OFFERED))
async def test_not_offered(house: ApiHouse, name: str) -> None:
    assert (await house.do(name))["Code"] == 100000017
    assert (await house.post(house.signed(name, secret="x" * 32), {}))["Code"] == 100000005
