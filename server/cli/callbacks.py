"""``hearth callbacks list``, ``retry``, ``drop``: what could not be delivered to the operator's backend."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from server.cli.common import USAGE, AppIdOption, ConfigOption, fail
from server.cli.operate import JsonOption, UrlOption, all_rows, api_call, print_rows

_COLUMNS = {
    "id": "CallbackId",
    "event": "Event",
    "room_id": "RoomId",
    "happened_at": "EventTime",
    "failed_at": "FailTime",
    "problem": "Problem",
}

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Ids that `hearth callbacks list` shows.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]

_NAMED_AT_ONCE = 200

group = typer.Typer(name="callbacks", help="Callbacks that were given up after the last attempt.", no_args_is_help=True)


@group.command("list")
def listed(app_id: AppIdOption = None, as_json: JsonOption = False, url: UrlOption = None, config: ConfigOption = None) -> None:
    """List them, the oldest first."""
    print_rows(all_rows("HearthDescribeDeadCallbacks", "CallbackList", _COLUMNS, config, app_id, url), _COLUMNS, as_json)


@group.command()
def retry(ids: Ids = None, everything: All = False, app_id: AppIdOption = None, url: UrlOption = None, config: ConfigOption = None) -> None:
    """Deliver them anew."""
    typer.echo(f"{_move('HearthRetryDeadCallbacks', ids, everything, config, app_id, url)} will be delivered anew")


@group.command()
def drop(ids: Ids = None, everything: All = False, app_id: AppIdOption = None, url: UrlOption = None, config: ConfigOption = None) -> None:
    """Forget them."""
    typer.echo(f"{_move('HearthDropDeadCallbacks', ids, everything, config, app_id, url)} dropped")


def _move(action: str, ids: list[str] | None, everything: bool, config: ConfigOption, app_id: int | None, url: str | None) -> int:
    if bool(ids) == everything:
        fail("say which: ids that `hearth callbacks list` shows, or --all", USAGE)
    if not ids:
        return int(cast(int, api_call(action, {}, config, app_id, url)["Count"]))
    moved = 0
    for start in range(0, len(ids), _NAMED_AT_ONCE):
        some = ids[start : start + _NAMED_AT_ONCE]
        moved += int(cast(int, api_call(action, {"CallbackId": list(some)}, config, app_id, url)["Count"]))
    return moved


def add_to(app: typer.Typer) -> None:
    app.add_typer(group)
