"""Sends a signed request to a running server's ``/control``."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from auth.signatures import sign_request
from server.control_headers import HEADERS
from server.redaction import JSON
from server.settings import Settings

TIMEOUT_SECONDS = 15


class ControlError(Exception):
    """The command did not come through or was refused; the text says what to do."""


class NotReached(ControlError):
    """Nothing at this address answers as an HTTP server."""


def default_url(settings: Settings) -> str:
    """Where the server of this configuration is reached from this machine."""
    if settings.server.public_url:
        return settings.server.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.server.host, settings.server.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if settings.server.dev_tls else 'http'}://{host}:{settings.server.port}"


def call(url: str, action: str, *, app_id: int, server_secret: str, body: Mapping[str, object], authority: Path | None = None) -> JSON:
    """Carry out an action; returns its data. ``authority``: CA file of a development certificate. Raises ``ControlError``."""
    base = url.rstrip("/")
    path = f"{urlsplit(base).path}/control/{action}"
    content = json.dumps(body).encode()
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    signature = sign_request(server_secret, method="POST", path=path, timestamp=timestamp, nonce=nonce, body=content)
    headers = dict(zip(HEADERS, (str(app_id), timestamp, nonce, signature), strict=True))
    verify: ssl.SSLContext | bool = True
    if authority is not None and authority.exists():
        verify = ssl.create_default_context(cafile=str(authority))
    try:
        answer = httpx.post(f"{base}/control/{action}", content=content, headers=headers, timeout=TIMEOUT_SECONDS, verify=verify)
    except httpx.InvalidURL:
        raise ControlError(f"--url {url}: not an address such as http://127.0.0.1:8080") from None
    except httpx.UnsupportedProtocol:
        raise ControlError(f"--url {url}: an address begins with http:// or https://") from None
    except httpx.TimeoutException:
        raise ControlError(f"no answer from {base} within {TIMEOUT_SECONDS} s") from None
    except httpx.TransportError as error:
        raise NotReached(f"no server answers at {base} ({error}). Is `hearth serve` running? Another address: --url") from None
    return _data(answer, base)


def _data(answer: httpx.Response, base: str) -> JSON:
    try:
        document = answer.json()
        if answer.is_success:
            data: JSON = document["data"]
            return data
        message = str(document["error"]["message"])
    except (ValueError, KeyError, TypeError):
        raise ControlError(f"{base} answers {answer.status_code}, but not as a Hearth server does; check --url") from None
    raise ControlError(message)
