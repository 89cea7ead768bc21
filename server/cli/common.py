"""What the commands share: finding the configuration, choosing the App, ending with a clear message."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from server.apps import build_app
from server.configuration import Configuration, ConfigurationError, Tree, load_configuration
from server.settings import AppSettings

USAGE = 2
"""Exit code for a mistake in the command line or the configuration."""
FAILED = 1
"""Exit code when the command could not do what it should."""

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file. Default: $HEARTH_CONFIG, ./hearth.toml, ./.hearth/hearth.toml.")
]
AppIdOption = Annotated[int | None, typer.Option("--app-id", help="AppID. Needed only if several Apps are configured.")]


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with a message on stderr."""
    typer.echo(f"hearth: {message}", err=True)
    raise typer.Exit(code)


def configuration(config: Path | None, arguments: Tree | None = None) -> Configuration:
    """The effective configuration; ends the command if it cannot be used."""
    try:
        found = load_configuration(config, arguments=arguments)
        for app in found.settings.apps:
            build_app(app)
    except ConfigurationError as error:
        fail(f"configuration:\n  {str(error).replace(chr(10), chr(10) + '  ')}", USAGE)
    return found


def chosen_app(found: Configuration, app_id: int | None) -> AppSettings:
    """The App that a command speaks of; ends the command if that is not clear."""
    apps = found.settings.apps
    if not apps:
        fail("no App is configured. Run `hearth serve` once for a development App, or name a file with --config or HEARTH_CONFIG.", USAGE)
    if app_id is None:
        if len(apps) > 1:
            fail(f"several Apps are configured, say which with --app-id: {', '.join(str(app.app_id) for app in apps)}", USAGE)
        return apps[0]
    app = found.settings.app(app_id)
    if app is None:
        fail(
            f"App {app_id} is not configured in {found.path or 'the environment'}; there is {', '.join(str(app.app_id) for app in apps)}",
            USAGE,
        )
    return app
