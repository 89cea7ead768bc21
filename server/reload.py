"""Apps change without a restart: the configuration file is read again when it changes, or on SIGHUP.

Only ``[[apps]]`` is taken over; everything else needs a restart, and a change there is told. A file with a mistake changes nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from server.apps import AppDirectory, build_apps
from server.configuration import ConfigurationError, Tree, read_settings
from server.settings import Settings

log = structlog.get_logger(__name__)

CHECK_SECONDS = 1.0
"""How often the file is looked at."""

Stamp = tuple[int, int, int] | None


class AppReloader:
    """Follows one configuration file."""

    def __init__(
        self, path: Path, directory: AppDirectory, settings: Settings, *, environment: Mapping[str, str], arguments: Tree | None = None
    ) -> None:
        self._path = path
        self._directory = directory
        self._settings = settings
        self._environment = environment
        self._arguments = arguments
        self._stamp = self._look()
        self._asked = asyncio.Event()

    def _look(self) -> Stamp:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def request(self) -> None:
        """Read the file again soon, changed or not (SIGHUP)."""
        self._asked.set()

    async def run(self) -> None:
        """Follow the file until cancelled."""
        while True:
            asked = False
            try:
                await asyncio.wait_for(self._asked.wait(), CHECK_SECONDS)
                asked = True
            except TimeoutError:
                pass
            self._asked.clear()
            try:
                self.check(force=asked)
            except Exception:
                # What is served goes on, whatever is in the file.
                log.exception("apps_kept", path=str(self._path))

    def check(self, *, force: bool = False) -> None:
        """Take over the file's Apps if it has changed, or in any case with ``force``."""
        stamp = self._look()
        if stamp == self._stamp and not force:
            return
        self._stamp = stamp
        if stamp is None:
            # An editor that replaces the file, or a mount that is gone for a moment.
            log.warning("apps_kept", path=str(self._path), problem="the file is gone")
            return
        try:
            settings = read_settings(self._path, environment=self._environment, arguments=self._arguments)
            apps = build_apps(settings.apps)
        except ConfigurationError as error:
            log.error("apps_kept", path=str(self._path), problem=str(error))
            return
        changed = self._directory.replace(apps)
        if force and not changed:
            log.info("apps_unchanged", path=str(self._path))
        others = [name for name in Settings.model_fields if name != "apps" and getattr(settings, name) != getattr(self._settings, name)]
        if others:
            log.warning("restart_needed", sections=others, path=str(self._path))
