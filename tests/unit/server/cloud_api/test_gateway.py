"""The gateway: who asks, whether the signature is good, how often, and what is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from auth.signatures import sign_server_api, verify_server_api
from server.cloud_api.table import ACTIONS
from tests.unit.server.cloud_api.house import APP, NOW, OLD_SECRET, ApiHouse, api_house

ROOMS = "HearthDescribeRooms"


@pytest_asyncio.fixture
async def house() -> AsyncIterator[ApiHouse]:
    async with api_house() as house:
        yield house


def test_documented_signature() -> None:
    """The worked example of the cloud's documents."""
    secret, nonce = "9193cc662a4c0ec135ec71fb57194b38", "4fd24687296dd9f3"
    assert sign_server_api(12345, nonce, secret, 1615186943) == "43e5cfcca828314675f91b001390566a"
    assert verify_server_api(
        "43e5cfcca828314675f91b001390566a", app_id=12345, nonce=nonce, server_secrets=["x" * 32, secret], timestamp="1615186943"
    )


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"AppId": None}, 100000001),
        ({"AppId": "x"}, 100000001),
        ({"AppId": "-1"}, 100000001),
        ({"AppId": "4294967296"}, 100000001),
        ({"Timestamp": None}, 100000002),
        ({"Timestamp": "soon"}, 100000003),
        ({"Timestamp": "1.5"}, 100000003),
        ({"Timestamp": "٣"}, 100000003),
        ({"Timestamp": str(NOW - 601)}, 100000004),
        ({"Timestamp": str(NOW + 601)}, 100000004),
        ({"Signature": "0" * 32}, 100000005),
        ({"Action": None}, 100000006),
        ({"Action": ""}, 100000006),
        ({"Action": "Dance"}, 100000007),
        ({"Action": "kickoutuser"}, 100000007),
        ({"SignatureNonce": None}, 100000008),
        ({"SignatureNonce": ""}, 100000008),
        ({"Signature": None}, 100000009),
        ({"AppId": "8"}, 100000011),
        ({"SignatureVersion": None}, 100000013),
        ({"SignatureVersion": "1.0"}, 100000014),
        ({"IsTest": "perhaps"}, 2),
        ({"IsTest": "TRUE"}, 0),
    ],
)
async def test_common_parameters(house: ApiHouse, over: dict[str, str | None], code: int) -> None:
    assert (await house.get(house.signed(ROOMS, **over)))["Code"] == code


async def test_bad_host(house: ApiHouse) -> None:
    answer = await house.client.get("/", params=house.signed(ROOMS), headers={"Host": "a b"})
    assert answer.status_code == 200 and answer.json()["Code"] == 100000000


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 5000, b'{"RoomId": "\\ud800"}', b"a=b", b" " * 65_537])
async def test_unreadable_body(house: ApiHouse, body: bytes) -> None:
    assert (await house.post(house.signed("DescribeUserList"), body))["Code"] == 100000012


async def test_unreadable_body_uses_the_nonce_up(house: ApiHouse) -> None:
    query = house.signed("DescribeUserList")
    assert (await house.post(query, b"{"))["Code"] == 100000012
    assert (await house.post(query, {"RoomId": "r"}))["Code"] == 100000004


async def test_too_many_parameters(house: ApiHouse) -> None:
    assert (await house.get([*house.signed(ROOMS).items(), *((f"x{n}", "1") for n in range(300))]))["Code"] == 100000012


async def test_common_parameter_given_twice_counts_for_nothing(house: ApiHouse) -> None:
    query = list(house.signed(ROOMS).items())
    assert (await house.get([*query, ("AppId", "8")]))["Code"] == 100000001
    assert (await house.get([*house.signed(ROOMS).items(), ("Action", "CloseRoom")]))["Code"] == 100000006


async def test_path_and_query_must_not_name_different_actions(house: ApiHouse) -> None:
    assert (await house.get(house.signed(ROOMS), f"/v2/{ROOMS}"))["Code"] == 0
    assert (await house.get(house.signed("CloseRoom"), f"/v2/{ROOMS}"))["Code"] == 100000006
    assert (await house.get(house.signed("X", Action=None), "/v2/Dance"))["Code"] == 100000007


async def test_both_secrets_sign_while_one_is_replaced(house: ApiHouse) -> None:
    assert (await house.get(house.signed(ROOMS, secret=OLD_SECRET)))["Code"] == 0


async def test_nonce_is_good_once_until_its_signature_has_expired(house: ApiHouse) -> None:
    """Also when the timestamp was ahead of our clock."""
    house.now = NOW + 600
    query = house.signed(ROOMS)
    house.now = NOW
    assert (await house.get(query))["Code"] == 0
    house.now = NOW + 1200
    assert (await house.get(query))["Code"] == 100000004
    # A fresh signature over the same nonce is still a nonce that was used.
    again = {**house.signed(ROOMS), "SignatureNonce": query["SignatureNonce"]}
    again["Signature"] = sign_server_api(APP, again["SignatureNonce"], OLD_SECRET, again["Timestamp"])
    assert (await house.get(again))["Code"] == 100000004


async def test_replay_protection_is_a_setting() -> None:
    async with api_house(replay_protection=False) as house:
        query = house.signed(ROOMS)
        assert (await house.get(query))["Code"] == 0
        assert (await house.get(query))["Code"] == 0


async def test_nonces_are_shared_by_the_nodes_of_a_store() -> None:
    async with api_house(store_url="memory://nonces") as first, api_house(store_url="memory://nonces") as second:
        query = first.signed(ROOMS)
        assert (await first.get(query))["Code"] == 0
        assert (await second.get(query))["Code"] == 100000004


async def test_wrongly_signed_request_uses_no_nonce_up(house: ApiHouse) -> None:
    query = house.signed(ROOMS)
    assert (await house.get({**query, "Signature": "0" * 32}))["Code"] == 100000005
    assert (await house.get(query))["Code"] == 0


async def test_rates_of_an_app_and_of_a_room() -> None:
    async with api_house(rates={**dict.fromkeys(ACTIONS, 0.0), "DescribeUserNum": 2}, room_rates={"DescribeUserList": 1}) as house:
        codes = [(await house.do("DescribeUserNum", RoomId=["r"]))["Code"] for _ in range(3)]
        assert codes == [0, 0, 206]
        codes = [(await house.do("DescribeUserList", RoomId=room))["Code"] for room in ("a", "a", "b")]
        assert codes == [0, 207, 0]


async def test_rates_of_the_cloud_hold_without_settings() -> None:
    async with api_house(rates={}, room_rates={}) as house:
        await house.enter("alice")
        assert [(await house.do("DescribeSimpleStreamList", RoomId="r"))["Code"] for _ in range(2)] == [0, 207]
        await house.enter("alice", "r2")
        assert [(await house.do("CloseRoom", RoomId="r2"))["Code"] for _ in range(2)] == [0, 206]


async def test_defect_is_an_internal_error_and_nothing_more(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(house.rooms, "nodes", broken)
    answer = await house.do("HearthDescribeNodes")
    assert answer["Code"] == 100000015 and "secret" not in answer["Message"]


async def test_store_away_is_an_internal_error_that_says_try_again(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from rooms.errors import StoreUnavailable

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(house.rooms, "nodes", away)
    answer = await house.do("HearthDescribeNodes")
    assert answer["Code"] == 100000015 and "try again" in answer["Message"]


async def test_requests_are_counted_without_naming_what_strangers_invent(house: ApiHouse) -> None:
    await house.do(ROOMS)
    await house.do("MadeUp")
    text = house.metrics.text().decode()
    assert f'hearth_cloud_api_requests_total{{action="{ROOMS}",code="0"}} 1.0' in text
    assert 'action="unknown",code="100000007"' in text and "MadeUp" not in text


async def test_answers_are_not_kept(house: ApiHouse) -> None:
    answer = await house.client.get("/", params=house.signed(ROOMS))
    assert answer.headers["cache-control"] == "no-store" and answer.headers["content-type"] == "application/json"


async def test_arrays_in_every_spelling(house: ApiHouse) -> None:
    await house.enter("alice")
    for items in (
        [("UserId[]", "alice"), ("UserId[]", "x")], [("UserId[0]", "alice"), ("UserId[1]", "x")], [("UserId", "alice"), ("UserId", "x")]
    ):  # fmt: skip
        answer = await house.get([*house.signed("DescribeUsers").items(), ("RoomId", "r"), *items])
        assert [user["Status"] for user in answer["Data"]["UserStatusList"]] == [1, 0]
    answer = await house.get([*house.signed("DescribeUsers").items(), ("RoomId", "r"), ("UserId", "alice")])
    assert [user["UserId"] for user in answer["Data"]["UserStatusList"]] == ["alice"]
    answer = await house.post(house.signed("DescribeUsers"), {"RoomId": "r", "UserId[]": ["alice"]})
    assert [user["UserId"] for user in answer["Data"]["UserStatusList"]] == ["alice"]


async def test_texts_are_decoded_once(house: ApiHouse) -> None:
    await house.enter("alice")
    answer = await house.do_get("SendBroadcastMessage", RoomId="r", UserId="s", MessageCategory=2, MessageContent="100%25 ü+&")
    assert answer["Code"] == 0
    heard = house.ears["alice"].heard[-1]
    assert getattr(heard, "content", "") == "100%25 ü+&"
