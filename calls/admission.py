"""Who may do what in a call: a token becomes a ``Grant``, and a grant is asked before each publish."""

from __future__ import annotations

from auth import Claims, TokenCheck, TokenExpired, TokenNotPermitted, verify_token
from calls.apps import App
from rooms.model import Grant

MS = 1000


def admit(app: App, *, room_id: str, user_id: str, token: str, now: int) -> Grant:
    """Verify ``token`` for a login to ``room_id`` (or its renewal there) at ``now`` (ms). Raises ``TokenError``."""
    claims = verify_token(token, keys=app.keys, user_id=user_id, now=now // MS)
    claims.check_login(room_id, app.token_check)
    return _grant(claims, app.token_check)


def check_publish(grant: Grant, stream_id: str, now: int) -> None:
    """Raise ``TokenExpired`` or ``TokenNotPermitted`` unless ``grant`` allows to begin publishing ``stream_id`` at ``now`` (ms).

    Only beginnings are asked: a running publish outlives its token (``zego-cloud.md`` §1.3).
    """
    if grant.expires_at and grant.expires_at <= now:
        raise TokenExpired("the token has expired since login; renew it")
    if not grant.may_publish:
        raise TokenNotPermitted("the token does not allow publishing")
    if grant.stream_ids is not None and stream_id not in grant.stream_ids:
        raise TokenNotPermitted("the token does not list this stream")


def remaining_seconds(grant: Grant, now: int) -> int:
    """Seconds until the grant runs out, at least 0. A grant without an end counts as ten years."""
    if not grant.expires_at:
        return 10 * 365 * 24 * 3600
    return max(0, (grant.expires_at - now) // MS)


def _grant(claims: Claims, mode: TokenCheck) -> Grant:
    expires_at = claims.expires_at * MS
    privileges = claims.privileges
    if claims.listen_only:
        return Grant(expires_at=expires_at, may_publish=False, auth_level=claims.auth_level)
    if mode is not TokenCheck.LOGIN_PUBLISH or privileges is None:
        return Grant(expires_at=expires_at, auth_level=claims.auth_level)
    return Grant(
        expires_at=expires_at, may_publish=privileges.publish, stream_ids=privileges.stream_ids or None, auth_level=claims.auth_level
    )
