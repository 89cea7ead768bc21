"""Zeros are written (``sdk-3x.md`` §3.6).

SDKs 3.x copy a decoded message with an object spread: a field that is not on the wire becomes ``undefined`` and ``0 === rsp.code`` is
false. proto3 leaves zeros out unless a field is ``optional`` and was set; so every message to a client goes through here.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def with_zeros(message: M) -> M:
    """The same message with every singular scalar set, here and in the sub-messages that are there. Absent sub-messages stay absent."""
    scalars, singles, lists = _fields(message.DESCRIPTOR)
    for name, zero in scalars:
        if not message.HasField(name):
            setattr(message, name, zero)
    for name in singles:
        if message.HasField(name):
            with_zeros(getattr(message, name))
    for name in lists:
        for part in getattr(message, name):
            with_zeros(part)
    return message


@cache
def _fields(kind: Descriptor) -> tuple[list[tuple[str, object]], list[str], list[str]]:
    """Names of the singular scalars with their zeros, of the single sub-messages, of the lists of sub-messages."""
    scalars: list[tuple[str, object]] = []
    singles: list[str] = []
    lists: list[str] = []
    for field in kind.fields:
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            if not field.is_repeated:
                scalars.append((field.name, field.default_value))
        elif field.is_repeated:
            lists.append(field.name)
        else:
            singles.append(field.name)
    return scalars, singles, lists
