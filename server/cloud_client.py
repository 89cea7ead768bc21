"""Sends a signed request to a running server's API (``server/cloud_api``)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from auth.signatures import sign_server_api
from server.cloud_api.codes import OK
from server.redaction import JSON
from server.settings import Settings

TIMEOUT_SECONDS = 15


class ApiError(Exception):
    """The command did not come through or was refused; the text says what to do. ``code``: the answer's, 0 if there was none."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class NotReached(ApiError):
    """Nothing at this address answers as an HTTP server."""


def default_url(settings: Settings) -> str:
    """Where the server of this configuration is reached from this machine."""
    if settings.server.public_url:
        return settings.server.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.server.host, settings.server.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if settings.server.dev_tls else 'http'}://{host}:{settings.server.port}"


def signed_query(action: str, *, app_id: int, server_secret: str, now: int, nonce: str) -> dict[str, str]:
    """The common parameters of a request, signed. ``now``: Unix seconds."""
    return {
        "Action": action,
        "AppId": str(app_id),
        "SignatureNonce": nonce,
        "Timestamp": str(now),
        "Signature": sign_server_api(app_id, nonce, server_secret, now),
        "SignatureVersion": "2.0",
    }


def call(url: str, action: str, *, app_id: int, server_secret: str, body: Mapping[str, object], authority: Path | None = None) -> JSON:
    """Carry out an action; returns its data. ``authority``: CA file of a development certificate, which is trusted beside all others.

    Raises ``ApiError``.
    """
    base = url.rstrip("/")
    query = signed_query(action, app_id=app_id, server_secret=server_secret, now=int(time.time()), nonce=secrets.token_hex(8))
    trusted = httpx.create_ssl_context()
    if authority is not None and authority.exists():
        trusted.load_verify_locations(str(authority))
    headers = {"Content-Type": "application/json"}
    try:
        answer = httpx.post(
            f"{base}/", params=query, content=json.dumps(body).encode(), headers=headers, timeout=TIMEOUT_SECONDS, verify=trusted
        )
    except httpx.InvalidURL:
        raise ApiError(f"--url {url}: not an address such as http://127.0.0.1:8080") from None
    except httpx.UnsupportedProtocol:
        raise ApiError(f"--url {url}: an address begins with http:// or https://") from None
    except httpx.TimeoutException:
        raise ApiError(f"no answer from {base} within {TIMEOUT_SECONDS} s") from None
    except httpx.TransportError as error:
        raise NotReached(f"no server answers at {base} ({error}). Is `hearth serve` running? Another address: --url") from None
    return _data(answer, base)


def _data(answer: httpx.Response, base: str) -> JSON:
    try:
        document = answer.json()
        code, message = int(document["Code"]), str(document["Message"])
    except (ValueError, KeyError, TypeError):
        raise ApiError(f"{base} answers {answer.status_code}, but not as a Hearth server does; check --url") from None
    if code != OK:
        raise ApiError(f"{message} (code {code})", code)
    data: JSON = document.get("Data")
    return data
