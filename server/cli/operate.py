"""Commands that look at a running server or act on it: ``rooms``, ``users``, ``streams``, ``nodes``, ``kick``, ``close-room``, ``send``,
``logs``."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from server.cli.common import AppIdOption, ConfigOption, chosen_app, configuration, fail
from server.control_client import ControlError, NotReached, call, default_url
from server.redaction import JSON

UrlOption = Annotated[str | None, typer.Option("--url", help="Address of the running server. Default: from the configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RoomOption = Annotated[str, typer.Option("--room-id", help="roomID.")]
RoomArgument = Annotated[str, typer.Argument(metavar="ROOM", help="roomID.")]

Row = dict[str, JSON]


class Kind(enum.StrEnum):
    """What ``hearth send`` sends."""

    broadcast = "broadcast"
    barrage = "barrage"
    command = "command"


def _call(action: str, body: Row, config: ConfigOption, app_id: int | None, url: str | None) -> JSON:
    found = configuration(config)
    app = chosen_app(found, app_id)
    authority = found.settings.server.data_dir / "ca.pem"
    addresses = [url] if url else [default_url(found.settings)]
    if not url and addresses[0].startswith("http:") and authority.exists():
        # `hearth serve --dev-tls`: the configuration does not know of it.
        addresses.append("https" + addresses[0].removeprefix("http"))
    secret = app.server_secrets[0].get_secret_value()
    problem = ""
    for address in addresses:
        try:
            return call(address, action, app_id=app.app_id, server_secret=secret, body=body, authority=authority)
        except NotReached as error:
            problem = problem or str(error)
        except ControlError as error:
            fail(str(error))
    fail(problem)


def _print(data: JSON, columns: Sequence[str], as_json: bool) -> None:
    rows = cast("list[Row]", data)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    # Not narrower than its content when it is piped: rich would cut the ids.
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=400)
    console.print(table)


def _cell(column: str, value: JSON) -> str:
    if column.endswith("_at") and isinstance(value, int) and value:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def rooms(app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None) -> None:
    """List the rooms of an App."""
    found: list[JSON] = []
    cursor = ""
    while True:
        page = cast("Row", _call("rooms", {"cursor": cursor}, config, app_id, url))
        found += cast("list[JSON]", page["rooms"])
        cursor = str(page["cursor"])
        if not cursor:
            break
    _print(found, ["room_id", "user_count", "stream_count", "created_at"], as_json)


def users(
    room: RoomArgument, app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None
) -> None:
    """List the users in a room."""
    _print(_call("users", {"room_id": room}, config, app_id, url), ["user_id", "user_name", "role", "joined_at"], as_json)


def streams(
    room: RoomArgument, app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None
) -> None:
    """List the streams in a room."""
    columns = ["stream_id", "user_id", "user_name", "node_id", "created_at", "extra_info"]
    _print(_call("streams", {"room_id": room}, config, app_id, url), columns, as_json)


def nodes(app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None) -> None:
    """List the nodes of the system."""
    columns = ["node_id", "ws_url", "media_addresses", "sessions", "streams", "draining", "started_at", "version"]
    _print(_call("nodes", {}, config, app_id, url), columns, as_json)


def kick(
    room_id: RoomOption,
    user_id: Annotated[str, typer.Option("--user-id", help="userID.")],
    app_id: AppIdOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Text that the user's app is told.")] = "",
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove a user from a room. Their app is told, their streams end."""
    _call("kick", {"room_id": room_id, "user_id": user_id, "reason": reason}, config, app_id, url)
    typer.echo(f"{user_id} was kicked out of {room_id}")


def close_room(
    room_id: RoomOption,
    app_id: AppIdOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Text that the users' apps are told.")] = "",
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove everybody from a room and end it."""
    _call("close-room", {"room_id": room_id, "reason": reason}, config, app_id, url)
    typer.echo(f"{room_id} was closed")


def send(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to send.")],
    room_id: RoomOption,
    kind: Annotated[Kind, typer.Option("--kind", help="How the SDK reports it.")] = Kind.broadcast,
    sender: Annotated[str, typer.Option("--from", help="userID shown as the sender.")] = "server",
    to: Annotated[list[str] | None, typer.Option("--to", help="userID that gets a command; repeatable. Default: everybody.")] = None,
    app_id: AppIdOption = None,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Send a message into a room."""
    body: Row = {"room_id": room_id, "content": text, "kind": kind.value, "user_id": sender, "user_name": sender, "to": list(to or [])}
    _call("send", body, config, app_id, url)
    typer.echo(f"sent to {room_id}")


def logs(
    app_id: AppIdOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The newest so many.")] = 100,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Print what SDKs have sent as their own logs, newest last, one JSON document per line."""
    for record in cast("list[Row]", _call("logs", {"limit": limit}, config, app_id, url)):
        typer.echo(json.dumps(record, ensure_ascii=False))


def add_to(app: typer.Typer) -> None:
    for command in (rooms, users, streams, nodes, kick, send, logs):
        app.command()(command)
    app.command("close-room")(close_room)
