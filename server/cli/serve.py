"""``hearth serve`` and ``hearth doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.common import FAILED, USAGE, ConfigOption, configuration, fail
from server.configuration import ConfigurationError, Tree
from server.development import ensure_development_config


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on (server.host).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="TCP port, 0 = any free one (server.port).")] = None,
    dev_tls: Annotated[bool, typer.Option("--dev-tls", help="https and wss on the same port, with a local certificate.")] = False,
) -> None:
    """Run the server.

    Without any configuration a development App is made in .hearth/hearth.toml, and kept.
    """
    arguments: Tree = {}
    given = {"host": host, "port": port, "dev_tls": True if dev_tls else None}
    if any(value is not None for value in given.values()):
        arguments["server"] = {key: value for key, value in given.items() if value is not None}
    found = configuration(config, arguments)
    if found.path is None and not found.settings.apps:
        directory = Path(".hearth")
        try:
            path = ensure_development_config(directory)
        except OSError as error:
            fail(f"no configuration found, and no development App can be made in {directory}: {error.strerror}", USAGE)
        typer.echo(f"No configuration found: made a development App in {path}\n")
        found = configuration(config, arguments)

    # Only here: the other commands start faster without the whole server.
    from server.listening import CannotStart
    from server.logs import configure_logs
    from server.serving import serve as run

    configure_logs(found.settings.server.log_format, found.settings.server.log_level)
    try:
        run(found, arguments)
    except (CannotStart, ConfigurationError) as error:
        fail(str(error), USAGE)


def doctor(config: ConfigOption = None) -> None:
    """Check what the server needs: store, ports, addresses, clock, certificate, file permissions. Exit code 1 if something fails."""
    found = configuration(config)
    from server.doctor import Verdict, examine

    findings = examine(found)
    for finding in findings:
        mark = {Verdict.OK: "ok  ", Verdict.NOTE: "note", Verdict.FAILED: "FAIL"}[finding.verdict]
        typer.echo(f"{mark}  {finding.subject:<16} {finding.text}")
        if finding.cure:
            typer.echo(f"      {'':<16} → {finding.cure}")
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        raise typer.Exit(FAILED)


def add_to(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(doctor)
