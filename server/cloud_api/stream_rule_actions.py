"""SetForbidStreamRule, DescribeForbidStreamRules, DelForbidStreamRule: sound or picture of a stream, stopped at the server."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rooms.model import StreamRule
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import Parameters, RoomId, StreamId, items

MOST_SECONDS = 86_400


class SetForbidStreamRule(Parameters, frozen=True):
    room_id: RoomId
    stream_id: StreamId
    disable_audio: Literal[0, 1] = 0
    disable_video: Literal[0, 1] = 0
    effective_time: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 21_600
    """Seconds; more than a day counts as a day."""


class DescribeForbidStreamRules(Parameters, frozen=True):
    room_id: RoomId
    stream_id: Annotated[list[StreamId], items(10)]


class DelForbidStreamRule(Parameters, frozen=True):
    room_id: RoomId
    stream_id: StreamId


class StreamRuleEntry(msgspec.Struct, rename="pascal"):
    stream_id: str
    disable_audio: int
    disable_video: int
    create_time: int
    """Unix seconds; 0 = there is no rule."""
    effective_time: int
    """Seconds (zego-cloud.md §8 row 15)."""


class StreamRuleEntries(msgspec.Struct, rename="pascal"):
    room_id: str
    forbid_stream_rule_list: list[StreamRuleEntry]


async def _set_rule(call: Call, asked: SetForbidStreamRule) -> None:
    if not asked.disable_audio and not asked.disable_video:
        raise Refused(RoomCode.BAD_PARAMETER, "DisableAudio, DisableVideo: at least one must be 1")
    await call.rooms.moderation.set_stream_rule(
        call.app_id,
        StreamRule(
            room_id=asked.room_id, stream_id=asked.stream_id, mute_audio=bool(asked.disable_audio), mute_video=bool(asked.disable_video),
            expires_at=call.house.clock() + min(asked.effective_time, MOST_SECONDS) * 1000,
        ),
    )  # fmt: skip


async def _describe_rules(call: Call, asked: DescribeForbidStreamRules) -> StreamRuleEntries:
    rules = {rule.stream_id: rule for rule in await call.rooms.moderation.stream_rules(call.app_id, asked.room_id, asked.stream_id)}
    return StreamRuleEntries(asked.room_id, [_entry(stream_id, rules.get(stream_id)) for stream_id in asked.stream_id])


def _entry(stream_id: str, rule: StreamRule | None) -> StreamRuleEntry:
    if rule is None:
        return StreamRuleEntry(stream_id, 0, 0, 0, 0)
    seconds = (rule.expires_at - rule.created_at) // 1000
    return StreamRuleEntry(stream_id, int(rule.mute_audio), int(rule.mute_video), rule.created_at // 1000, seconds)


async def _delete_rule(call: Call, asked: DelForbidStreamRule) -> None:
    await call.rooms.moderation.delete_stream_rule(call.app_id, asked.room_id, asked.stream_id)


ACTIONS = (
    Action(
        "SetForbidStreamRule", "Stops sound or picture of a stream at the server, for a time. The last call wins.",
        Family.ROOM, SetForbidStreamRule, _set_rule, rate=10,
    ),
    Action(
        "DescribeForbidStreamRules", "Tells the rules of streams; zeros where there is none.",
        Family.ROOM, DescribeForbidStreamRules, _describe_rules, StreamRuleEntries, rate=10,
    ),
    Action(
        "DelForbidStreamRule", "Takes a rule back; that there is none is no error.",
        Family.ROOM, DelForbidStreamRule, _delete_rule, rate=10,
    ),
)  # fmt: skip
