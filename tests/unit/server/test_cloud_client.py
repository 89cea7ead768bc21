"""How commands reach the server."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.cloud_client import call
from server.dev_tls import ensure_development_tls


def test_who_has_a_development_certificate_trusts_public_ones_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = ensure_development_tls(tmp_path, datetime.datetime.now(datetime.UTC), []).authority
    trusted: list[set[bytes]] = []

    def post(url: str, *, verify: ssl.SSLContext, **_: Any) -> httpx.Response:
        trusted.append(set(verify.get_ca_certs(binary_form=True)))
        return httpx.Response(200, json={"Code": 0, "Message": "success"})

    monkeypatch.setattr(httpx, "post", post)
    for file in (None, authority):
        call("https://rtc.example.org", "DescribeUserNum", app_id=1, server_secret="0" * 32, body={}, authority=file)
    without, with_own = trusted
    assert without and without < with_own
    assert with_own - without == {ssl.PEM_cert_to_DER_cert(authority.read_text())}
