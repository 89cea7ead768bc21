"""Whatever SDKs were sent by a server that they accepted is there again, zeros included (``sdk-3x.md`` §3.6)."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.proto import accesshub_pb2 as pb
from tests.unit.signaling.accesshub.samples import SAMPLES, Sample, message


def without_zeros(original: Message) -> Message:
    """As a serializer of plain proto3 would write it: presence of zeros is lost."""
    copy = type(original)()
    for field, value in original.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if field.is_repeated:
                getattr(copy, field.name).extend(without_zeros(part) for part in value)
            else:
                getattr(copy, field.name).CopyFrom(without_zeros(value))
                getattr(copy, field.name).SetInParent()
        elif field.is_repeated:
            getattr(copy, field.name).extend(value)
        elif value != field.default_value:
            setattr(copy, field.name, value)
    return copy


def present(found: Message) -> dict[str, Any]:
    """Field → value of everything that is on the wire."""
    fields: dict[str, Any] = {}
    for field, value in found.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            fields[field.name] = list(value) if field.is_repeated else value
        else:
            fields[field.name] = [present(part) for part in value] if field.is_repeated else present(value)
    return fields


def contains(ours: Any, captured: Any) -> bool:
    if isinstance(captured, dict):
        return all(name in ours and contains(ours[name], value) for name, value in captured.items())
    if isinstance(captured, list):
        return len(ours) == len(captured) and all(contains(one, other) for one, other in zip(ours, captured, strict=True))
    return bool(ours == captured)


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.dir == "s>c"],
    ids=lambda sample: f"{sample.sdk}-{sample.layer}-{sample.number}",
)
def test_zeros_of_a_captured_answer_are_written(sample: Sample) -> None:
    captured = message(sample)
    ours = type(captured).FromString(with_zeros(without_zeros(captured)).SerializeToString())
    assert contains(present(ours), present(captured))


def test_without_it_the_sdk_would_miss_the_code() -> None:
    assert pb.LrRspHead().SerializeToString() == b""
    assert with_zeros(pb.LrRspHead()).SerializeToString() == b"\x08\x00\x12\x00"


def test_sub_messages_that_are_not_there_stay_away() -> None:
    assert not with_zeros(pb.SwLoginRoomRsp()).HasField("anchor_info")
