"""The command ``hearth``."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from server.cli import callbacks, configuration, operate, serve, token

app = typer.Typer(
    name="hearth",
    help="A self-hosted RTC server that the official ZEGO Express SDKs talk to as if it were the ZEGO cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version("hearth-rtc"))
        raise typer.Exit


@app.callback()
def hearth(
    _: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Options before the command."""


serve.add_to(app)
token.add_to(app)
operate.add_to(app)
callbacks.add_to(app)
configuration.add_to(app)


def main() -> None:
    """Entry point of the console script."""
    app()
