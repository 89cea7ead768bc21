"""Tokens at the door and before each publish."""

from __future__ import annotations

import pytest

from auth import Privileges, TokenCheck, TokenError, TokenExpired, TokenNotPermitted, TokenWrongUser
from calls.errors import AppUnknown
from calls.service import Calls, EnterRequest
from rooms.errors import SessionUnknown, StreamTaken
from rooms.model import Client, Session
from tests.unit.calls.fakes import APP_ID, BASE, House, NoReceiver

HOUR = 3_600_000


def wish(house: House, user_id: str = "amy", *, token: str | None = None, app_id: int = APP_ID, resume: int = 0) -> EnterRequest:
    token = house.token(user_id) if token is None else token
    return EnterRequest(app_id, "r", user_id, "Amy", token, Client(kind="web"), resume=resume)


async def enter(house: House, user_id: str = "amy", **token: object) -> Session:
    request = wish(house, user_id, token=house.token(user_id, **token))  # type: ignore[arg-type]
    return (await house.calls.login(request, NoReceiver())).session


async def test_a_verified_token_becomes_the_grant_of_the_session() -> None:
    house = House()
    session = await enter(house, ttl=60)
    assert session.grant.expires_at == house.clock() + 60_000
    assert house.calls.token_remaining(session) == 60
    house.clock.forward(59_500)
    assert house.calls.token_remaining(session) == 0


async def test_an_app_that_is_not_served_is_refused() -> None:
    house = House()
    with pytest.raises(AppUnknown):
        await house.calls.login(wish(house, app_id=7), NoReceiver())


@pytest.mark.parametrize("token", ["", "nonsense", "04AAAA"])
async def test_a_bad_token_never_reaches_the_room(token: str) -> None:
    house = House()
    with pytest.raises(TokenError):
        await house.calls.login(wish(house, token=token), NoReceiver())
    assert not house.rooms.sessions


async def test_a_token_of_another_user_is_refused() -> None:
    house = House()
    with pytest.raises(TokenWrongUser):
        await house.calls.login(wish(house, "amy", token=house.token("bob")), NoReceiver())


async def test_an_expired_token_is_refused_at_login_and_at_coming_back() -> None:
    house = House()
    token = house.token("amy", ttl=60)
    session = (await house.calls.login(wish(house, token=token), NoReceiver())).session
    house.clock.forward(61_000)
    with pytest.raises(TokenExpired):
        await house.calls.login(wish(house, token=token, resume=session.session_id), NoReceiver())
    back = await house.calls.login(wish(house, resume=session.session_id), NoReceiver())
    assert back.resumed and back.session.session_id == session.session_id


async def test_the_room_of_the_token_counts_when_the_app_says_so() -> None:
    elsewhere = Privileges(room_id="another")
    await enter(House(check=TokenCheck.IDENTITY), privileges=elsewhere)
    with pytest.raises(TokenNotPermitted):
        await enter(House(check=TokenCheck.LOGIN), privileges=elsewhere)


@pytest.mark.parametrize(
    ("check", "privileges", "stream_id", "allowed"),
    [
        (TokenCheck.IDENTITY, Privileges(publish=False), "s", True),
        (TokenCheck.LOGIN, Privileges(publish=False), "s", True),
        (TokenCheck.LOGIN_PUBLISH, Privileges(publish=False), "s", False),
        (TokenCheck.LOGIN_PUBLISH, Privileges(), "s", True),
        (TokenCheck.LOGIN_PUBLISH, Privileges(stream_ids=("s",)), "s", True),
        (TokenCheck.LOGIN_PUBLISH, Privileges(stream_ids=("s",)), "t", False),
        (TokenCheck.LOGIN_PUBLISH, Privileges(stream_ids=()), "t", True),
    ],
)
async def test_publish_privileges(check: TokenCheck, privileges: Privileges, stream_id: str, allowed: bool) -> None:
    house = House(check=check)
    session = await enter(house, privileges=privileges)
    login, _ = await house.media(session)
    if allowed:
        assert await house.calls.publish_urls(session, stream_id, "webrtc", BASE)
        assert (await house.calls.announce(session, stream_id, "")).on_air
        return
    for attempt in (
        house.calls.publish_urls(session, stream_id, "webrtc", BASE),
        house.calls.announce(session, stream_id, ""),
        house.calls.open_publisher(login, stream_id, "offer"),
    ):
        with pytest.raises(TokenNotPermitted):
            await attempt
    assert not house.rooms.held and not house.plane.open


async def test_an_expired_token_ends_nothing_but_begins_nothing_until_it_is_renewed() -> None:
    house = House()
    session = await enter(house, ttl=60)
    login, peer = await house.media(session)
    await house.calls.publish_urls(session, "s", "webrtc", BASE)
    await house.calls.open_publisher(login, "s", "offer")
    await house.calls.announce(session, "s", "")
    await house.tick(61_000)
    assert house.rooms.held and house.plane.open and not peer.told
    for attempt in (
        house.calls.publish_urls(session, "t", "webrtc", BASE),
        house.calls.announce(session, "t", ""),
        house.calls.open_publisher(login, "t", "offer"),
    ):
        with pytest.raises(TokenExpired):
            await attempt
    # The running one may reconnect.
    await house.calls.publish_urls(session, "s", "webrtc", BASE)
    await house.calls.open_publisher(login, "s", "offer")
    await house.calls.announce(session, "s", "")

    assert await house.calls.renew_token(session, house.token("amy", ttl=600)) == 600
    renewed = await house.rooms.session(session.app_id, session.session_id)
    assert renewed is not None and house.calls.token_remaining(renewed) == 600
    assert await house.calls.publish_urls(session, "t", "webrtc", BASE)


async def test_renewal_wants_a_good_token_of_the_same_user_for_the_same_room() -> None:
    house = House(check=TokenCheck.LOGIN)
    session = await enter(house, privileges=Privileges(room_id="r"))
    for token in ("", house.token("bob"), house.token("amy", ttl=-1), house.token("amy", privileges=Privileges(room_id="other"))):
        with pytest.raises(TokenError):
            await house.calls.renew_token(session, token)
    kept = await house.rooms.session(session.app_id, session.session_id)
    assert kept is not None and house.calls.token_remaining(kept) == HOUR // 1000


async def test_renewals_of_sessions_that_end_by_themselves_leave_nothing_behind() -> None:
    house = House()
    held = _containers(house.calls)
    for _ in range(10):
        session = await enter(house)
        await house.calls.renew_token(session, house.token("amy"))
        del house.rooms.sessions[session.app_id, session.session_id]
    assert _containers(house.calls) == held


def _containers(calls: Calls) -> dict[str, int]:
    return {name: len(value) for name, value in vars(calls).items() if isinstance(value, dict | list | set)}


async def test_a_session_that_is_over_gets_no_address() -> None:
    house = House()
    session = await enter(house)
    await house.calls.leave(session, whole_login=False)
    with pytest.raises(SessionUnknown):
        await house.calls.publish_urls(session, "s", "webrtc", BASE)


async def test_the_second_publisher_of_a_stream_is_refused_when_it_asks_for_an_address() -> None:
    house = House()
    amy, bob = await enter(house, "amy"), await enter(house, "bob")
    await house.calls.publish_urls(amy, "s", "webrtc", BASE)
    with pytest.raises(StreamTaken):
        await house.calls.publish_urls(bob, "s", "webrtc", BASE)
    await house.calls.publish_urls(amy, "s", "webrtc", BASE)
    await house.calls.withdraw(amy, "s")
    await house.calls.publish_urls(bob, "s", "webrtc", BASE)
