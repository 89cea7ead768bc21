"""What an action is refused with."""

from __future__ import annotations


class Refused(Exception):
    """``code``: one of ``codes.py``; the text is the answer's ``Message``, for people, and never holds a secret."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = int(code)
