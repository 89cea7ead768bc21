"""GenerateIdentifyToken: lets a third party (a moderation service) into rooms to listen, without a user's token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from auth.identify_token import write_identify_token
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.parameters import Parameters

MOST_SECONDS = 30 * 86_400


class GenerateIdentifyToken(Parameters, frozen=True):
    effective_time: Annotated[int, Meta(ge=1, le=MOST_SECONDS)] = 3600
    """Seconds."""


class IdentifyToken(msgspec.Struct, rename="pascal"):
    identify_token: str
    remain_time: int
    """Seconds."""


async def _generate(call: Call, asked: GenerateIdentifyToken) -> IdentifyToken:
    now = call.house.clock() // 1000
    token = write_identify_token(call.app.keys, now=now, ttl=asked.effective_time, random_bytes=call.house.rng.randbytes)
    return IdentifyToken(token, asked.effective_time)


ACTIONS = (
    Action(
        "GenerateIdentifyToken", "A login token for any room and any userID that allows to play, never to publish.",
        Family.ROOM, GenerateIdentifyToken, _generate, IdentifyToken, rate=100,
    ),
)  # fmt: skip
