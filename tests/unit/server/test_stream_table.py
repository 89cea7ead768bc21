"""The line of a stream in `hearth streams`."""

from __future__ import annotations

from server.cli.operate import snake_case
from server.cli.stream_table import STREAM_COLUMNS, stream_row
from server.redaction import JSON

STREAM: dict[str, JSON] = {"StreamId": "s", "UserId": "amy", "NodeId": "n1", "CreateTime": 1}


def test_a_stream_with_its_publisher_and_players() -> None:
    publisher: JSON = {
        "Client": "web", "Version": "2.14.0", "Transport": "webrtc", "Bitrate": 31_540, "Loss": 0.0213, "JitterMs": 4.06,
        "AudioLevel": 34, "Silent": False,
    }  # fmt: skip
    row = stream_row({**STREAM, "Figures": {"Publisher": publisher, "PlayerCount": 3, "Players": [{"Loss": 0.1}, {"Loss": 0}]}})
    assert tuple(row) == STREAM_COLUMNS
    assert list(row.values()) == ["s", "amy", "web 2.14.0", "webrtc", "31.5", "2.1 %", "4.1 ms", "-34 dB", "3", "10.0 %", "n1", 1]


def test_what_is_not_known_is_a_dash_and_a_silent_node_a_question_mark() -> None:
    away = stream_row({**STREAM, "Figures": {"Publisher": None, "PlayerCount": 0, "Players": []}})
    assert [away[name] for name in STREAM_COLUMNS[2:10]] == ["-", "-", "-", "-", "-", "-", "0", "-"]
    assert set(stream_row({**STREAM, "Figures": None}).values()) == {"s", "amy", "?", "n1", 1}


def test_names_inside_an_answer_are_printed_as_the_commands_do() -> None:
    assert snake_case({"RttMs": 1, "History": [{"AudioLevel": None}], "SrtpProfile": "AES"}) == {
        "rtt_ms": 1, "history": [{"audio_level": None}], "srtp_profile": "AES",
    }  # fmt: skip
