"""Every number of the room rules (``protocol/zego-cloud.md`` §4), each a setting."""

from __future__ import annotations

import msgspec


class RoomLimits(msgspec.Struct, frozen=True):
    """Sizes are bytes of UTF-8, rates are per second. A rate of 0 switches that limit off."""

    # Identifiers (§4.1). The documents contradict each other by one byte (§8 row 5); the longer form is accepted.
    room_id_bytes: int = 128
    room_id_pattern: str = r"[0-9A-Za-z~!@#$%^&*()_+=\-`;'\\,.<>/]+"
    """The native SDKs' list: a superset of what the web and mini-program SDKs allow."""
    user_id_bytes: int = 64
    user_id_pattern: str = r"[0-9A-Za-z~!@#$%^&*()_+=\-`;'\\,.]+"
    user_name_bytes: int = 256
    user_name_may_be_empty: bool = False
    stream_id_bytes: int = 256
    stream_id_pattern: str = r"[0-9A-Za-z_-]+"
    stream_extra_info_bytes: int = 1024

    # Room attributes (§4.1; §8 row 6).
    extra_info_keys: int = 1
    """Keys per room."""
    extra_info_key_bytes: int = 10
    extra_info_value_bytes: int = 128
    extra_info_rate: float = 10
    """Per session."""

    # Messages (§4.2).
    broadcast_bytes: int = 1024
    broadcast_rate: float = 2
    """Per session (§8 row 8)."""
    broadcast_room_rate: float = 10
    """All sessions of a room on one node together."""
    barrage_bytes: int = 1024
    barrage_rate: float = 20
    command_bytes: int = 1024
    """What the app itself sends. A dialect whose frame wraps it (mini-program: ``custom_msg``) checks this before."""
    command_frame_bytes: int = 8192
    """What ``Messages.send_command`` accepts: the app's text in its dialect's wrapping, escapes included."""
    command_rate: float = 200
    """To one user."""
    command_many_rate: float = 10
    """To several users or everybody."""
    command_receivers: int = 500
    transparent_bytes: int = 4096
    """Rates and receivers of transparent and channel messages are those of commands."""
    channel_bytes: int = 10_240

    # Rooms (§4.3).
    login_rate: float = 200
    """Per room, all users on one node together."""
    streams_per_session: int = 20
    """Held or reserved. The cloud has no documented number; this bounds what one client can take."""
    address_rules: int = 100
    """Live rules about addresses (SetForbidUserRule, §2.4)."""
    user_rules: int = 200
    """Live rules of each other type."""
    user_notify_limit: int = 500
    """From this many users on, later ones are not announced (§4.4). Carried out by the dialects."""

    # Bounds of our own.
    log_events: int = 256
    """How many events of a room a node may miss before it needs a snapshot. The log holds at most twice as many."""
    told_bytes: int = 65_536
    """Longest wire state that ``detach`` keeps; a longer one is dropped, its client is resynchronised."""
    waiting_events: int = 4096
    """Events held back per room while its view is being brought up to date; more are dropped and a snapshot is taken."""
