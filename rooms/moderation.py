"""What an operator forbids: users, by rule, at their next login or publish; streams, at once; sound of a stream, for a time.

Kept in the registry beside the rooms and looked at by the scripts that let somebody in (``rooms/lua/_rules.lua``), so a rule holds on
every node from the moment it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from rooms import identifiers
from rooms.errors import RuleUnknown, SequenceStale, StreamUnknown, TooManyRules
from rooms.limits import RoomLimits
from rooms.model import Clock, RuleType, Stream, StreamRule, StreamState, UserRule, Verdict
from rooms.registry import Done, Registry, members

log = structlog.get_logger()

SEQUENCE_WINDOW = 10_000
"""Milliseconds within which requests about one stream are put in order by their sequence (``zego-cloud.md`` §2.4)."""

_encode = msgspec.json.encode


class Moderation:
    """Part of ``RoomService``. All methods raise ``StoreUnavailable``."""

    def __init__(self, registry: Registry, limits: RoomLimits, clock: Clock, done: Done) -> None:
        self._registry = registry
        self._limits = limits
        self._clock = clock
        self._done = done

    async def _run(self, name: str, app_id: int, *args: str | bytes | int) -> tuple[str, Sequence[Any]]:
        status, published, rest = await self._registry.run(name, app_id, self._clock(), *args)
        await self._done(app_id, published)
        return status, rest

    # --- users

    async def set_user_rule(self, app_id: int, rule: UserRule) -> None:
        """Make a rule, or replace the one about the same. Raises ``TooManyRules``."""
        most = self._limits.address_rules if rule.type is RuleType.ADDRESS else self._limits.user_rules
        denies = f"{int(rule.deny_login)}{int(rule.deny_publish)}"
        status, _ = await self._run("set_ban", app_id, int(rule.type), _what(rule), rule.expires_at, denies, most)
        if status == "many":
            raise TooManyRules(f"at most {most} live rules of this type")
        log.info("user_rule_set", app_id=app_id, type=int(rule.type), room_id=rule.room_id, user_id=rule.user_id, address=rule.ip)

    async def user_rules(self, app_id: int, type: RuleType) -> list[UserRule]:
        """The live rules of a type, soonest to expire first."""
        _, (listed,) = await self._run("bans", app_id, int(type))
        return [_rule(type, listed[i].decode(), listed[i + 1].decode()) for i in range(0, len(listed), 2)]

    async def delete_user_rule(self, app_id: int, rule: UserRule) -> None:
        """Take back the rule about the same as ``rule``. Raises ``RuleUnknown``."""
        status, _ = await self._run("lift_ban", app_id, int(rule.type), _what(rule))
        if status == "none":
            raise RuleUnknown("no such rule")
        log.info("user_rule_deleted", app_id=app_id, type=int(rule.type), room_id=rule.room_id, user_id=rule.user_id, address=rule.ip)

    # --- streams

    async def set_stream_rule(self, app_id: int, rule: StreamRule) -> None:
        """Mute a stream until the rule expires; the last call wins. Running media follows on every node."""
        identifiers.check_room_id(rule.room_id, self._limits)
        identifiers.check_stream_id(rule.stream_id, self._limits)
        parts = f"{int(rule.mute_audio)}{int(rule.mute_video)}"
        await self._run("mute", app_id, rule.room_id, rule.stream_id, _encode(rule.stream_id), rule.expires_at, parts)
        log.info("stream_muted", app_id=app_id, room_id=rule.room_id, stream_id=rule.stream_id)

    async def delete_stream_rule(self, app_id: int, room_id: str, stream_id: str) -> None:
        """Take the mute of a stream back; none is no error."""
        await self._run("mute", app_id, room_id, stream_id, _encode(stream_id), 0, "00")
        log.info("stream_unmuted", app_id=app_id, room_id=room_id, stream_id=stream_id)

    async def stream_rules(self, app_id: int, room_id: str, stream_ids: Sequence[str]) -> list[StreamRule]:
        """The live rule of each stream asked for; one without a rule mutes nothing and has no times."""
        _, (listed,) = await self._run("stream_rules", app_id, room_id, *stream_ids)
        return [self._stream_rule(room_id, stream_id, listed[2 * i]) for i, stream_id in enumerate(stream_ids)]

    async def verdict(self, app_id: int, room_id: str, stream_id: str) -> Verdict:
        """What counts for a stream that is about to be published or played."""
        _, (listed,) = await self._run("stream_rules", app_id, room_id, stream_id)
        rule = self._stream_rule(room_id, stream_id, listed[0])
        return Verdict(bool(listed[1]), rule.expires_at if rule.mute_audio else 0)

    def _stream_rule(self, room_id: str, stream_id: str, raw: bytes | None) -> StreamRule:
        if raw is None:
            return StreamRule(room_id, stream_id)
        expires, parts, created = raw.decode().split()
        if int(expires) <= self._clock():
            return StreamRule(room_id, stream_id)
        return StreamRule(room_id, stream_id, parts[0] == "1", parts[1] == "1", int(created), int(expires))

    async def forbid_stream(self, app_id: int, stream_id: str, sequence: int) -> None:
        """Nobody publishes or plays the stream from now on, on any node; the id need not be known. Raises ``SequenceStale``."""
        await self._forbid(app_id, stream_id, sequence, on=True)

    async def resume_stream(self, app_id: int, stream_id: str, sequence: int) -> None:
        """Allow a forbidden stream again. Raises ``SequenceStale``."""
        await self._forbid(app_id, stream_id, sequence, on=False)

    async def _forbid(self, app_id: int, stream_id: str, sequence: int, *, on: bool) -> None:
        identifiers.check_stream_id(stream_id, self._limits)
        status, _ = await self._run("forbid", app_id, stream_id, int(on), sequence, SEQUENCE_WINDOW)
        if status == "stale":
            raise SequenceStale("a later request about this stream was carried out already")
        log.info("stream_forbidden" if on else "stream_allowed", app_id=app_id, stream_id=stream_id)

    async def stream_state(self, app_id: int, stream_id: str) -> StreamState | None:
        """Whether a stream is on the air, or was within the last hour."""
        status, rest = await self._run("stream_state", app_id, stream_id)
        return None if status == "none" else StreamState(int(rest[0]), int(rest[1]))

    # --- the stream list

    async def add_stream(
        self, app_id: int, room_id: str, user_id: str, user_name: str, stream_id: str, extra_info: str, node_id: str = ""
    ) -> Stream:
        """Put a stream into a room's list in the name of a user, who need not be there. Media is not touched.

        ``node_id``: the node that has its media, if one has.

        Raises ``RoomUnknown``, ``StreamTaken``, ``StreamForbidden``, ``TooManyStreams``, ``InvalidRequest``.
        """
        identifiers.check_stream_id(stream_id, self._limits)
        identifiers.check_stream_extra_info(extra_info, self._limits)
        head = members(stream_id=stream_id, user_id=user_id, user_name=user_name or user_id, room_id=room_id)
        status, rest = await self._run(
            "add_stream", app_id, room_id, stream_id, user_id, head, _encode(extra_info), self._limits.streams_per_session, node_id
        )
        return self._registry.stream_reply(status, rest)

    async def delist_stream(self, app_id: int, room_id: str, user_id: str, stream_id: str) -> Stream:
        """Take a user's stream out of the room's list; the user is not told and its media goes on. Raises ``StreamUnknown``."""
        status, rest = await self._run("delist", app_id, room_id, _encode(user_id) if user_id else "", stream_id)
        if status == "none":
            raise StreamUnknown("the user has no such stream in the room")
        return self._registry.stream_reply(status, rest)


def _what(rule: UserRule) -> str:
    match rule.type:
        case RuleType.ADDRESS:
            return rule.ip
        case RuleType.ROOM:
            return rule.room_id
        case RuleType.USER:
            return rule.user_id
        case RuleType.USER_IN_ROOM:
            return f"{rule.room_id}\n{rule.user_id}"


def _rule(type: RuleType, what: str, value: str) -> UserRule:
    expires, denies = value.split()
    room, _, user = what.partition("\n") if type is RuleType.USER_IN_ROOM else (what, "", what)
    return UserRule(
        type,
        ip=what if type is RuleType.ADDRESS else "",
        room_id=room if type in (RuleType.ROOM, RuleType.USER_IN_ROOM) else "",
        user_id=user if type in (RuleType.USER, RuleType.USER_IN_ROOM) else "",
        deny_login=denies[0] == "1",
        deny_publish=denies[1] == "1",
        expires_at=int(expires),
    )
