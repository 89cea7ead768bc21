"""Reads a request's body up to a limit, without holding more of it than that."""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLong(Exception):
    pass


async def read_body(request: Request, most: int) -> bytes:
    """The whole body; raises ``BodyTooLong`` as soon as it is longer than ``most`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise BodyTooLong
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > most:
            raise BodyTooLong
        parts.append(part)
    return b"".join(parts)
