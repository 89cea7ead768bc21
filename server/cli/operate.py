"""Commands that look at a running server or act on it: ``rooms``, ``users``, ``streams``, ``nodes``, ``kick``, ``close-room``, ``send``,
``logs``."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from server.cli.common import USAGE, AppIdOption, ConfigOption, chosen_app, configuration, fail
from server.cli.stream_table import STREAM_COLUMNS, stream_row
from server.cloud_client import ApiError, NotReached, call, default_url
from server.redaction import JSON

UrlOption = Annotated[str | None, typer.Option("--url", help="Address of the running server. Default: from the configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RoomOption = Annotated[str, typer.Option("--room-id", help="roomID.")]
RoomArgument = Annotated[str, typer.Argument(metavar="ROOM", help="roomID.")]

Row = dict[str, JSON]

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


MESSAGE_CATEGORY = 1
"""System, as the operator's messages are."""


class Kind(enum.StrEnum):
    """What ``hearth send`` sends."""

    broadcast = "broadcast"
    barrage = "barrage"
    command = "command"


def api_call(action: str, body: Row, config: ConfigOption, app_id: int | None, url: str | None) -> Row:
    """Carry out an action of the server API; returns its ``Data``. Ends the command if it was refused."""
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
            data = call(address, action, app_id=app.app_id, server_secret=secret, body=body, authority=authority)
        except NotReached as error:
            problem = problem or str(error)
        except ApiError as error:
            fail(str(error))
        else:
            return cast("Row", data or {})
    fail(problem)


def rows_of(data: Row, name: str, columns: Mapping[str, str]) -> list[Row]:
    """The list ``name`` of an answer, with the columns' names instead of the API's."""
    return [{column: snake_case(row.get(key)) for column, key in columns.items()} for row in cast("list[Row]", data.get(name) or [])]


def all_rows(action: str, name: str, columns: Mapping[str, str], config: ConfigOption, app_id: int | None, url: str | None) -> list[Row]:
    """The same of an action that answers page by page, from all its pages."""
    found: list[Row] = []
    marker = ""
    while True:
        page = api_call(action, {"Marker": marker}, config, app_id, url)
        found += rows_of(page, name, columns)
        marker = str(page["Marker"])
        if not marker:
            return found


def snake_case(value: JSON) -> JSON:
    """The API's names inside a value as commands print them."""
    if isinstance(value, dict):
        return {_WORD.sub("_", name).lower(): snake_case(inner) for name, inner in value.items()}
    return [snake_case(item) for item in value] if isinstance(value, list) else value


def print_rows(rows: Sequence[Row], columns: Iterable[str], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(column, value) for column, value in row.items()))
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
    columns = {"room_id": "RoomId", "user_count": "UserCount", "stream_count": "StreamCount", "created_at": "CreateTime"}
    print_rows(all_rows("HearthDescribeRooms", "RoomList", columns, config, app_id, url), columns, as_json)


def users(
    room: RoomArgument, app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None
) -> None:
    """List the users in a room."""
    columns = {"user_id": "UserId", "user_name": "UserName", "role": "UserRole", "joined_at": "LoginTime"}
    data = api_call("HearthDescribeUsers", {"RoomId": room}, config, app_id, url)
    print_rows(rows_of(data, "UserList", columns), columns, as_json)


def streams(
    room: RoomArgument,
    app_id: AppIdOption = None,
    as_json: JsonOption = False,
    history: Annotated[bool, typer.Option("--history", help="With --json: the course of the last minutes, too.")] = False,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """List the streams in a room and how they do: their publishers' figures and their players'."""
    if history and not as_json:
        fail("--history needs --json", USAGE)
    columns = {
        "stream_id": "StreamId",
        "user_id": "UserId",
        "user_name": "UserName",
        "node_id": "NodeId",
        "created_at": "CreateTime",
        "extra_info": "ExtraInfo",
    }
    asked: Row = {"RoomId": room, "WithFigures": True, "WithHistory": history}
    data = api_call("HearthDescribeStreams", asked, config, app_id, url)
    if as_json:
        print_rows(rows_of(data, "StreamList", columns | {"figures": "Figures"}), [], as_json)
    else:
        print_rows([stream_row(row) for row in cast("list[Row]", data["StreamList"])], STREAM_COLUMNS, as_json)


def nodes(app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None) -> None:
    """List the nodes of the system."""
    columns = {
        "node_id": "NodeId",
        "ws_url": "WsUrl",
        "rtmp_url": "RtmpUrl",
        "media_addresses": "MediaAddresses",
        "sessions": "Sessions",
        "streams": "Streams",
        "draining": "Draining",
        "started_at": "StartTime",
        "version": "Version",
    }
    print_rows(rows_of(api_call("HearthDescribeNodes", {}, config, app_id, url), "NodeList", columns), columns, as_json)


def kick(
    room_id: RoomOption,
    user_id: Annotated[str, typer.Option("--user-id", help="userID.")],
    app_id: AppIdOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Text that the user's app is told.")] = "",
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove a user from a room. Their app is told, their streams end."""
    # KickoutUser says nothing about a user who is not there; a person at a terminal wants to know.
    present = api_call("DescribeUsers", {"RoomId": room_id, "UserId": [user_id]}, config, app_id, url)
    if not any(row["Status"] for row in cast("list[Row]", present["UserStatusList"])):
        fail(f"there is no such user in {room_id}: {user_id}")
    api_call("KickoutUser", {"RoomId": room_id, "UserId": [user_id], "CustomReason": reason}, config, app_id, url)
    typer.echo(f"{user_id} was kicked out of {room_id}")


def close_room(
    room_id: RoomOption,
    app_id: AppIdOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Text that the users' apps are told.")] = "",
    callback: Annotated[bool, typer.Option("--callback", help="Send the room_close callback too.")] = False,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove everybody from a room and end it."""
    api_call("CloseRoom", {"RoomId": room_id, "CustomReason": reason, "RoomCloseCallback": callback}, config, app_id, url)
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
    body: Row = {"RoomId": room_id, "MessageContent": text}
    if kind is Kind.command:
        body |= {"FromUserId": sender, **({"ToUserId": list(to)} if to else {})}
        sent = api_call("SendCustomCommand", body, config, app_id, url)
        missed = [str(row["Uid"]) for row in cast("list[Row]", sent["FailUsers"])]
        if missed:
            fail(f"not in {room_id}: {', '.join(missed)}")
    else:
        action = "SendBroadcastMessage" if kind is Kind.broadcast else "SendBarrageMessage"
        body |= {"UserId": sender, "UserName": sender, "MessageCategory": MESSAGE_CATEGORY}
        api_call(action, body, config, app_id, url)
    typer.echo(f"sent to {room_id}")


def logs(
    app_id: AppIdOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The newest so many.")] = 100,
    url: UrlOption = None,
    config: ConfigOption = None,
) -> None:
    """Print what SDKs have sent as their own logs, newest last, one JSON document per line."""
    for record in cast("list[Row]", api_call("HearthDescribeSdkLogs", {"Limit": limit}, config, app_id, url)["LogList"]):
        typer.echo(json.dumps(record, ensure_ascii=False))


def add_to(app: typer.Typer) -> None:
    for command in (rooms, users, streams, nodes, kick, send, logs):
        app.command()(command)
    app.command("close-room")(close_room)
