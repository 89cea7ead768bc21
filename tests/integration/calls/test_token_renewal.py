"""A session and its token: what ends with the token, what a renewal saves."""

from __future__ import annotations

import msgspec
import pytest

from auth import AppKeys, TokenExpired, TokenKind, issue_token
from calls.service import EnterRequest
from rooms.model import Client
from tests.integration.calls.nodes import ROOM, Ears, nodes_on
from tests.unit.calls.fakes import APP_ID, NOW, SECRET

TTL = 60


def token(user_id: str, now: int, ttl: int) -> str:
    return issue_token(TokenKind.TOKEN04, keys=AppKeys(APP_ID, (SECRET,)), user_id=user_id, now=now // 1000, ttl=ttl)


def request(user_id: str) -> EnterRequest:
    return EnterRequest(APP_ID, ROOM, user_id, user_id.upper(), token(user_id, NOW, TTL), Client("web", "3.12.0", "192.0.2.7"))


async def test_a_session_outlives_its_first_token_once_that_is_renewed(store_url: str) -> None:
    async with nodes_on(store_url) as nodes:
        node = await nodes.start("here")
        amy, bob = request("amy"), request("bob")
        entered = {asked.user_id: (await node.calls.login(asked, Ears())).session for asked in (amy, bob)}
        renewed = token("amy", NOW, 3600)
        assert await node.calls.renew_token(entered["amy"], renewed) == 3600

        nodes.clock.now += (TTL + 1) * 1000
        assert await node.calls.publish_urls(entered["amy"], "of-amy", "webrtc", "wss://here")
        with pytest.raises(TokenExpired):
            await node.calls.publish_urls(entered["bob"], "of-bob", "webrtc", "wss://here")
        # Who did not renew stays in the room: only what is begun anew wants a token that is good.
        view = node.rooms.view(APP_ID, ROOM)
        assert view is not None and set(view.users) == {"amy", "bob"}

        for user_id, session in entered.items():
            await node.rooms.detach(session, b"")
            if user_id == "bob":
                with pytest.raises(TokenExpired):
                    await node.calls.login(msgspec.structs.replace(bob, resume=session.session_id), Ears())
        again = msgspec.structs.replace(amy, token=renewed, resume=entered["amy"].session_id)
        back = await node.calls.login(again, Ears())
        assert back.resumed and back.session.session_id == entered["amy"].session_id
        assert node.calls.token_remaining(back.session) == 3600 - TTL - 1
