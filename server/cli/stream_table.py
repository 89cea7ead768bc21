"""A line of `hearth streams` for people: what one wants to know first when somebody says that they cannot hear somebody."""

from __future__ import annotations

from typing import cast

from server.redaction import JSON

STREAM_COLUMNS = (
    "stream_id", "user_id", "client", "via", "kbit/s", "loss", "jitter", "level", "players", "worst loss", "node_id", "created_at",
)  # fmt: skip

Row = dict[str, JSON]


def stream_row(stream: Row) -> Row:
    """From an entry of ``HearthDescribeStreams`` with figures. A dash: not known, or not yet; a question mark: its node did not answer."""
    figures = cast("Row | None", stream.get("Figures"))
    if figures is None:
        cells = dict.fromkeys(STREAM_COLUMNS[2:10], "?")
    else:
        publisher = cast("Row", figures["Publisher"] or {})
        players = cast("list[Row]", figures["Players"])
        cells = {
            "client": " ".join(str(publisher[name]) for name in ("Client", "Version") if publisher.get(name)) or "-",
            "via": str(publisher.get("Transport") or "-"),
            "kbit/s": _number(publisher.get("Bitrate"), 1000),
            "loss": _percent(publisher.get("Loss")),
            "jitter": _number(publisher.get("JitterMs"), 1, " ms"),
            "level": _level(publisher),
            "players": str(figures["PlayerCount"]),
            "worst loss": _percent(players[0].get("Loss")) if players else "-",
        }
    return {
        "stream_id": stream["StreamId"], "user_id": stream["UserId"], **cells,
        "node_id": stream["NodeId"], "created_at": stream["CreateTime"],
    }  # fmt: skip


def _number(value: JSON, unit: float, suffix: str = "") -> str:
    return f"{value / unit:.1f}{suffix}" if isinstance(value, int | float) else "-"


def _percent(value: JSON) -> str:
    return f"{value * 100:.1f} %" if isinstance(value, int | float) else "-"


def _level(publisher: Row) -> str:
    if publisher.get("Silent"):
        return "silent"
    level = publisher.get("AudioLevel")
    return f"-{level} dB" if isinstance(level, int) else "-"
