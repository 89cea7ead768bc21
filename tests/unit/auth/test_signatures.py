"""The documented signatures of the cloud API and of callbacks."""

from __future__ import annotations

import hashlib

import pytest

from auth import sign_callback, sign_server_api, verify_server_api
from tests.unit.auth.token_vectors import OTHER_SECRET, SECRET, SIGNATURES

DOCUMENTED = SIGNATURES["serverapi-md5-doc"]


def test_server_api_signature_is_the_documented_one() -> None:
    made = sign_server_api(DOCUMENTED["app_id"], DOCUMENTED["signature_nonce"], DOCUMENTED["server_secret"], DOCUMENTED["timestamp"])
    assert made == DOCUMENTED["signature"]


def test_callback_signature_is_the_documented_one() -> None:
    vector = SIGNATURES["callback-sha1-doc"]
    assert sign_callback(vector["callback_secret"], vector["timestamp"], vector["nonce"]) == vector["signature"]
    assert sign_callback(vector["callback_secret"], int(vector["timestamp"]), vector["nonce"]) == vector["signature"]


def test_callback_parts_are_sorted_bytewise_not_by_meaning() -> None:
    assert sign_callback("b", "100", "9") == hashlib.sha1(b"1009b").hexdigest()
    assert sign_callback("B", "100", "a") == hashlib.sha1(b"100Ba").hexdigest()


def verified(**changes: object) -> bool:
    arguments = {
        "signature": DOCUMENTED["signature"],
        "app_id": DOCUMENTED["app_id"],
        "nonce": DOCUMENTED["signature_nonce"],
        "server_secrets": (DOCUMENTED["server_secret"],),
        "timestamp": DOCUMENTED["timestamp"],
    } | changes
    return verify_server_api(**arguments)


def test_server_api_signature_is_verified_with_any_valid_secret() -> None:
    assert verified()
    assert verified(timestamp=str(DOCUMENTED["timestamp"]))
    assert verified(server_secrets=(OTHER_SECRET, DOCUMENTED["server_secret"]))
    assert verified(server_secrets=(DOCUMENTED["server_secret"], OTHER_SECRET))


@pytest.mark.parametrize(
    "change",
    [
        {"signature": DOCUMENTED["signature"].upper()},
        {"signature": ""},
        {"signature": "\ud800"},
        {"app_id": 12346},
        {"nonce": "4fd24687296dd9f4"},
        {"nonce": "\ud800"},
        {"timestamp": 1615186944},
        {"server_secrets": (SECRET, OTHER_SECRET)},
        {"server_secrets": ()},
    ],
)
def test_any_change_breaks_the_server_api_signature(change: dict[str, object]) -> None:
    assert not verified(**change)
