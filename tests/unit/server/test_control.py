"""Who may give orders over ``/control``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import cast

import pytest

from auth.signatures import sign_request
from rooms.errors import RoomUnknown, StoreUnavailable, UserUnknown
from rooms.model import RoomInfo, User
from rooms.service import RoomPage, RoomService
from server.apps import AppDirectory, build_apps
from server.control import WINDOW_SECONDS, Control, ControlRefused, SeenNonces
from server.control_headers import HEADERS
from server.metrics import Metrics
from server.sdk_logs import SdkLogs
from server.settings import AppSettings, LimitSettings

APP, FIRST, SECOND = 7, "0123456789abcdef" * 2, "fedcba9876543210" * 2
NOW = 1_700_000_000


@dataclass
class FakeRooms:
    """One room, "r", with one user, "u"."""

    kicked: list[tuple[int, str, str, str]] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False

    async def rooms(self, app_id: int, *, limit: int, cursor: str) -> RoomPage:
        if self.away:
            raise StoreUnavailable("away")
        return RoomPage((RoomInfo(app_id, "r", 1, 2, 1, 0),), "")

    async def users(self, app_id: int, room_id: str) -> list[User]:
        return [User("u", "name", 2, 5, session_id=12345)] if (app_id, room_id) == (APP, "r") else []

    async def kick(self, app_id: int, room_id: str, user_id: str, *, message: str) -> None:
        if room_id != "r":
            raise RoomUnknown
        if user_id != "u":
            raise UserUnknown
        self.kicked.append((app_id, room_id, user_id, message))

    async def broadcast_from_server(self, app_id: int, room_id: str, user_id: str, user_name: str, content: str) -> None:
        self.sent.append((user_id, content))


class House:
    def __init__(self) -> None:
        self.now = NOW
        self.rooms = FakeRooms()
        self.metrics = Metrics()
        apps = AppDirectory(build_apps([AppSettings.model_validate({"app_id": APP, "server_secrets": [FIRST, SECOND]})]))
        logs = SdkLogs(LimitSettings(), self.metrics, is_served=lambda _: True, clock=self.clock)
        self.control = Control(apps, cast(RoomService, self.rooms), logs, self.metrics, self.clock)
        self.nonces = 0

    def clock(self) -> int:
        return self.now * 1000

    def signed(self, action: str, body: bytes, *, secret: str = FIRST, app_id: int = APP, at: int = NOW) -> dict[str, str]:
        self.nonces += 1
        signature = sign_request(secret, method="POST", path=f"/control/{action}", timestamp=str(at), nonce=f"n{self.nonces}", body=body)
        return dict(zip(HEADERS, (str(app_id), str(at), f"n{self.nonces}", signature), strict=True))

    async def do(self, action: str, body: object = None, *, secret: str = FIRST, app_id: int = APP, at: int = NOW) -> object:
        content = json.dumps(body or {}).encode()
        headers = self.signed(action, content, secret=secret, app_id=app_id, at=at)
        return await self.control.handle(action, f"/control/{action}", headers, content)


async def refused(work: object) -> ControlRefused:
    with pytest.raises(ControlRefused) as caught:
        await work  # type: ignore[misc]
    return caught.value


@pytest.mark.parametrize("secret", [FIRST, SECOND])
async def test_both_secrets_of_an_app_are_good(secret: str) -> None:
    data = await House().do("rooms", secret=secret)
    assert data == {
        "rooms": [{"app_id": APP, "room_id": "r", "lifetime_id": 1, "created_at": 2, "user_count": 1, "stream_count": 0}],
        "cursor": "",
    }


async def test_wrong_secret_and_unknown_app_are_refused_alike() -> None:
    house = House()
    wrong = await refused(house.do("rooms", secret="x" * 32))
    unknown = await refused(house.do("rooms", app_id=8))
    assert (wrong.status, wrong.kind) == (unknown.status, unknown.kind) == (401, "WrongSignature")


@pytest.mark.parametrize("missing", HEADERS)
async def test_every_header_is_needed(missing: str) -> None:
    house = House()
    headers = house.signed("rooms", b"{}")
    del headers[missing]
    assert (await refused(house.control.handle("rooms", "/control/rooms", headers, b"{}"))).kind == "NotSigned"


@pytest.mark.parametrize(
    ("name", "value"), [(HEADERS[0], "-1"), (HEADERS[0], "٧"), (HEADERS[1], "1e9"), (HEADERS[2], "n" * 65), (HEADERS[1], "9" * 40)]
)
async def test_malformed_headers_are_refused(name: str, value: str) -> None:
    house = House()
    headers = {**house.signed("rooms", b"{}"), name: value}
    assert (await refused(house.control.handle("rooms", "/control/rooms", headers, b"{}"))).status == 401


async def test_signature_covers_action_and_body() -> None:
    house = House()
    headers = house.signed("rooms", b"{}")
    assert (await refused(house.control.handle("kick", "/control/kick", headers, b"{}"))).kind == "WrongSignature"
    assert (await refused(house.control.handle("rooms", "/control/rooms", headers, b"[]"))).kind == "WrongSignature"


@pytest.mark.parametrize("skew", [-WINDOW_SECONDS, 0, WINDOW_SECONDS])
async def test_clocks_may_differ_by_ten_minutes(skew: int) -> None:
    assert await House().do("rooms", at=NOW + skew)


@pytest.mark.parametrize("skew", [-WINDOW_SECONDS - 1, WINDOW_SECONDS + 1])
async def test_clocks_may_not_differ_by_more(skew: int) -> None:
    assert (await refused(House().do("rooms", at=NOW + skew))).kind == "WrongTime"


async def test_recorded_request_is_not_carried_out_again() -> None:
    house = House()
    body = json.dumps({"room_id": "r", "user_id": "u", "reason": "rude"}).encode()
    headers = house.signed("kick", body, at=NOW + WINDOW_SECONDS)
    await house.control.handle("kick", "/control/kick", headers, body)
    assert (await refused(house.control.handle("kick", "/control/kick", headers, body))).kind == "Replayed"
    # As long as its timestamp is inside the window.
    house.now += 2 * WINDOW_SECONDS
    assert (await refused(house.control.handle("kick", "/control/kick", headers, body))).kind == "Replayed"
    house.now += 1
    assert (await refused(house.control.handle("kick", "/control/kick", headers, body))).kind == "WrongTime"
    assert house.rooms.kicked == [(APP, "r", "u", "rude")]


def test_nonces_of_the_past_are_forgotten_and_too_many_are_refused() -> None:
    now = NOW
    seen = SeenNonces(lambda: now * 1000, most=2)
    assert seen.use(1, "a") and seen.use(2, "a")
    assert not seen.use(1, "a") and not seen.use(1, "b")
    now += 2 * WINDOW_SECONDS + 1
    assert seen.use(1, "b")


async def test_refusals_say_what_is_wrong() -> None:
    house = House()
    assert (await refused(house.do("kick", {"room_id": "x", "user_id": "u"}))).kind == "RoomUnknown"
    assert (await refused(house.do("kick", {"room_id": "r", "user_id": "x"}))).kind == "UserUnknown"
    assert (await refused(house.do("users", {"room_id": "x"}))).kind == "RoomUnknown"
    assert (await refused(house.do("kick", {"room_id": "r"}))).status == 400
    assert (await refused(house.do("kick", {"room_id": "r", "user_id": "u", "x": 1}))).status == 400
    assert (await refused(house.do("dance"))).status == 404
    house.rooms.away = True
    assert (await refused(house.do("rooms"))).status == 503


async def test_session_ids_stay_inside() -> None:
    assert "12345" not in json.dumps(await House().do("users", {"room_id": "r"}))


async def test_message_is_sent() -> None:
    house = House()
    await house.do("send", {"room_id": "r", "content": "hello", "user_id": "host"})
    assert house.rooms.sent == [("host", "hello")]


async def test_requests_are_counted_without_naming_what_strangers_invent() -> None:
    house = House()
    await house.do("rooms")
    await refused(house.do("made-up"))
    text = house.metrics.text().decode()
    assert 'hearth_control_requests_total{action="rooms",result="ok"} 1.0' in text
    assert 'action="unknown"' in text and "made-up" not in text
