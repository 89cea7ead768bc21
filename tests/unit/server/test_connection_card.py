"""What the card says can be used as it stands there."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from auth.claims import AppKeys
from calls.apps import App
from server.connection_card import connection_card
from server.dev_tls import ensure_development_tls

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
    card = connection_card(base_url=base_url, app=APP, config=None, development=True, media="UDP", rtmp=None, tls=None, store="memory://")
    assert f"Try it: {demo}\n" in card + "\n"
    assert f"Hearth is listening on {base_url}\n" in card


def test_with_tls_it_has_the_call_that_points_sdks_3x_here(tmp_path: Path) -> None:
    tls = ensure_development_tls(tmp_path, datetime.datetime.now(datetime.UTC))
    card = connection_card(
        base_url="https://192.0.2.7:8443", app=APP, config=None, development=True, media="UDP", rtmp=None, tls=tls, store="memory://"
    )
    assert (
        "ZegoExpressEngine.setEngineOptions({ customDomain: { accesshub: '192.0.2.7:8443', logreport: '192.0.2.7:8443', "
        "detaillog: '192.0.2.7:8443' } })"
    ) in card
    assert str(tls.authority) in card


def test_without_tls_it_says_what_sdks_3x_need() -> None:
    card = connection_card(
        base_url="http://127.0.0.1:8080", app=APP, config=None, development=True, media="UDP", rtmp=None, tls=None, store="memory://"
    )
    assert "--dev-tls" in card and "setEngineOptions" not in card


def test_it_says_where_rtmp_is_spoken_and_keeps_still_where_it_is_not() -> None:
    def card(rtmp: str | None) -> str:
        return connection_card(
            base_url="http://127.0.0.1:8080", app=APP, config=None, development=True, media="UDP", rtmp=rtmp, tls=None, store="memory://"
        )

    assert "RTMP          rtmp://127.0.0.1:1935\n" in card("rtmp://127.0.0.1:1935")
    assert "RTMP" not in card(None)
