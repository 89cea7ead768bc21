"""Frames as captured from the unmodified SDK (``miniprogram-2.11.0.md`` §17), and frames that nobody should send."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.limits import RoomLimits
from signaling.custom_command import check_command
from signaling.refusals import Refused
from signaling.room_json.codec import (
    FrameRefused,
    decode_request,
    decode_stream_message,
    header_tail,
    push_head,
    response_head,
)
from signaling.room_json.requests import (
    BODIES,
    BizChannelBody,
    LoginBody,
    StreamBody,
    StreamCommand,
    UnsupportedBody,
    WebrtcUrlBody,
)
from tests.unit.signaling.house import Clock, House
from tests.unit.signaling.room_json.samples import SAMPLES

REQUESTS = [sample for sample in SAMPLES if sample["from"] == "sdk"]


def frame(cmd: str = "hb", body: Any = None, **header: Any) -> str:
    return json.dumps({"header": {"Protocol": "req", "cmd": cmd, "appid": 1, "seq": 7, **header}, "body": {} if body is None else body})


@pytest.mark.parametrize("sample", REQUESTS, ids=[f"{s['name']} {s['case']}" for s in REQUESTS])
def test_captured_requests_are_read(sample: dict[str, str]) -> None:
    raw = json.loads(sample["frame"])
    request = decode_request(sample["frame"])
    assert type(request.body) is BODIES[raw["header"]["cmd"]]
    for key in ("cmd", "appid", "seq", "session_id", "room_id", "room_session_id"):
        assert getattr(request.header, key) == raw["header"][key]
    assert request.header.user_id == raw["header"].get("user_id")
    for name in request.body.__struct_fields__:
        if name in raw["body"]:
            value = getattr(request.body, name)
            if isinstance(value, str | int):
                assert value == raw["body"][name]


def test_streams_are_read_from_the_text_inside() -> None:
    by_case = {s["case"]: decode_request(s["frame"]).body for s in REQUESTS if s["name"] == "stream"}
    create, delete, update = by_case["2001"], by_case["2002"], by_case["2003"]
    assert isinstance(create, StreamBody) and isinstance(delete, StreamBody) and isinstance(update, StreamBody)
    assert (create.sub_cmd, delete.sub_cmd, update.sub_cmd) == (StreamCommand.CREATE, StreamCommand.DELETE, StreamCommand.UPDATE)
    message = decode_stream_message(create.stream_msg)
    assert (message.stream_id, message.extra_info) == ("st_dead", None)
    assert decode_stream_message(update.stream_msg).extra_info == "second"


def test_web_requests_are_read() -> None:
    # web-1x-2x.md §11, web 2.26.2 and, for the login without the newer fields, 1.4.0.
    login = decode_request(frame("login", {
        "id_name": "ua", "nick_name": "UA", "role": 2, "token": "tokA", "version": "1.4.0", "room_name": "R", "user_state_flag": 1,
        "room_create_flag": 1, "client_type": 3, "third_token": "tokA", "user_count_limit": 0,
    }, session_id="", room_id="R"))  # fmt: skip
    assert isinstance(login.body, LoginBody) and login.header.user_id is None
    url = decode_request(frame("webrtc_url", {
        "stream_id": "S", "ptype": "push", "signals": [], "header_kvs": [{"key": "grpc-metadata-push", "value": ""}], "retry": 0,
        "center_ability": True, "dispatch_type": 0,
    }))  # fmt: skip
    assert isinstance(url.body, WebrtcUrlBody) and url.body.ptype == "push"


def test_unknown_command_is_read_as_such() -> None:
    assert isinstance(decode_request(frame("user_list_v2", {"marker": ""})).body, UnsupportedBody)


def test_frame_without_body_has_an_empty_one() -> None:
    assert isinstance(decode_request('{"header":{"cmd":"biz_channel","appid":1,"seq":1}}').body, BizChannelBody)


@pytest.mark.parametrize("text", [
    "", "null", "[]", "7", '"text"', "{", '{"header":null}', '{"header":{}}', '{"body":{}}', "\ud800", "[" * 100_000,
    '{"header":{"cmd":"hb"},"body":{}}', '{"header":{"cmd":"hb","seq":"1","appid":1},"body":{}}',
    '{"header":{"cmd":"hb","seq":-1,"appid":1},"body":{}}', '{"header":{"cmd":"hb","seq":1.5,"appid":1},"body":{}}',
    '{"header":{"cmd":"hb","seq":18446744073709551617,"appid":1},"body":{}}',
])  # fmt: skip
def test_what_cannot_be_answered_is_refused_without_an_address(text: str) -> None:
    with pytest.raises(FrameRefused) as refused:
        decode_request(text)
    assert refused.value.header is None


@pytest.mark.parametrize("text", [
    frame("hb", [1]), frame("hb", "text"), frame("hb", 5), frame("im_chat"), frame("im_chat", {"msg_content": 5}),
    frame("login", {"id_name": "u"}), frame("login", {"id_name": "u" * 257, "token": "t"}), frame("login", {"id_name": 5, "token": "t"}),
    frame("stream", {"sub_cmd": 2004, "stream_msg": "{}"}), frame("stream_url", {"stream_ids": []}),
    frame("stream_url", {"stream_ids": ["s"] * 33}), frame("webrtc_url", {"stream_id": "s", "ptype": "both"}),
    frame("bigim_chat", {"msgs": [{"msg_content": "x"}] * 21}), frame("bigim_chat", {"msgs": []}), frame("hb", session_id=5),
    frame("hb", room_id="r" * 257), frame("trans_fetch", {"fetch_array": [{}]}),
    frame("hb", user_id=["a"]), frame("hb", 1),
    frame("login", {"id_name": "u", "token": "t", "role": 10**4000}), frame("im_chat", {"msg_content": "x", "msg_category": 10**4000}),
    frame("bigim_chat", {"msgs": [{"msg_content": "x", "msg_type": -(10**4000)}]}),
])  # fmt: skip
def test_broken_requests_can_be_answered(text: str) -> None:
    with pytest.raises(FrameRefused) as refused:
        decode_request(text)
    assert refused.value.header is not None
    assert refused.value.header.seq == 7


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with contextlib.suppress(FrameRefused):
        decode_request(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = sorted({name for body in BODIES.values() for name in body.__struct_fields__})


@given(
    st.sampled_from(sorted(BODIES)) | st.text(max_size=5),
    st.dictionaries(st.sampled_from(["appid", "seq", "session_id", "user_id", "room_id", "room_session_id"]), json_values),
    st.dictionaries(st.sampled_from(field_names), json_values) | json_values,
)
def test_any_fields_are_read_or_refused(cmd: str, header: dict[str, Any], body: Any) -> None:
    try:
        request = decode_request(json.dumps({"header": {"cmd": cmd, "seq": 1, "appid": 1, **header}, "body": body}))
    except FrameRefused:
        return
    assert request.header.cmd == cmd


@given(st.text(max_size=200))
def test_texts_inside_are_read_or_refused(text: str) -> None:
    session = House(Clock()).join("r", "somebody")
    with contextlib.suppress(FrameRefused):
        decode_stream_message(text)
    with contextlib.suppress(Refused):
        check_command(text, session, RoomLimits())


names = st.text(max_size=20)


@given(st.integers(0, 2**32 - 1), names, names, names, names, st.text(max_size=10), st.integers(0, 2**53))
def test_frames_are_json_whatever_is_in_the_names(app: int, user: str, session: str, room: str, life: str, cmd: str, seq: int) -> None:
    try:
        "".join((user, session, room, life, cmd)).encode()
    except UnicodeEncodeError:
        return
    tail = header_tail(app, user, session, room, life)
    answer = json.loads(f'{response_head(cmd, seq)}{tail}{{"err_code":0}}}}')
    expected = {"appid": app, "user_id": user, "session_id": session, "room_id": room, "room_session_id": life}
    assert answer == {"header": {"Protocol": "rsp", "cmd": cmd, "seq": seq, **expected}, "body": {"err_code": 0}}
    push = json.loads(f"{push_head('push_x')}{tail}{{}}}}")
    assert push == {"header": {"Protocol": "push", "cmd": "push_x", "seq": 0, **expected}, "body": {}}
