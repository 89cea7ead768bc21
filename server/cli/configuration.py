"""``hearth config``."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.common import ConfigOption, configuration
from server.configuration import describe


def config(
    config: ConfigOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Put the meaning of each key above it.")] = False,
) -> None:
    """Print the effective settings as TOML, secrets masked: file, then environment."""
    found = configuration(config)
    typer.echo(f"# from {found.path or 'no file'}, environment variables HEARTH_* over it\n")
    typer.echo(describe(found.settings, explain=explain))


def add_to(app: typer.Typer) -> None:
    app.command()(config)
