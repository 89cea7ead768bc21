"""Figures that are states of the parts, read when ``/metrics`` is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rooms.outbox import Backlog
from server.metrics import Metrics
from signaling.sockets import Sockets

if TYPE_CHECKING:
    from server.app import Hearth


def observe(metrics: Metrics, hearth: Hearth) -> None:
    """Show the state of rooms, media and store of this node."""
    dialects: dict[str, Sockets[Any, Any]] = {"room_json": hearth.room_sockets, "accesshub": hearth.hubs}

    def gauges() -> Mapping[str, tuple[str, float]]:
        counts = hearth.rooms.counts()
        media = hearth.sfu.totals()
        return {
            "hearth_sessions": ("Sessions of users whose connection is on this node.", counts.sessions),
            "hearth_rooms": ("Rooms with somebody on this node.", counts.rooms),
            "hearth_streams": ("Streams on the air in these rooms.", counts.streams),
            "hearth_apps": ("Apps that are served.", len(hearth.apps.all())),
            "hearth_store_up": ("1 = the store is reachable.", hearth.rooms.ready),
            "hearth_draining": ("1 = this node takes no new logins.", hearth.draining),
            "hearth_media_publishers": ("Open publish sessions of WebRTC media.", media.publishers),
            "hearth_media_players": ("Open play sessions of WebRTC media.", media.players),
            "hearth_media_connected": ("Media sessions with ICE and DTLS up.", media.connected),
            "hearth_turn_allocations": ("Allocations of the node's own TURN server.", media.turn_allocations),
            "hearth_rtmp_connections": ("Open RTMP connections.", len(hearth.rtmp.connections) if hearth.rtmp is not None else 0),
            "hearth_bridges_running": ("Streams converted between RTMP and WebRTC now.", sum(hearth.bridges.totals().running.values())),
        }

    def counters() -> Mapping[str, tuple[str, float]]:
        media, bridges = hearth.sfu.totals(), hearth.bridges.totals()
        figures = {
            "hearth_pushes": (
                "Frames sent to clients of the room dialects that answered nothing.",
                sum(sockets.pushes for sockets in dialects.values()),
            ),
            "hearth_media_packets_in": ("RTP packets received from publishers.", media.plane.packets_in),
            "hearth_media_bytes_in": ("Their bytes.", media.plane.bytes_in),
            "hearth_media_packets_out": ("RTP packets sent to players.", media.plane.packets_out),
            "hearth_media_bytes_out": ("Their bytes.", media.plane.bytes_out),
            "hearth_media_datagrams_in": ("UDP datagrams received.", media.plane.datagrams_in),
            "hearth_bridges_failed": ("Conversions between RTMP and WebRTC that ended by an error.", bridges.failed),
            "hearth_bridges_refused": ("Conversions that had to wait because max_bridges were at work.", bridges.refused),
            "hearth_bridge_dropped": ("Packets and frames that conversions left out.", bridges.dropped),
            "hearth_bridge_codec_seconds": ("CPU time of their codecs.", bridges.codec_seconds),
        }
        return {name: (text, float(value)) for name, (text, value) in figures.items()}

    def logins() -> Mapping[tuple[str, ...], float]:
        return {(dialect, kind.value): count for dialect, sockets in dialects.items() for kind, count in sockets.logins.items()}

    def requests() -> Mapping[tuple[str, ...], float]:
        return {
            (dialect, command, kind.value): count
            for dialect, sockets in dialects.items()
            for (command, kind), count in sockets.requests.items()
        }

    def answered(dialect: str, command: str, milliseconds: int) -> None:
        metrics.requests.labels(dialect, command).observe(milliseconds / 1000)

    for dialect, sockets in dialects.items():
        sockets.on_answered = partial(answered, dialect)
    metrics.observe_state(gauges, counters)

    def dropped() -> Mapping[tuple[str, ...], float]:
        return _by_name(hearth.sfu.totals().plane.dropped)

    def bridges_begun() -> Mapping[tuple[str, ...], float]:
        return {(direction.value,): count for direction, count in hearth.bridges.totals().begun.items()}

    def lost() -> Mapping[tuple[str, ...], float]:
        return _by_name(hearth.sfu.totals().lost)

    def rtmp_refused() -> Mapping[tuple[str, ...], float]:
        return _by_name(hearth.rtmp.refused if hearth.rtmp is not None else {})

    def turn_refused() -> Mapping[tuple[str, ...], float]:
        return _by_name(hearth.sfu.totals().turn_refused)

    def per_app(read: Callable[[Backlog], float]) -> Callable[[], Mapping[tuple[str, ...], float]]:
        return lambda: {(str(app_id),): read(backlog) for app_id, backlog in hearth.callbacks.backlogs().items()}

    def age(backlog: Backlog) -> float:
        return max(0, hearth.clock() - backlog.oldest_at) / 1000 if backlog.oldest_at else 0

    for name, text, read, rises in (
        ("hearth_callbacks_waiting", "Callbacks not delivered yet.", lambda backlog: backlog.waiting, False),
        ("hearth_callbacks_oldest_seconds", "Age of the oldest of them.", age, False),
        ("hearth_callbacks_dead_letters", "Callbacks given up (`hearth callbacks list`).", lambda backlog: backlog.dead, False),
        ("hearth_callbacks_lost", "Events not told since the outbox was full.", lambda backlog: backlog.lost, True),
        ("hearth_callbacks_dead_lost", "Dead letters that made room for newer ones.", lambda backlog: backlog.dead_lost, True),
    ):
        metrics.observe_labelled(name, text, ["app_id"], per_app(read), rises=rises)
    metrics.observe_labelled("hearth_media_dropped", "Datagrams that went nowhere.", ["reason"], dropped)
    metrics.observe_labelled("hearth_media_lost", "Media sessions that ended by themselves.", ["reason"], lost)
    metrics.observe_labelled("hearth_bridges_begun", "Conversions between RTMP and WebRTC so far.", ["direction"], bridges_begun)
    metrics.observe_labelled("hearth_rtmp_refused", "RTMP connections that were more than a limit allows.", ["reason"], rtmp_refused)
    metrics.observe_labelled("hearth_turn_refused", "TURN datagrams dropped or answered with an error.", ["reason"], turn_refused)
    metrics.observe_labelled("hearth_logins", "Answered logins: ok, or the refusal.", ["dialect", "result"], logins)
    metrics.observe_labelled("hearth_requests", "Other answered requests: ok, or the refusal.", ["dialect", "command", "result"], requests)


def _by_name(counts: Mapping[str, int]) -> Mapping[tuple[str, ...], float]:
    return {(name,): count for name, count in counts.items()}
