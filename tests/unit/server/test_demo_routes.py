"""``/demo`` and its tokens are for this machine only."""

from __future__ import annotations

from importlib.resources import files

import httpx
import pytest
from fastapi import FastAPI

from auth.claims import AppKeys
from auth.tokens import verify_token
from calls.apps import App
from server.http.demo import TOKEN_SECONDS, demo_routes

NOW = 1_700_000_000
KEYS = AppKeys(app_id=1234567890, server_secrets=("0123456789abcdef0123456789abcdef",))
TOKEN = "/demo/token?user_id=ada&room_id=r"


def browser(peer: str = "127.0.0.1", host: str = "127.0.0.1:8080", apps: tuple[App, ...] = (App(KEYS.app_id, KEYS),)) -> httpx.AsyncClient:
    application = FastAPI()
    application.include_router(demo_routes(lambda: apps, lambda: NOW * 1000))
    return httpx.AsyncClient(transport=httpx.ASGITransport(application, client=(peer, 50000)), base_url=f"http://{host}")


async def test_token_is_for_this_user_and_an_hour() -> None:
    async with browser() as client:
        answer = (await client.get(TOKEN)).json()
    assert answer["app_id"] == KEYS.app_id
    claims = verify_token(answer["token"], keys=KEYS, user_id="ada", now=NOW + TOKEN_SECONDS - 1)
    assert claims.expires_at == NOW + TOKEN_SECONDS


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost"])
async def test_this_machine_is_served_under_all_its_names(host: str) -> None:
    async with browser(peer="::1", host=host) as client:
        assert (await client.get("/demo")).status_code == 200
        assert (await client.get(TOKEN)).status_code == 200


@pytest.mark.parametrize("path", ["/demo", "/demo/page.js", TOKEN])
@pytest.mark.parametrize(
    ("peer", "host", "headers"),
    [
        pytest.param("192.0.2.7", "127.0.0.1", {}, id="another machine"),
        pytest.param("127.0.0.1", "evil.example", {}, id="a name that was made to point here"),
        pytest.param("127.0.0.1", "127.0.0.1.evil.example", {}, id="a name that looks like an address"),
        pytest.param("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, id="through a proxy"),
        pytest.param("127.0.0.1", "127.0.0.1", {"Forwarded": "for=127.0.0.1"}, id="through a proxy, RFC 7239"),
    ],
)
async def test_nobody_else_is_served(path: str, peer: str, host: str, headers: dict[str, str]) -> None:
    async with browser(peer=peer, host=host) as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == 403
    assert "token" not in answer.text


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "__init__.py"])
async def test_only_the_files_of_the_page_are_served(name: str) -> None:
    async with browser() as client:
        assert (await client.get(f"/demo/{name}")).status_code == 404


async def test_page_loads_nothing_from_elsewhere() -> None:
    async with browser() as client:
        names = [path.name for path in (files("server") / "demo").iterdir()]
        answers = [await client.get(path) for path in ("/demo", *(f"/demo/{name}" for name in names))]
    for answer in answers:
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "https://" not in answer.text.replace("https://www.w3.org", "")
        assert "innerHTML" not in answer.text


async def test_mistakes_are_answered_with_what_is_wrong() -> None:
    async with browser() as client:
        assert (await client.get(f"/demo/token?user_id={'x' * 65}&room_id=r")).status_code == 400
    async with browser(apps=()) as client:
        refused = await client.get(TOKEN)
    assert refused.status_code == 503
    assert "[[apps]]" in refused.text
