"""The development App: written once to ``.hearth/hearth.toml`` and kept, so that `make run` needs no account and no setup."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_ALPHABET = "0123456789abcdef"

_TEMPLATE = """\
# Development configuration, written once by `hearth serve` because it found no other. Yours to change; delete it for a new App.
# Every key: hearth.example.toml and docs/configure.md. For production write a hearth.toml of your own.

[server]
development = true

[[apps]]
app_id = {app_id}
server_secrets = ["{server_secret}"]
callback_secret = "{callback_secret}"
"""


def _hexadecimal(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def private_directory(path: Path) -> None:
    """Make a folder that only its owner can look into."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes) -> bool:
    """Write a new file with mode 0600. False = it was there already and stays as it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def ensure_development_config(directory: Path = Path(".hearth")) -> Path:
    """The development configuration in ``directory``, made if it is not there. Two processes at once agree on one."""
    private_directory(directory)
    path = directory / "hearth.toml"
    text = _TEMPLATE.format(
        # Ten digits like the cloud's own, and within uint32.
        app_id=1_000_000_000 + secrets.randbelow(3_000_000_000),
        server_secret=_hexadecimal(32),
        callback_secret=_hexadecimal(32),
    )
    if path.exists():
        return path
    # Complete before it gets its name: another process must not read half a file.
    draft = directory / f"hearth.toml.{secrets.token_hex(4)}"
    write_private(draft, text.encode())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path
