"""What a developer needs to connect, printed on stdout once the server listens. Secrets stay in their file."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

from auth.claims import TokenKind
from auth.tokens import issue_token
from calls.apps import App
from server.dev_tls import DevelopmentTls, how_to_trust
from server.proxies import is_loopback

SAMPLE_USER = "alice"
_TOKEN_SECONDS = 86_400


def connection_card(
    *,
    base_url: str,
    app: App | None,
    config: Path | None,
    development: bool,
    media: str,
    rtmp: str | None,
    tls: DevelopmentTls | None,
    store: str,
) -> str:
    """The text of the card. ``base_url``: ``http://host:port`` to show; ``media``: where WebRTC is received, ``rtmp``: where RTMP is."""
    ws = "ws" + base_url.removeprefix("http")
    rows = [("Server", f"{ws}/ws"), ("Media", media), *([("RTMP", rtmp)] if rtmp else []), ("Store", store)]
    if app is not None:
        rows.append(("AppID", str(app.app_id)))
        rows.append(("ServerSecret", f"in {config}" if config else "in the environment (HEARTH_APPS)"))
    lines = [f"Hearth is listening on {base_url}", "", *(f"  {name:<13} {value}" for name, value in rows)]
    if app is None:
        lines += ["", "  No App is configured: nobody can log in. Add an [[apps]] table, it is taken over at once."]
    if development and app is not None:
        # A ready token only where everybody who can read this output is the developer.
        token = issue_token(TokenKind.TOKEN04, keys=app.keys, user_id=SAMPLE_USER, now=int(time.time()), ttl=_TOKEN_SECONDS)
        lines += [
            f"  {'Token':<13} {token}",
            f'  {"":<13} (user "{SAMPLE_USER}", 24 hours; more: hearth token --user-id NAME)',
            "",
            f"  const zg = new ZegoExpressEngine({app.app_id}, '{ws}/ws')",
            *_for_3x(base_url, tls),
            f"  await zg.loginRoom('room-1', token, {{ userID: '{SAMPLE_USER}', userName: 'Alice' }}, {{ userUpdate: true }})",
        ]
        lines += ["", f"  Try it: {_on_this_machine(base_url)}/demo"]
    if tls is not None:
        lines += ["", *(f"  {line}" for line in how_to_trust(tls).splitlines())]
    return "\n".join(lines)


def _for_3x(base_url: str, tls: DevelopmentTls | None) -> list[str]:
    """From 3.x on (mini-program 3.6.0, web 3.3 and later) a static call before ``new`` names the server. They speak TLS only."""
    if tls is None:
        return ["  // SDKs 3.x speak TLS only: serve with --dev-tls, this line will say how they are pointed here"]
    host = base_url.split("//", 1)[1]
    names = ", ".join(f"{name}: '{host}'" for name in ("accesshub", "logreport", "detaillog"))
    return [f"  // SDKs 3.x, before new: ZegoExpressEngine.setEngineOptions({{ customDomain: {{ {names} }} }})"]


def _on_this_machine(base_url: str) -> str:
    """The demo is served under a loopback address and no other (``server/http/demo.py``)."""
    url = urlsplit(base_url)
    if is_loopback(url.hostname or "") or url.hostname == "localhost":
        return base_url
    return f"{url.scheme}://127.0.0.1:{url.port}"
