"""A backend that calls the server API, signing as the cloud's documents say (not with Hearth's own code)."""

from __future__ import annotations

import hashlib
import secrets
import time

import httpx

from tests.e2e.remote import TRACE, Json
from tests.hearth_process import HearthProcess


def signed(hearth: HearthProcess, action: str) -> dict[str, str]:
    nonce, timestamp = secrets.token_hex(8), str(int(time.time()))
    signature = hashlib.md5(f"{hearth.app_id}{nonce}{hearth.secret}{timestamp}".encode()).hexdigest()
    return {
        "Action": action,
        "AppId": str(hearth.app_id),
        "SignatureNonce": nonce,
        "Timestamp": timestamp,
        "Signature": signature,
        "SignatureVersion": "2.0",
    }


async def ask(hearth: HearthProcess, action: str, /, **parameters: Json) -> Json:
    """A GET with everything in the query, as the cloud's own samples do it; the whole answer."""
    query: list[tuple[str, str]] = list(signed(hearth, action).items())
    for name, value in parameters.items():
        query += [(f"{name}[]", str(item)) for item in value] if isinstance(value, list) else [(name, str(value))]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{hearth.url}/", params=query)
    TRACE.add("backend", f"$ {action} {parameters} -> {answer.text[:500]}")
    assert answer.status_code == 200
    return answer.json()


async def act(hearth: HearthProcess, action: str, /, **parameters: Json) -> Json:
    """As ``ask``; it has to succeed. Returns ``Data``."""
    answer = await ask(hearth, action, **parameters)
    assert answer["Code"] == 0, answer
    return answer.get("Data")


def sequence() -> str:
    """What the documents advise for Sequence."""
    return str(time.time_ns() // 1_000_000)
