"""Frames: what is captured from SDKs is read, anything else is read or refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from signaling.media_json import messages as m
from signaling.media_json.codec import BodyInvalid, FrameInvalid, Header, decode, decode_body, encode

REQUESTS: list[type[Struct]] = [
    m.LoginReq,
    m.CreateSessionReq,
    m.CreateSessionWithSdpReq,
    m.StreamStatusNotify,
    m.ActivatePlayStreamReq,
    m.ClientHBReq,
    m.CloseSessionReq,
    m.PeerReq,
]


def test_a_captured_frame_is_read() -> None:
    frame = decode(
        '{"header":{"version":"1.0.1","cmd":"LoginReq","appid":"1234567890","seq":9,"user_id":"ua","session_id":0},'
        '"body":{"token":"tokA","tokenType":1,"roomid":"R","anchorname":"","sdkversion":"2.14.0","osinfo":"5.0",'
        '"sessions":[{"session_id":1042,"session_token":"st1042"}]}}'
    )
    assert (frame.header.cmd, frame.header.seq, frame.header.user_id) == ("LoginReq", 9, "ua")
    login = decode_body(frame, m.LoginReq)
    assert login.token == "tokA" and login.sessions == [m.Held(1042, "st1042")]


@pytest.mark.parametrize("appid", ['"1"', "1"])
def test_the_app_is_a_number_or_a_string(appid: str) -> None:
    assert str(decode(f'{{"header":{{"cmd":"X","appid":{appid}}}}}').header.appid) == "1"


def test_numbers_in_strings_are_understood() -> None:
    frame = decode('{"header":{"cmd":"X","seq":"7","session_id":"9"},"body":{"mic_status":"0","camera_status":"2"}}')
    assert (frame.header.seq, frame.header.session_id) == (7, 9)
    assert decode_body(frame, m.StreamStatusNotify) == m.StreamStatusNotify(0, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"header":{}}',
        '{"header":{"cmd":""}}',
        '{"header":{"cmd":5}}',
        '{"header":{"cmd":"' + "x" * 65 + '"}}',
        '{"header":{"cmd":"X","seq":-1}}',
        '{"header":{"cmd":"X","session_id":4294967296}}',
        '{"header":{"cmd":"X","session_id":1e400}}',
        '{"header":{"cmd":"X","user_id":"' + "x" * 257 + '"}}',
        '{"header":{"cmd":"X"}} trailing',
        "[" * 50_000,
        '{"header":{"cmd":"X"},"body":' + "[" * 50_000,
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(FrameInvalid):
        decode(text)


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "null",
        "[]",
        '{"type":0}',
        '{"type":0,"stream_id":7,"sdp":""}',
        '{"type":0,"stream_id":"s","sdp":null}',
        '{"type":"x","stream_id":"s","sdp":""}',
        '{"type":0,"stream_id":"' + "s" * 600 + '","sdp":""}',
    ],
)
def test_a_body_that_the_command_cannot_have_is_refused_without_repeating_it(body: str) -> None:
    frame = decode(f'{{"header":{{"cmd":"CreateSessionWithSdpReq"}},"body":{body}}}')
    with pytest.raises(BodyInvalid) as refused:
        decode_body(frame, m.CreateSessionWithSdpReq)
    assert "sss" not in str(refused.value)


def test_frames_are_written_with_the_names_of_the_wire() -> None:
    header = Header("LoginRsp", "12", 3, "amy", 0)
    assert json.loads(encode(header, m.LoginRsp("t", 25_000))) == {
        "header": {"cmd": "LoginRsp", "appid": "12", "seq": 3, "user_id": "amy", "session_id": 0, "version": "1.0.1"},
        "body": {"result": 0, "token": "t", "tokenType": 1, "report": False, "report_interval_ms": 10_000, "negoInterval": 25_000},
    }
    assert json.loads(encode(header, m.Result(2, "no")))["body"] == {"result": 2, "strError": "no"}
    assert json.loads(encode(header, m.Result()))["body"] == {"result": 0}
    assert json.loads(encode(header, m.SessionResetPush((1, 2))))["body"] == {"cResetType": 1, "session_ids": [1, 2]}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(["cmd", "seq", "appid", "user_id", "session_id", "type", "stream_id", "sdp", "sessions", "session_ids", "peer_id"])
_FIELDS = st.dictionaries(_NAMES, _JSON, max_size=6)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FrameInvalid):
        decode(text)


@given(st.fixed_dictionaries({"header": _FIELDS, "body": _JSON | _FIELDS}))
def test_any_json_is_read_or_refused(frame: object) -> None:
    with contextlib.suppress(FrameInvalid):
        read = decode(json.dumps(frame))
        for kind in REQUESTS:
            with contextlib.suppress(BodyInvalid):
                decode_body(read, kind)
