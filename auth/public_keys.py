"""Public keys for JWT verification: from PEM text and from a JSON Web Key Set, each tied to the algorithms its type allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Key = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

_CURVES = MappingProxyType({"ES256": SECP256R1.name, "ES384": SECP384R1.name, "ES512": SECP521R1.name})

ASYMMETRIC_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""JOSE algorithm names (RFC 7518 §3.1, RFC 8037 §3.1) that are verified with a public key."""


@dataclass(frozen=True)
class PublicKey:
    """A public key, and what its publisher says it is for."""

    key: Key
    key_id: str | None = None
    """``kid`` of the JWK; None for PEM keys."""
    algorithm: str | None = None
    """``alg`` of the JWK: the only algorithm it is for; None = any that its type allows."""

    def fits(self, algorithm: str) -> bool:
        """Whether this key may verify ``algorithm``: its type and curve match (RFC 7518 §3.3, §3.4) and ``alg`` does not say otherwise."""
        if self.algorithm is not None and self.algorithm != algorithm:
            return False
        match self.key:
            case RSAPublicKey():
                return algorithm[:2] in ("RS", "PS")
            case EllipticCurvePublicKey():
                return _CURVES.get(algorithm) == self.key.curve.name
            case _:
                return algorithm == "EdDSA"


def load_pem(text: str) -> PublicKey:
    """Load a PEM public key. Raises ValueError for anything else, a private key included: the server has no business with one."""
    if "PRIVATE KEY" in text:
        raise ValueError("jwt.public_keys: this is a private key; the server needs, and should have, only the public one")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("jwt.public_keys: not a PEM public key (-----BEGIN PUBLIC KEY-----)") from error
    if not isinstance(key, Key):
        raise ValueError(f"jwt.public_keys: keys of type {type(key).__name__} are not supported")
    return PublicKey(key)


def load_jwks(jwks: Mapping[str, object]) -> tuple[PublicKey, ...]:
    """Load the signature keys of a JWK set (RFC 7517 §5).

    Skipped, as §5 asks: keys of a type or curve not known here. Skipped too: symmetric keys (``oct``), because only a ServerSecret
    verifies an HMAC, and keys whose ``use`` is encryption. Raises ValueError when this is not a key set or has a private key in it.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        raise ValueError('jwt.jwks: not a JSON Web Key Set, {"keys": [...]}')
    return tuple(key for key in map(_load_jwk, keys) if key is not None)


def _load_jwk(entry: object) -> PublicKey | None:
    if not isinstance(entry, dict):
        raise ValueError("jwt.jwks: an entry is not a JSON object")
    if entry.get("use", "sig") != "sig":
        return None
    if "d" in entry:
        raise ValueError("jwt.jwks: an entry is a private key; publish only the public ones")
    try:
        loaded = jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None
    except (ValueError, TypeError, KeyError) as error:  # numbers that make no key
        raise ValueError("jwt.jwks: an entry is not a usable key") from error
    key, key_id, algorithm = loaded.key, entry.get("kid"), entry.get("alg")
    if not isinstance(key, Key):  # a symmetric key, or a type that no algorithm here uses
        return None
    return PublicKey(
        key,
        key_id if isinstance(key_id, str) else None,
        algorithm if isinstance(algorithm, str) else None,
    )
