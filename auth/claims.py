"""What a verified token says, what it allows, and the keys of an App that tokens are verified with."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from auth.errors import TokenNotPermitted
from auth.public_keys import ASYMMETRIC_ALGORITHMS, PublicKey, load_jwks, load_pem

SECRET_LENGTH = 32
"""Bytes of a ServerSecret: the AES-256 key of the encrypted tokens (zego-cloud.md §1.1), and enough for HS256 (RFC 7518 §3.2)."""

APP_SIGN_PART = 32
"""Characters of the AppSign that the legacy login token uses (zego-cloud.md §1.5)."""


class TokenKind(enum.StrEnum):
    """The token formats."""

    TOKEN04 = "token04"
    """Token04, AES-CBC: what most generators in use emit."""
    TOKEN04_GCM = "token04-gcm"
    """Token04, AES-GCM: authenticated; what the newer generators emit."""
    TOKEN03 = "token03"
    LEGACY = "legacy"
    """The login token of web and mini-program before Token03, signed with the AppSign."""
    JWT = "jwt"


class TokenCheck(enum.StrEnum):
    """How much of a token's privileges an App enforces (zego-cloud.md §1.2). Identity and expiry are always checked."""

    IDENTITY = "identity"
    """Privileges are ignored: every genuine token may enter every room and publish every stream."""
    LOGIN = "login"
    """The token must allow login to this very room; publishing is not checked."""
    LOGIN_PUBLISH = "login+publish"
    """As ``LOGIN``, and publishing needs the publish privilege and, where the token lists streams, a listed stream."""


_AUTH_LEVELS = {
    TokenKind.LEGACY: 1,
    TokenKind.TOKEN03: 3,
    TokenKind.TOKEN04: 4,
    TokenKind.TOKEN04_GCM: 4,
    TokenKind.JWT: 4,  # not a kind of ZEGO's; it carries what a Token04 carries
}


@dataclass(frozen=True)
class Privileges:
    """What a token allows, for Apps that check it.

    ``room_id`` empty or None means **any room**. ``stream_ids`` None or empty means **no check of the stream id** (a token that lists no
    streams may publish any), not "no stream": to forbid publishing, ``publish`` is False.
    """

    room_id: str | None = None
    """The only room the token is good for; None or ``""`` = any."""
    login: bool = True
    """Privilege ``"1"``, loginRoom."""
    publish: bool = True
    """Privilege ``"2"``, publishStream."""
    stream_ids: tuple[str, ...] | None = None
    """The only streams that may be published; None or ``()`` = any."""


@dataclass(frozen=True)
class Claims:
    """A verified token: genuine, for the AppID and userID it was verified against, and not expired at that time."""

    kind: TokenKind
    app_id: int
    user_id: str
    issued_at: int
    """Epoch seconds; 0 where the kind does not carry it (legacy) or the token left it out (JWT without ``iat``).
    May lie in the future: clocks differ, and no generator's verifier checks it."""
    expires_at: int
    """Epoch seconds."""
    nonce: int | str
    """As sent: an int64 in Token03/04, a string in the legacy token, ``jti`` in a JWT (``""`` when absent)."""
    privileges: Privileges | None = None
    """None: an identity token, it says who and nothing about what."""
    listen_only: bool = False
    """Never allows to publish, whatever the App checks (IdentifyToken)."""

    def check_login(self, room_id: str, mode: TokenCheck) -> None:
        """Raise ``TokenNotPermitted`` unless the token allows to enter ``room_id`` under ``mode``.

        A token without privileges is refused by the modes that check them: what is not granted is denied.
        """
        if mode is TokenCheck.IDENTITY:
            return
        granted = self._granted()
        if granted.room_id and granted.room_id != room_id:
            raise TokenNotPermitted("the token is for another room")
        if not granted.login:
            raise TokenNotPermitted("the token does not allow login")

    def check_publish(self, stream_id: str, mode: TokenCheck) -> None:
        """Raise ``TokenNotPermitted`` unless the token allows to publish ``stream_id`` under ``mode``.

        Does not look at the room: that was settled by ``check_login``. No stream list, or an empty one, allows every stream.
        """
        if self.listen_only:
            raise TokenNotPermitted("the token allows to play only")
        if mode is not TokenCheck.LOGIN_PUBLISH:
            return
        granted = self._granted()
        if not granted.publish:
            raise TokenNotPermitted("the token does not allow publishing")
        if granted.stream_ids and stream_id not in granted.stream_ids:
            raise TokenNotPermitted("the token does not list this stream")

    @property
    def auth_level(self) -> int:
        """The ``auth_level`` of the room_login callback: the token's version, 1 to 4 (zego-cloud.md §3; 0 there means no token)."""
        return _AUTH_LEVELS[self.kind]

    def _granted(self) -> Privileges:
        if self.privileges is None:
            raise TokenNotPermitted("the token carries no privileges and the App checks them")
        return self.privileges


@dataclass(frozen=True)
class JwtKeys:
    """How the JWTs of an App are verified.

    HS256 is verified with the ServerSecrets and nothing else; every other algorithm with the public keys given here and nothing else,
    so a public key can never serve as an HMAC secret. HS384 and HS512 are refused because RFC 7518 §3.2 wants longer keys than a
    ServerSecret is. Raises ValueError for an unknown algorithm, an unreadable key, a private key, or an asymmetric algorithm
    without any key that fits it.
    """

    algorithms: tuple[str, ...] = ("HS256",)
    """JOSE names that are accepted: ``HS256`` and those of ``auth.public_keys.ASYMMETRIC_ALGORITHMS``."""
    public_keys: tuple[str, ...] = ()
    """PEM texts (SubjectPublicKeyInfo)."""
    jwks: Mapping[str, object] | None = None
    """A JSON Web Key Set (RFC 7517 §5), parsed. Keys of unknown or symmetric type and encryption keys are skipped."""
    audience: str | None = None
    """When set, a token's ``aud`` must be or contain it."""
    verification_keys: tuple[PublicKey, ...] = field(init=False, repr=False, compare=False)
    """The keys of ``public_keys`` and ``jwks``, loaded once."""

    def __post_init__(self) -> None:
        if not self.algorithms:
            raise ValueError("jwt.algorithms is empty")
        loaded = tuple(load_pem(text) for text in self.public_keys) + (load_jwks(self.jwks) if self.jwks is not None else ())
        for algorithm in self.algorithms:
            if algorithm == "HS256":
                continue
            if algorithm not in ASYMMETRIC_ALGORITHMS:
                raise ValueError(f"jwt.algorithms: {algorithm!r} is not one of HS256, {', '.join(ASYMMETRIC_ALGORITHMS)}")
            if not any(key.fits(algorithm) for key in loaded):
                raise ValueError(f"jwt.algorithms has {algorithm}, but neither public_keys nor jwks has a key for it")
        object.__setattr__(self, "verification_keys", loaded)


@dataclass(frozen=True)
class AppKeys:
    """The secrets and keys of one App. Never printed: ``repr`` leaves the secrets out. Raises ValueError for secrets of a wrong form."""

    app_id: int
    """uint32."""
    server_secrets: tuple[str, ...] = field(repr=False)
    """The ServerSecrets valid now, 32 characters each; the first one signs. Two while a secret is being replaced."""
    app_sign: str | None = field(default=None, repr=False)
    """64 hex characters, optionally written as ``0x..,0x..``. Only legacy tokens need it; without it they are refused."""
    jwt: JwtKeys | None = None
    """None: JWTs are accepted with HS256 and a ServerSecret."""

    def __post_init__(self) -> None:
        if not 0 <= self.app_id < 2**32:
            raise ValueError("app_id must be a number from 0 to 4294967295")
        for secret in self.server_secrets:
            if len(secret.encode()) != SECRET_LENGTH:
                raise ValueError(f"a ServerSecret of App {self.app_id} is not {SECRET_LENGTH} bytes long")
        if self.app_sign is not None and len(self.app_sign_part) < APP_SIGN_PART:
            raise ValueError(f"the app_sign of App {self.app_id} is shorter than {APP_SIGN_PART} characters")

    @property
    def app_sign_part(self) -> str:
        """The part of the AppSign that goes into the legacy token's hash; ``""`` without an AppSign (zego-cloud.md §1.5)."""
        return (self.app_sign or "").replace("0x", "").replace(",", "")[:APP_SIGN_PART]
