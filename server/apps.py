"""The Apps that are served right now. They can change while the server runs (``server/reload.py``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from pydantic import SecretStr

from auth.claims import AppKeys, JwtKeys
from calls.apps import App, CallbackTarget
from rooms.model import Policy
from rooms.outbox import CallbackEvent
from server.configuration import ConfigurationError
from server.settings import AppSettings, JwtSettings

log = structlog.get_logger(__name__)


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _jwt_keys(settings: JwtSettings) -> JwtKeys:
    """Raises ValueError or OSError for a file or a key that cannot be used."""
    texts = [key if "-----BEGIN" in key else Path(key).read_text(encoding="ascii") for key in settings.public_keys]
    jwks: Mapping[str, object] | None = None
    if settings.jwks_file is not None:
        jwks = json.loads(settings.jwks_file.read_text(encoding="utf-8"))
        if not isinstance(jwks, dict):
            raise ValueError(f"jwt.jwks_file = {settings.jwks_file}: not a JSON object")
    return JwtKeys(algorithms=tuple(settings.algorithms), public_keys=tuple(texts), jwks=jwks, audience=settings.audience)


def _callbacks(settings: AppSettings) -> CallbackTarget | None:
    """Raises ValueError if there is nothing to sign with."""
    urls = {event.value: settings.callback_urls.get(event, settings.callback_url) for event in CallbackEvent}
    urls = {event: url for event, url in urls.items() if url}
    if not urls:
        return None
    secret = _plain(settings.callback_secret)
    if secret is None:
        raise ValueError("callback_url needs a callback_secret (32 characters), with which callbacks are signed")
    return CallbackTarget(secret, urls, form=settings.callback_body == "form", numbers=settings.callback_numbers)


def build_app(settings: AppSettings) -> App:
    """The App that a ``[[apps]]`` table describes. Raises ``ConfigurationError``."""
    try:
        return App(
            app_id=settings.app_id,
            keys=AppKeys(
                app_id=settings.app_id,
                server_secrets=tuple(secret.get_secret_value() for secret in settings.server_secrets),
                app_sign=_plain(settings.app_sign),
                jwt=_jwt_keys(settings.jwt) if settings.jwt is not None else None,
            ),
            token_check=settings.token_check,
            multi_room=settings.multi_room,
            max_room_users=settings.max_room_users,
            max_rooms_per_user=settings.max_rooms_per_user,
            loudest=settings.loudest,
            callbacks=_callbacks(settings),
        )
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"apps: App {settings.app_id}: {error}") from None


def build_apps(settings: Sequence[AppSettings]) -> tuple[App, ...]:
    """All Apps. Raises ``ConfigurationError``."""
    return tuple(build_app(app) for app in settings)


class AppDirectory:
    """Finds an App by its AppID."""

    def __init__(self, apps: Sequence[App]) -> None:
        self._apps: Mapping[int, App] = {app.app_id: app for app in apps}

    def get(self, app_id: int) -> App | None:
        return self._apps.get(app_id)

    def all(self) -> tuple[App, ...]:
        return tuple(self._apps.values())

    def policy(self, app_id: int) -> Policy:
        """The rules of an App for the room registry; the strictest reading for one that is gone."""
        app = self._apps.get(app_id)
        return app.policy() if app else Policy(multi_room=False)

    def replace(self, apps: Sequence[App]) -> bool:
        """Serve these Apps from now on; False = they are the same as before.

        Calls and rooms of an App that is gone run on, but it takes no new logins.
        """
        before, after = self._apps, {app.app_id: app for app in apps}
        added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
        changed = sorted(app_id for app_id in before.keys() & after.keys() if before[app_id] != after[app_id])
        if not (added or removed or changed):
            return False
        self._apps = after
        log.info("apps_reloaded", added=added, removed=removed, changed=changed)
        return True
