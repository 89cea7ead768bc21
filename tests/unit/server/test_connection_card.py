"""What the card says can be used as it stands there."""

from __future__ import annotations

import pytest

from auth.claims import AppKeys
from calls.apps import App
from server.connection_card import connection_card

APP = App(1234567890, AppKeys(app_id=1234567890, server_secrets=("0123456789abcdef0123456789abcdef",)))


@pytest.mark.parametrize(
    ("base_url", "demo"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/demo"),
        ("http://localhost:8080", "http://localhost:8080/demo"),
        ("http://[::1]:8080", "http://[::1]:8080/demo"),
        ("https://192.0.2.7:8080", "https://127.0.0.1:8080/demo"),
    ],
)
def test_demo_is_named_by_an_address_under_which_it_is_served(base_url: str, demo: str) -> None:
    card = connection_card(base_url=base_url, app=APP, config=None, development=True, media="UDP", tls=None, store="memory://")
    assert f"Try it: {demo}\n" in card + "\n"
    assert f"Hearth is listening on {base_url}\n" in card
