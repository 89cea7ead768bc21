"""The numbers that the cloud answers with (``protocol/zego-cloud.md`` §2.2, §2.3). 0 is success."""

from __future__ import annotations

import enum

OK = 0


class GatewayCode(enum.IntEnum):
    """What is refused before an action is looked at (§2.2)."""

    BAD_HOST = 100000000
    BAD_APP_ID = 100000001
    TIMESTAMP_MISSING = 100000002
    TIMESTAMP_MALFORMED = 100000003
    EXPIRED = 100000004
    """The signature's time is more than ten minutes away from ours. Also for a nonce that was used before: a new signature is the cure."""
    WRONG_SIGNATURE = 100000005
    ACTION_MISSING = 100000006
    ACTION_UNKNOWN = 100000007
    NONCE_MISSING = 100000008
    SIGNATURE_MISSING = 100000009
    SECRET_UNKNOWN = 100000010
    """Never sent: every configured App has a ServerSecret."""
    APP_UNKNOWN = 100000011
    BODY_UNREADABLE = 100000012
    VERSION_MISSING = 100000013
    VERSION_UNSUPPORTED = 100000014
    INTERNAL = 100000015
    """A defect of ours, or the store cannot be reached: try again."""
    NOT_IN_PRODUCTION = 100000016
    """Never sent: there is one environment."""
    SERVICE_NOT_ENABLED = 100000017


class RoomCode(enum.IntEnum):
    """Room actions (§2.3)."""

    FAILED = 1
    BAD_PARAMETER = 2
    TOO_LONG = 3
    ROOM_UNKNOWN = 104
    USER_UNKNOWN = 105
    ADD_STREAM_FAILED = 123
    STREAM_UNKNOWN = 138
    APP_RATE = 206
    ROOM_RATE = 207
    MESSAGE_EMPTY = 1008
    STREAM_OF_ANOTHER_USER = 1012
    CLOSE_ROOM_UNKNOWN = 5024
    """"Room does not exist", as CloseRoom says it (§8 row 19)."""
    USERS_ROOM_UNKNOWN = 50001
    """"Room does not exist", as DescribeUsers says it."""
    USER_OFFLINE = 50003
    TOO_MANY_USERS = 50011
    MESSAGE_TOO_LONG = 50012
    TOO_MANY_RULES = 50123
    RULE_UNKNOWN = 50124


class MediaCode(enum.IntEnum):
    """Media actions: the second family of §2.3."""

    NO_PUBLISH_NODE = 1002
    NO_PLAY_NODE = 1003
    APP_RATE = 1010
    DISPATCH_RATE = 30002
    STREAM_LIST = 30006
    STREAM_FORMAT = 30009
    DISPATCH_TYPE = 30010
    CLIENT_IP = 30011
    STREAM_UNKNOWN = 41004
    STREAM_CLOSED = 41006
    FORBID_FAILED = 42001
    RESUME_FAILED = 42002
    BATCH_FORBID_FAILED = 42003
    BATCH_RESUME_FAILED = 42004
