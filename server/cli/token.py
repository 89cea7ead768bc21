"""``hearth token``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from auth.claims import Privileges, TokenKind
from auth.tokens import issue_token
from server.apps import build_app
from server.cli.common import USAGE, AppIdOption, ConfigOption, chosen_app, configuration, fail

_ALLOWED = {"login", "publish"}


def token(
    user_id: Annotated[str, typer.Option("--user-id", help="userID that the token is for.")],
    app_id: AppIdOption = None,
    room_id: Annotated[str | None, typer.Option("--room-id", help="Good for this room only.")] = None,
    ttl: Annotated[int, typer.Option("--ttl", help="Seconds until it expires; negative = already expired.")] = 86_400,
    form: Annotated[TokenKind, typer.Option("--format", help="Form of the token.")] = TokenKind.TOKEN04,
    allow: Annotated[str | None, typer.Option("--allow", help="Privileges, separated by commas: login, publish. Empty = none.")] = None,
    stream_id: Annotated[list[str] | None, typer.Option("--stream-id", help="Only this stream may be published; repeatable.")] = None,
    config: ConfigOption = None,
) -> None:
    """Print a token for a user, and nothing else, on stdout.

    Without --room-id, --allow and --stream-id it says only who the user is. Any of them makes a token with privileges, which the server
    enforces for Apps with token_check = "login" or "login+publish".
    """
    found = configuration(config)
    app = build_app(chosen_app(found, app_id))
    privileges: Privileges | None = None
    if room_id is not None or allow is not None or stream_id:
        granted = {name.strip() for name in ("login,publish" if allow is None else allow).split(",") if name.strip()}
        if granted - _ALLOWED:
            fail(f"--allow: {', '.join(sorted(granted - _ALLOWED))} is not a privilege; allowed: login, publish", USAGE)
        privileges = Privileges(
            room_id=room_id or None,
            login="login" in granted,
            publish="publish" in granted,
            stream_ids=tuple(stream_id) if stream_id else None,
        )
    try:
        text = issue_token(form, keys=app.keys, user_id=user_id, now=int(time.time()), ttl=ttl, privileges=privileges)
    except ValueError as error:
        fail(str(error), USAGE)
    typer.echo(text)


def add_to(app: typer.Typer) -> None:
    app.command()(token)
