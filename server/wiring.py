"""Settings turned into what each part of the house asks for."""

from __future__ import annotations

import secrets
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import msgspec

from calls.settings import CallSettings
from media.bridge.config import BridgeConfig
from media.config import MediaConfig
from media.rtmp.config import PlayerLimits, RtmpConfig
from media.turn.config import ExternalTurn, TurnConfig
from rooms.limits import RoomLimits
from rooms.model import NodeInfo, Timings
from server.interfaces import reached_at
from server.listening import in_url, is_wildcard
from server.settings import ExternalTurnSettings, LimitSettings, MediaSettings, Settings
from signaling.accesshub.settings import HubSettings
from signaling.media_json.settings import MediaSocketSettings
from signaling.room_json.settings import RoomSocketSettings

_MS = 1000


def hearth_version() -> str:
    try:
        return version("hearth-rtc")
    except PackageNotFoundError:
        return "unknown"


def media_host(settings: Settings) -> str:
    return settings.media.host or settings.server.host


def announced_addresses(settings: Settings) -> tuple[str, ...]:
    """IP addresses under which this node's media is reached."""
    if settings.media.public_ips:
        return tuple(settings.media.public_ips)
    host = media_host(settings)
    return (*reached_at(host), "127.0.0.1") if is_wildcard(host) else (host,)


def media_config(settings: Settings) -> MediaConfig:
    media = settings.media
    return MediaConfig(
        host=media_host(settings),
        udp_port=media.udp_port,
        public_ips=announced_addresses(settings),
        turn=_own_turn(media),
        turn_external=_external_turn(media.turn_external),
        max_streams=media.max_streams,
        max_players=media.max_players,
        packets_per_second=media.packets_per_second,
        stun_delay_ms=media.stun_delay_ms,
        idle_timeout_ms=int(media.idle_timeout_seconds * _MS),
    )


def rtmp_host(settings: Settings) -> str:
    return settings.rtmp.host or settings.server.host


def rtmp_config(settings: Settings) -> RtmpConfig:
    rtmp = settings.rtmp
    return RtmpConfig(
        host=rtmp_host(settings),
        port=rtmp.port,
        any_port_if_taken="port" not in rtmp.model_fields_set,
        players=PlayerLimits(queue_ms=int(rtmp.queue_seconds * _MS), queue_bytes=rtmp.queue_bytes, stall_ms=int(rtmp.stall_seconds * _MS)),
        handshake_timeout_ms=int(rtmp.handshake_timeout_seconds * _MS),
        idle_timeout_ms=int(rtmp.idle_timeout_seconds * _MS),
        max_connections=rtmp.connections,
        max_connections_per_address=rtmp.connections_per_address,
        max_message=rtmp.message_bytes,
        max_chunk_streams=rtmp.chunk_streams,
        messages_per_second=rtmp.messages_per_second,
    )


def rtmp_address(settings: Settings, port: int) -> str:
    """``rtmp://host[:port]`` of this node. ``port``: the one that is listened on."""
    if settings.rtmp.public_host:
        return f"rtmp://{settings.rtmp.public_host}"
    host = urlsplit(settings.server.public_url).hostname if settings.server.public_url else rtmp_host(settings)
    if not host or is_wildcard(host):
        host = announced_addresses(settings)[0]
    return f"rtmp://{in_url(host)}:{port}"


def rtmp_host_is_clients(settings: Settings) -> bool:
    """Whether ``rtmp_address`` is a guess, and each client knows better by what host it reaches this node."""
    return not settings.rtmp.public_host and not settings.server.public_url and is_wildcard(rtmp_host(settings))


def bridge_config(settings: Settings) -> BridgeConfig:
    bridge = settings.media.bridge
    return BridgeConfig(
        max_bridges=bridge.max_bridges,
        threads=bridge.threads,
        opus_bitrate=bridge.opus_bitrate,
        aac_bitrate=bridge.aac_bitrate,
        linger_ms=int(bridge.linger_seconds * _MS),
        max_delay_ms=bridge.max_delay_ms,
    )


def _own_turn(media: MediaSettings) -> TurnConfig | None:
    turn = media.turn
    if not turn.enabled or media.turn_external.urls:
        return None
    return TurnConfig(
        port=turn.port,
        any_port_if_taken="port" not in turn.model_fields_set,
        max_allocations=turn.max_allocations,
        max_allocations_per_address=turn.max_allocations_per_address,
        lifetime_ms=turn.lifetime_seconds * _MS,
        credential_ms=turn.credential_seconds * _MS,
    )


def _external_turn(turn: ExternalTurnSettings) -> ExternalTurn | None:
    if not turn.urls:
        return None
    return ExternalTurn(tuple(turn.urls), turn.shared_secret.get_secret_value(), turn.credential_seconds * _MS)


def timings(settings: Settings) -> Timings:
    store = settings.store
    return Timings(
        grace=int(store.grace_seconds * _MS),
        session_timeout=int(store.session_timeout_seconds * _MS),
        empty_room=int(store.empty_room_seconds * _MS),
        reservation=int(store.reservation_seconds * _MS),
        node_lease=int(store.node_lease_seconds * _MS),
    )


def room_limits(limits: LimitSettings) -> RoomLimits:
    """Every limit of the rooms that has a setting of the same name."""
    common = {field.name for field in msgspec.structs.fields(RoomLimits)} & set(LimitSettings.model_fields)
    return msgspec.convert({name: getattr(limits, name) for name in common}, RoomLimits)


def call_settings(settings: Settings) -> CallSettings:
    return CallSettings(
        publisher_grace=int(settings.media.publisher_grace_seconds * _MS),
        socket_grace=int(settings.store.grace_seconds * _MS),
        max_media_sessions=settings.limits.media_per_session,
        replace_after=int(settings.rtmp.replace_after_seconds * _MS),
        statistics_interval=int(settings.media.statistics_seconds * _MS),
        statistics_points=max(1, round(settings.media.statistics_minutes * 60 / settings.media.statistics_seconds)),
    )


def room_socket_settings(settings: Settings) -> RoomSocketSettings:
    return RoomSocketSettings(
        log_url=settings.server.sdk_log_url,
        user_notify_limit=settings.limits.user_notify_limit,
        frame_size=settings.limits.frame_bytes,
        login_timeout=int(settings.limits.login_timeout_seconds * _MS),
        commands_per_second=settings.limits.requests_per_second,
        command_burst=2 * settings.limits.requests_per_second,
        outbox_frames=settings.limits.queued_frames,
        heartbeat_interval=heartbeat_interval(settings),
    )


def hub_settings(settings: Settings) -> HubSettings:
    return HubSettings(
        user_notify_limit=settings.limits.user_notify_limit,
        frame_size=settings.limits.frame_bytes,
        # SDKs dial when an engine is made and hang up themselves after 90 s without traffic: hardly before that.
        login_timeout=max(HubSettings().login_timeout, int(settings.limits.login_timeout_seconds * _MS)),
        commands_per_second=settings.limits.requests_per_second,
        command_burst=2 * settings.limits.requests_per_second,
        outbox_frames=settings.limits.queued_frames,
        heartbeat_interval=heartbeat_interval(settings),
        heartbeat_timeout=2 * heartbeat_interval(settings),
        rtmp_port=settings.rtmp.port,
    )


def heartbeat_interval(settings: Settings) -> int:
    """What clients are told, ms: three heartbeats fit into ``session_timeout``, within what SDKs accept (at least 3 s) and use (30 s)."""
    return max(3_000, min(30_000, int(settings.store.session_timeout_seconds * _MS / 3)))


def media_socket_settings(settings: Settings) -> MediaSocketSettings:
    limits = settings.limits
    return MediaSocketSettings(
        max_frame=min(limits.frame_bytes, MediaSocketSettings().max_frame),
        messages_per_second=limits.media_requests_per_second,
        message_burst=4 * limits.media_requests_per_second,
        max_queued_frames=limits.queued_frames,
        login_timeout=int(limits.login_timeout_seconds * _MS),
        quality_interval=int(settings.media.quality_report_seconds * _MS),
    )


def node_info(settings: Settings, port: int, started_at: int) -> NodeInfo:
    """This process, as other nodes find it. ``port``: the TCP port that it listens on."""
    server = settings.server
    media_port = f":{settings.media.udp_port}" if settings.media.udp_port else ""
    return NodeInfo(
        node_id=server.node_id or f"node-{secrets.token_hex(4)}",
        ws_url=_own_ws_url(settings, port),
        media_addresses=tuple(f"{in_url(address)}{media_port}" for address in announced_addresses(settings)),
        started_at=started_at,
        version=hearth_version(),
    )


def listening_address(settings: Settings, port: int) -> str:
    """``ws://host:port`` as this process listens."""
    return f"{'wss' if settings.server.dev_tls else 'ws'}://{in_url(settings.server.host)}:{port}"


def _own_ws_url(settings: Settings, port: int) -> str:
    if settings.server.public_url:
        return "ws" + settings.server.public_url.removeprefix("http")
    shared = not settings.store.url.startswith("memory:")
    if shared and not is_wildcard(settings.server.host):
        # Several nodes on one machine: without an address of its own, a client of another node would be sent to that one.
        return listening_address(settings, port)
    return ""
