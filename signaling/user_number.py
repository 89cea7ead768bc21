"""``user_id`` of login answers: a number beside the app's own userID."""

from __future__ import annotations

from hashlib import blake2b


def user_number(app_id: int, user_id: str) -> int:
    """A number that stands for the user, not zero, the same at every login.

    SDK 2.11.0 drops frames with another ``user_id`` than it knows, and learns a new one only some time after the login answer: what
    follows that answer directly would be lost if the number changed when a session had expired.
    """
    return 1 + int.from_bytes(blake2b(f"{app_id}/{user_id}".encode(), digest_size=6).digest())
