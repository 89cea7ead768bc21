"""The command ``hearth``."""

from __future__ import annotations

import typer

from server.cli import configuration, operate, serve, token

app = typer.Typer(
    name="hearth",
    help="A self-hosted RTC server that the official ZEGO Express SDKs talk to as if it were the ZEGO cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

serve.add_to(app)
token.add_to(app)
operate.add_to(app)
configuration.add_to(app)


def main() -> None:
    """Entry point of the console script."""
    app()
