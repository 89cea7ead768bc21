"""A media socket whose room session is over belongs to the session that the same user has by now."""

from __future__ import annotations

import asyncio

import pytest

from calls.addresses import MediaCredential
from calls.errors import AddressStale
from calls.media_owner import MediaClaim
from calls.settings import CallSettings
from rooms.events import EndReason
from tests.unit.calls.fakes import APP_ID, FakePeer, House
from tests.waiting import until


def old_address() -> MediaCredential:
    """Given by a server that has been restarted since."""
    return MediaCredential(APP_ID, 99, "key")


async def test_who_is_back_in_the_room_already_is_known_by_the_token() -> None:
    house = House()
    before = house.rooms.enter("amy")
    address = MediaCredential(APP_ID, before.session_id, before.media_key)
    house.rooms.gone(before, EndReason.TIMEOUT)
    now = house.rooms.enter("amy")
    claim = MediaClaim("amy", "r", house.token("amy"), ((7, "lost with the server"),))
    login = await house.calls.media_login(address, claim, FakePeer())
    assert (login.owner, login.unknown) == (now, (7,))
    await house.calls.open_publisher(login, "s", "offer")
    assert house.rooms.held[APP_ID, "s"].session_id == now.session_id


async def test_who_is_on_the_way_to_the_room_is_waited_for() -> None:
    house = House(settings=CallSettings(return_wait=60_000))
    waiting = asyncio.create_task(house.calls.media_login(old_address(), MediaClaim("amy", "r", house.token("amy")), FakePeer()))
    await until(lambda: house.rooms.watchers)
    house.rooms.come_in("bob")
    amy = house.rooms.come_in("amy")
    assert (await waiting).owner == amy
    assert not house.rooms.watchers


async def test_who_does_not_come_is_told_that_the_address_is_stale() -> None:
    house = House(settings=CallSettings(return_wait=1))
    with pytest.raises(AddressStale):
        await house.calls.media_login(old_address(), MediaClaim("amy", "r", house.token("amy")), FakePeer())
    assert not house.rooms.watchers


@pytest.mark.parametrize("token", ["expired", "another user's", "no token"])
async def test_without_a_good_token_nobody_becomes_another(token: str) -> None:
    house = House(settings=CallSettings(return_wait=60_000))
    house.rooms.enter("amy")
    given = {"expired": house.token("amy", ttl=-1), "another user's": house.token("mallory"), "no token": "no token"}[token]
    with pytest.raises(AddressStale):
        await house.calls.media_login(old_address(), MediaClaim("amy", "r", given), FakePeer())
