"""AMF0, the encoding of RTMP's commands (Adobe "Action Message Format -- AMF 0", 2007).

Numbers are floats, objects and ECMA arrays are dicts, null, undefined and "unsupported" are None, dates their epoch milliseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "bool | float | int | str | Sequence[Value] | Mapping[str, Value] | None"

MAX_DEPTH = 16
"""Objects within objects. What real clients send has two."""
MAX_VALUES = 1_000
"""Values in one message, those within objects and arrays included. A ``connect`` has some fifteen."""

_NUMBER = struct.Struct(">d")
_NUMBER_MARK, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED = 0, 1, 2, 3, 5, 6
_ECMA_ARRAY, _OBJECT_END, _STRICT_ARRAY, _DATE, _LONG_STRING, _UNSUPPORTED = 8, 9, 10, 11, 12, 13
_XML, _TYPED_OBJECT = 15, 16
_END = b"\x00\x00\x09"


class Amf0Malformed(ValueError):
    """The bytes are no AMF0, or of a kind that no RTMP client has a use for (references, AMF3 values)."""


def encode(*values: Value) -> bytes:
    """The values one after the other. Dicts become objects."""
    out = bytearray()
    for value in values:
        _write(out, value)
    return bytes(out)


def decode(data: bytes) -> list[Value]:
    """All values in ``data``. Raises ``Amf0Malformed``."""
    values: list[Value] = []
    reader = _Reader(data)
    while reader.at < len(data):
        values.append(reader.value(0))
    return values


def decode_some(data: bytes) -> list[Value]:
    """The values up to the first that cannot be read: commands begin with what matters, and some clients append AMF3."""
    values: list[Value] = []
    reader = _Reader(data)
    try:
        while reader.at < len(data):
            values.append(reader.value(0))
    except Amf0Malformed:
        pass
    return values


def _write(out: bytearray, value: Value) -> None:
    if value is None:
        out.append(_NULL)
    elif isinstance(value, bool):
        out += bytes((_BOOLEAN, value))
    elif isinstance(value, int | float):
        out.append(_NUMBER_MARK)
        out += _NUMBER.pack(value)
    elif isinstance(value, str):
        text = value.encode("utf-8", "replace")
        if len(text) > 0xFFFF:
            out.append(_LONG_STRING)
            out += len(text).to_bytes(4, "big") + text
        else:
            out.append(_STRING)
            out += len(text).to_bytes(2, "big") + text
    elif isinstance(value, Mapping):
        out.append(_OBJECT)
        for key, item in value.items():
            name = key.encode("utf-8", "replace")[:0xFFFF]
            out += len(name).to_bytes(2, "big") + name
            _write(out, item)
        out += _END
    else:
        out.append(_STRICT_ARRAY)
        out += len(value).to_bytes(4, "big")
        for item in value:
            _write(out, item)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._values = 0
        self.at = 0

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise Amf0Malformed("nested too deeply")
        self._values += 1
        if self._values > MAX_VALUES:
            raise Amf0Malformed("too many values")
        mark = self._take(1)[0]
        if mark == _NUMBER_MARK:
            return self._number()
        if mark == _BOOLEAN:
            return self._take(1) != b"\x00"
        if mark == _STRING:
            return self._text(2)
        if mark in (_NULL, _UNDEFINED, _UNSUPPORTED):
            return None
        if mark == _OBJECT:
            return self._properties(depth)
        if mark == _ECMA_ARRAY:
            self._take(4)  # a count that is only a hint
            return self._properties(depth)
        if mark == _STRICT_ARRAY:
            return self._array(depth)
        if mark == _DATE:
            moment = self._number()
            self._take(2)
            return moment
        if mark in (_LONG_STRING, _XML):
            return self._text(4)
        if mark == _TYPED_OBJECT:
            self._text(2)
            return self._properties(depth)
        raise Amf0Malformed(f"marker {mark}")

    def _array(self, depth: int) -> list[Value]:
        count = int.from_bytes(self._take(4), "big")
        if count > len(self._data) - self.at:
            raise Amf0Malformed("an array longer than the message")
        return [self.value(depth + 1) for _ in range(count)]

    def _properties(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        # Some encoders leave the end mark of the last object out.
        while self.at < len(self._data):
            key = self._text(2)
            if not key and self._data[self.at : self.at + 1] == bytes((_OBJECT_END,)):
                self.at += 1
                break
            found[key] = self.value(depth + 1)
        return found

    def _number(self) -> float:
        (number,) = _NUMBER.unpack(self._take(8))
        return float(number)

    def _text(self, width: int) -> str:
        return self._take(int.from_bytes(self._take(width), "big")).decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise Amf0Malformed("cut short")
        taken = self._data[self.at : end]
        self.at = end
        return taken
