"""Why a token is refused. A dialect maps each type to its own code; messages are for logs and never contain the token."""

from __future__ import annotations


class TokenError(Exception):
    """A token is refused. The only exception (with its subclasses) that leaves ``verify_token`` and the checks of ``Claims``."""


class TokenMalformed(TokenError):
    """Not a token of any known kind, a broken envelope, or fields that are missing or of the wrong type."""


class TokenBadSignature(TokenError):
    """Made with another secret or key, or altered. For the encrypted kinds: does not decrypt to a JSON object."""


class TokenWrongApp(TokenError):
    """Genuine, but for another AppID (or, for JWT, another audience)."""


class TokenWrongUser(TokenError):
    """Genuine, but for another userID than the one that logs in."""


class TokenExpired(TokenError):
    """Genuine, but its time is over."""


class TokenNotPermitted(TokenError):
    """Genuine and current, but it does not allow this: another room, no publishing, another stream, a kind the App does not take."""
