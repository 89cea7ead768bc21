"""SetForbidUserRule, DescribeForbidUserRules, DelForbidUserRule: who may not log in or publish.

A rule never interrupts what runs (zego-cloud.md §2.4): it counts at the next login and the next publish. Pair it with KickoutUser.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rooms.errors import RuleUnknown, TooManyRules
from rooms.model import RuleType, UserRule
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import Parameters, Seconds, items, text
from server.proxies import parse_address

RuleTypeNumber = Literal[1, 2, 3, 4]
"""1 IP address, 2 room, 3 user, 4 user in a room."""
LOGIN, PUBLISH = 1, 2
_NEEDED: dict[int, tuple[str, ...]] = {1: ("IP",), 2: ("RoomId",), 3: ("UserId",), 4: ("RoomId", "UserId")}


class RuleKey(Parameters, frozen=True):
    """What a rule is about: IP, RoomId, UserId as its type requires."""

    rule_type: RuleTypeNumber
    ip: Annotated[str, text(45, empty=0)] = msgspec.field(default="", name="IP")
    room_id: Annotated[str, text(128, empty=0)] = ""
    user_id: Annotated[str, text(64, empty=0)] = ""


class SetForbidUserRule(RuleKey, frozen=True, kw_only=True):
    disabled_privilege: Annotated[list[Literal[1, 2]], items(2)]
    """What is denied: 1 login, 2 publish (§8 row 16)."""
    effective_time: Seconds


class DescribeForbidUserRules(Parameters, frozen=True):
    rule_type: RuleTypeNumber


class RuleSet(msgspec.Struct, rename="pascal"):
    expire_time: int
    """Unix seconds."""


class RuleEntry(msgspec.Struct, rename="pascal", kw_only=True):
    rule_type: int
    ip: str = msgspec.field(name="IP")
    room_id: str
    user_id: str
    disabled_privilege_list: list[int]
    expire_time: int


class RuleEntries(msgspec.Struct, rename="pascal"):
    rule_list: list[RuleEntry]


def _rule(asked: RuleKey, privileges: list[Literal[1, 2]], expires_at: int) -> UserRule:
    """The rule; what its type does not use is left out. Raises ``Refused``."""
    given = {"IP": asked.ip, "RoomId": asked.room_id, "UserId": asked.user_id}
    needed = _NEEDED[asked.rule_type]
    missing = [name for name in needed if not given[name]]
    if missing:
        raise Refused(RoomCode.BAD_PARAMETER, f"RuleType {asked.rule_type} needs {', '.join(missing)}")
    if "IP" in needed:
        given["IP"] = _address(asked.ip)
    used = {name: value if name in needed else "" for name, value in given.items()}
    return UserRule(
        type=RuleType(asked.rule_type), ip=used["IP"], room_id=used["RoomId"], user_id=used["UserId"],
        deny_login=LOGIN in privileges, deny_publish=PUBLISH in privileges, expires_at=expires_at,
    )  # fmt: skip


def _address(text: str) -> str:
    """An IP address as those of clients are written. Raises ``Refused``."""
    address = parse_address(text)
    if address is None:
        raise Refused(RoomCode.BAD_PARAMETER, "IP: not an IP address")
    return str(address)


async def _set_rule(call: Call, asked: SetForbidUserRule) -> RuleSet:
    expires_at = call.house.clock() + asked.effective_time * 1000
    try:
        await call.rooms.moderation.set_user_rule(call.app_id, _rule(asked, asked.disabled_privilege, expires_at))
    except TooManyRules as refusal:
        raise Refused(RoomCode.TOO_MANY_RULES, str(refusal) or "too many live rules of this type") from None
    return RuleSet(expires_at // 1000)


async def _describe_rules(call: Call, asked: DescribeForbidUserRules) -> RuleEntries:
    return RuleEntries(
        [
            RuleEntry(
                rule_type=rule.type, ip=rule.ip, room_id=rule.room_id, user_id=rule.user_id,
                disabled_privilege_list=[LOGIN] * rule.deny_login + [PUBLISH] * rule.deny_publish, expire_time=rule.expires_at // 1000,
            )
            for rule in await call.rooms.moderation.user_rules(call.app_id, RuleType(asked.rule_type))
        ]
    )  # fmt: skip


async def _delete_rule(call: Call, asked: RuleKey) -> None:
    try:
        await call.rooms.moderation.delete_user_rule(call.app_id, _rule(asked, [], 0))
    except RuleUnknown:
        raise Refused(RoomCode.RULE_UNKNOWN, "there is no such rule") from None


ACTIONS = (
    Action(
        "SetForbidUserRule", "Denies login or publishing to an address, a room, a user, or a user in a room, for a time.",
        Family.ROOM, SetForbidUserRule, _set_rule, RuleSet, rate=10, codes={RoomCode.TOO_MANY_RULES: "too many live rules of this type"},
    ),
    Action(
        "DescribeForbidUserRules", "Lists the rules of a type.",
        Family.ROOM, DescribeForbidUserRules, _describe_rules, RuleEntries, rate=10,
    ),
    Action(
        "DelForbidUserRule", "Takes a rule back before its time.",
        Family.ROOM, RuleKey, _delete_rule, rate=10, codes={RoomCode.RULE_UNKNOWN: "there is no such rule"},
    ),
)  # fmt: skip
