"""JWTs of an identity service: which keys verify which algorithms, which claims are needed, and no way to confuse the two."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import warnings
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from auth import (
    AppKeys,
    Claims,
    JwtKeys,
    Privileges,
    TokenBadSignature,
    TokenExpired,
    TokenKind,
    TokenMalformed,
    TokenNotPermitted,
    TokenWrongApp,
    TokenWrongUser,
    issue_token,
    verify_token,
)
from auth.json_web_token import NOT_BEFORE_LEEWAY_SECONDS
from auth.public_keys import ASYMMETRIC_ALGORITHMS
from tests.unit.auth.token_vectors import APP_ID, NOW, OTHER_SECRET, SECRET

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
CLAIMS: dict[str, object] = {"app_id": APP_ID, "user_id": "amy", "exp": NOW + 60}


@functools.cache
def private_key(algorithm: str, which: int = 0) -> PrivateKey:
    """One key per algorithm and number, made once: RSA keys take their time."""
    match algorithm[:2]:
        case "RS" | "PS":
            return _rsa_key(which)
        case "ES":
            return ec.generate_private_key({"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}[algorithm[2:]])
        case _:
            return ed25519.Ed25519PrivateKey.generate()


@functools.cache
def _rsa_key(which: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(algorithm: str, which: int = 0) -> str:
    return private_key(algorithm, which).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(algorithm: str, which: int = 0, **more: object) -> dict[str, object]:
    implementation = jwt.get_algorithm_by_name(algorithm)
    return json.loads(implementation.to_jwk(private_key(algorithm, which).public_key())) | more  # type: ignore[no-any-return]


def app(*, public_keys: tuple[str, ...] = (), jwks: dict[str, object] | None = None, audience: str | None = None, **more: Any) -> AppKeys:
    algorithms = more.get("algorithms", ("RS256",))
    return AppKeys(APP_ID, (SECRET,), jwt=JwtKeys(algorithms, public_keys, jwks, audience))


def signed(algorithm: str, which: int = 0, *, kid: str | None = None, **changes: object) -> str:
    claims = {key: value for key, value in (CLAIMS | changes).items() if value is not None}
    headers = {"kid": kid} if kid else None
    return jwt.encode(claims, private_key(algorithm, which), algorithm, headers)


def hs256(secret: str = SECRET, **changes: object) -> str:
    claims = {key: value for key, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode(claims, secret, "HS256")


def verified(token: str, keys: AppKeys | None = None, *, user_id: str = "amy", now: int = NOW) -> Claims:
    return verify_token(token, keys=keys or AppKeys(APP_ID, (SECRET,)), user_id=user_id, now=now)


def test_hs256_with_a_server_secret_needs_no_configuration() -> None:
    claims = verified(hs256(iat=NOW, jti="j1"))
    assert claims == Claims(TokenKind.JWT, APP_ID, "amy", NOW, NOW + 60, "j1", None)


def test_hs256_is_verified_with_either_secret() -> None:
    both = AppKeys(APP_ID, (OTHER_SECRET, SECRET))
    assert verified(hs256(), both).user_id == verified(hs256(OTHER_SECRET), both).user_id == "amy"
    with pytest.raises(TokenBadSignature):
        verified(hs256("another secret of thirty-two b.."), both)


@pytest.mark.parametrize("algorithm", ASYMMETRIC_ALGORITHMS)
def test_every_asymmetric_algorithm_is_verified_with_a_pem_key_and_with_a_key_set(algorithm: str) -> None:
    token = signed(algorithm)
    for keys in (
        app(algorithms=(algorithm,), public_keys=(pem(algorithm),)),
        app(algorithms=(algorithm,), jwks={"keys": [jwk(algorithm, kid="k1", use="sig", alg=algorithm)]}),
    ):
        assert verified(token, keys).kind is TokenKind.JWT


def test_any_of_several_public_keys_verifies() -> None:
    keys = app(public_keys=(pem("RS256", 0), pem("RS256", 1)))
    assert verified(signed("RS256", 1), keys).user_id == "amy"
    with pytest.raises(TokenBadSignature):
        verified(signed("RS256", 2), keys)


def test_a_key_id_picks_the_key_of_the_set() -> None:
    keys = app(jwks={"keys": [jwk("RS256", 0, kid="old"), jwk("RS256", 1, kid="new")]})
    assert verified(signed("RS256", 1, kid="new"), keys).user_id == "amy"
    assert verified(signed("RS256", 1), keys).user_id == "amy"
    for kid in ("old", "unknown"):
        with pytest.raises(TokenBadSignature):
            verified(signed("RS256", 1, kid=kid), keys)


def test_a_key_id_does_not_hide_a_pem_key() -> None:
    assert verified(signed("RS256", kid="whatever"), app(public_keys=(pem("RS256"),))).user_id == "amy"


def test_a_key_of_the_set_verifies_only_the_algorithm_it_names() -> None:
    keys = app(algorithms=("RS256", "PS256"), jwks={"keys": [jwk("RS256", alg="RS256")]}, public_keys=(pem("PS256", 1),))
    assert verified(signed("RS256"), keys).user_id == "amy"
    with pytest.raises(TokenBadSignature):
        verified(signed("PS256"), keys)


# --- algorithm confusion ------------------------------------------------------------------------------------------------------------------


def unsafe(header: dict[str, object], secret: bytes | None, claims: dict[str, object] = CLAIMS) -> str:
    """A JWS put together by hand, as an attacker would, where PyJWT refuses to help."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret is not None else b""
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_a_public_key_is_no_hmac_secret() -> None:
    key = pem("RS256")
    for algorithms in (("RS256",), ("RS256", "HS256")):
        with pytest.raises(TokenBadSignature):
            verified(unsafe({"alg": "HS256"}, key.encode()), app(algorithms=algorithms, public_keys=(key,)))


def test_a_symmetric_key_in_a_set_is_ignored() -> None:
    secret = base64.urlsafe_b64encode(OTHER_SECRET.encode()).decode().rstrip("=")
    jwks: dict[str, object] = {"keys": [{"kty": "oct", "k": secret, "kid": "k"}, jwk("RS256")]}
    with pytest.raises(TokenBadSignature):
        verified(unsafe({"alg": "HS256", "kid": "k"}, OTHER_SECRET.encode()), app(algorithms=("RS256", "HS256"), jwks=jwks))


def test_the_server_secret_signs_nothing_where_hs256_is_not_accepted() -> None:
    with pytest.raises(TokenBadSignature):
        verified(hs256(), app(public_keys=(pem("RS256"),)))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS384", "HS512", "RS256", "hs256"])
def test_only_accepted_algorithms_are_considered(algorithm: str) -> None:
    for secret in (None, SECRET.encode()):
        with pytest.raises(TokenBadSignature):
            verified(unsafe({"alg": algorithm}, secret))


def test_a_signature_is_required() -> None:
    with pytest.raises(TokenBadSignature):
        verified(hs256().rpartition(".")[0] + ".")


def test_claims_cannot_be_exchanged_under_a_signature() -> None:
    mine, theirs = hs256().split("."), hs256(user_id="bob").split(".")
    with pytest.raises(TokenBadSignature):
        verified(".".join([mine[0], theirs[1], mine[2]]), user_id="bob")


# --- claims -------------------------------------------------------------------------------------------------------------------------------


def test_the_subject_is_the_user_where_user_id_is_absent() -> None:
    assert verified(hs256(user_id=None, sub="amy")).user_id == "amy"
    assert verified(hs256(sub="auth0|12345")).user_id == "amy"


def test_privileges_are_those_of_a_token04_payload() -> None:
    token = hs256(room_id="r", privilege={"1": 1, "2": 0}, stream_id_list=["s"])
    assert verified(token).privileges == Privileges("r", login=True, publish=False, stream_ids=("s",))
    assert verified(hs256(privilege={"1": 1, "2": 1})).privileges == Privileges()
    assert verified(hs256(room_id="r")).privileges is None


def test_a_jwt_is_over_at_its_expiry() -> None:
    assert verified(hs256(), now=NOW + 59).expires_at == NOW + 60
    with pytest.raises(TokenExpired):
        verified(hs256(), now=NOW + 60)


def test_a_jwt_before_its_time_is_not_permitted() -> None:
    token = hs256(nbf=NOW + NOT_BEFORE_LEEWAY_SECONDS + 1, exp=NOW + 1000)
    assert verified(token, now=NOW + 1).user_id == "amy"
    with pytest.raises(TokenNotPermitted):
        verified(token, now=NOW)


def test_dates_may_have_fractions() -> None:
    claims = verified(hs256(exp=NOW + 60.9, iat=NOW + 0.5))
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 60)


def test_wrong_app_and_wrong_user_are_told_apart() -> None:
    with pytest.raises(TokenWrongApp):
        verified(hs256(app_id=5))
    with pytest.raises(TokenWrongUser):
        verified(hs256(), user_id="bob")


@pytest.mark.parametrize("aud", ["hearth", ["other", "hearth"]])
def test_a_configured_audience_must_be_named(aud: object) -> None:
    keys = app(algorithms=("HS256",), audience="hearth")
    assert verified(hs256(aud=aud), keys).user_id == "amy"
    for wrong in (None, "other", [], ["hearth2"]):
        with pytest.raises(TokenWrongApp):
            verified(hs256(aud=wrong), keys)


def test_without_a_configured_audience_none_is_looked_at() -> None:
    assert verified(hs256(aud="somebody else")).user_id == "amy"


@pytest.mark.parametrize(
    "change",
    [
        {"app_id": None},
        {"app_id": str(APP_ID)},
        {"app_id": True},
        {"user_id": None},
        {"user_id": 7},
        {"exp": None},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 2**64},
        {"iat": "now"},
        {"nbf": 1e300},
        {"jti": 7},
        {"aud": 7},
    ],
)
def test_claims_that_are_missing_or_of_a_wrong_type_are_malformed(change: dict[str, object]) -> None:
    claims = {key: value for key, value in (CLAIMS | change).items() if value is not None}
    with pytest.raises(TokenMalformed):
        verified(unsafe({"alg": "HS256"}, SECRET.encode(), claims))


@pytest.mark.parametrize("claims", [[], "text", 7, None])
def test_claims_that_are_no_object_are_malformed(claims: Any) -> None:
    with pytest.raises(TokenMalformed):
        verified(unsafe({"alg": "HS256"}, SECRET.encode(), claims))


@pytest.mark.parametrize("date", ["NaN", "Infinity", "1e999"])
def test_dates_that_are_no_numbers_are_malformed(date: str) -> None:
    payload = json.dumps(CLAIMS | {"exp": 0}).replace('"exp": 0', f'"exp": {date}').encode()
    with pytest.raises(TokenMalformed):
        verified(jwt.api_jws.encode(payload, SECRET, "HS256"))


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"alg": 1},
        {"alg": None},
        {"alg": ["HS256"]},
        {"alg": "HS256", "kid": 1},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        [],
        "x",
    ],
)
def test_headers_that_cannot_be_understood_are_malformed(header: Any) -> None:
    with pytest.raises(TokenMalformed):
        verified(unsafe(header, SECRET.encode()))


@pytest.mark.parametrize(
    "token", [".", "..", "a.b.c", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9.a", "....", "é.é.é"]
)
def test_what_is_no_compact_jws_is_malformed(token: str) -> None:
    with pytest.raises(TokenMalformed):
        verified(token)


# --- issuing and configuration ------------------------------------------------------------------------------------------------------------


def test_issuing_names_the_audience() -> None:
    keys = app(algorithms=("HS256",), audience="hearth")
    token = issue_token(TokenKind.JWT, keys=keys, user_id="amy", now=NOW, ttl=60)
    assert verified(token, keys).user_id == "amy"


def test_no_warning_about_weak_keys_when_issuing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert verified(issue_token(TokenKind.JWT, keys=AppKeys(APP_ID, (SECRET,)), user_id="amy", now=NOW, ttl=60))


def test_hearth_issues_no_jwt_it_would_not_accept() -> None:
    with pytest.raises(ValueError, match="no private key"):
        issue_token(TokenKind.JWT, keys=app(public_keys=(pem("RS256"),)), user_id="amy", now=NOW, ttl=60)


def private_pem() -> str:
    return private_key("RS256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"algorithms": ()}, "empty"),
        ({"algorithms": ("none",)}, "'none' is not one of"),
        ({"algorithms": ("HS512",)}, "'HS512' is not one of"),
        ({"algorithms": ("RS256",)}, "neither public_keys nor jwks"),
        ({"algorithms": ("RS256",), "public_keys": ("no PEM",)}, "not a PEM public key"),
        ({"algorithms": ("ES256",), "public_keys": (pem("ES384"),)}, "neither public_keys nor jwks"),
        ({"algorithms": ("RS256",), "public_keys": (private_pem(),)}, "private key"),
        ({"algorithms": ("RS256",), "jwks": {}}, "not a JSON Web Key Set"),
        ({"algorithms": ("RS256",), "jwks": {"keys": ["x"]}}, "not a JSON object"),
        ({"algorithms": ("RS256",), "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "neither public_keys nor jwks"),
        ({"algorithms": ("RS256",), "jwks": {"keys": [jwk("RS256", use="enc")]}}, "neither public_keys nor jwks"),
        ({"algorithms": ("RS256",), "jwks": {"keys": [jwk("RS256", d="AQAB")]}}, "private key"),
        ({"algorithms": ("RS256",), "jwks": {"keys": [{"kty": "RSA"}]}}, "neither public_keys nor jwks"),
        ({"algorithms": ("RS256",), "jwks": {"keys": [{"kty": "new kind"}]}}, "neither public_keys nor jwks"),
    ],
)
def test_keys_that_verify_nothing_are_refused_when_they_are_configured(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JwtKeys(**arguments)
