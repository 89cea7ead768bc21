"""Who may do what: tokens, their claims and privileges, and the signatures of the HTTP interfaces.

Pure functions: no I/O, no clock, no settings. Times are epoch **seconds** throughout, because that is what every token format carries.
"""

from auth.claims import AppKeys, Claims, JwtKeys, Privileges, TokenCheck, TokenKind
from auth.errors import (
    TokenBadSignature,
    TokenError,
    TokenExpired,
    TokenMalformed,
    TokenNotPermitted,
    TokenWrongApp,
    TokenWrongUser,
)
from auth.signatures import sign_callback, sign_server_api, verify_server_api
from auth.tokens import MAX_TOKEN_LENGTH, issue_token, verify_token

__all__ = [
    "MAX_TOKEN_LENGTH",
    "AppKeys",
    "Claims",
    "JwtKeys",
    "Privileges",
    "TokenBadSignature",
    "TokenCheck",
    "TokenError",
    "TokenExpired",
    "TokenKind",
    "TokenMalformed",
    "TokenNotPermitted",
    "TokenWrongApp",
    "TokenWrongUser",
    "issue_token",
    "sign_callback",
    "sign_server_api",
    "verify_server_api",
    "verify_token",
]
