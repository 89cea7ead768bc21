"""What is kept of the logs that SDKs send, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from server.metrics import Metrics
from server.sdk_logs import SdkLogRefused, SdkLogs
from server.settings import LimitSettings


class Clock:
    now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


def make(clock: Clock | None = None, file: Path | None = None, **limits: int) -> SdkLogs:
    return SdkLogs(
        LimitSettings.model_validate(limits), Metrics(), is_served=lambda app_id: app_id in (7, 8), clock=clock or Clock(), file=file
    )


def line(**fields: object) -> str:
    return json.dumps(fields)


def test_records_are_kept_by_app_without_tokens() -> None:
    logs = make()
    kept = logs.receive(line(appid=7, event="/sdk/login", token="secret") + "\n" + line(app_id="8", event="x"), "192.0.2.1")
    assert kept == 2
    (record,) = logs.recent(7, 10)
    assert record["record"] == {"appid": 7, "event": "/sdk/login", "token": "(removed)"}
    assert (record["address"], record["app_id"]) == ("192.0.2.1", 7)
    assert [entry["app_id"] for entry in logs.recent(8, 10)] == [8]


def test_records_of_unknown_apps_are_dropped() -> None:
    logs = make()
    assert logs.receive(line(appid=9) + "\nno json\n" + line(event="no app"), "192.0.2.1") == 0


def test_app_of_the_address_counts_for_records_without_one() -> None:
    logs = make()
    assert logs.receive("plain text", "192.0.2.1", 7) == 1
    assert logs.recent(7, 1)[0]["record"] == "plain text"


def test_only_the_newest_are_kept() -> None:
    logs = make(sdk_log_records=3)
    logs.receive("\n".join(line(appid=7, n=n) for n in range(10)), "192.0.2.1")
    assert [entry["record"] for entry in logs.recent(7, 10)] == [{"appid": 7, "n": n} for n in (7, 8, 9)]
    assert [entry["record"] for entry in logs.recent(7, 1)] == [{"appid": 7, "n": 9}]


def test_long_uploads_are_refused() -> None:
    with pytest.raises(SdkLogRefused) as refused:
        make(sdk_log_bytes=1024).receive("x" * 1025, "192.0.2.1")
    assert refused.value.status == 413


def test_uploads_of_an_address_are_limited_per_minute() -> None:
    clock = Clock()
    logs = make(clock, sdk_log_posts_per_minute=2)
    logs.receive("", "192.0.2.1")
    logs.receive("", "192.0.2.1")
    with pytest.raises(SdkLogRefused) as refused:
        logs.receive("", "192.0.2.1")
    assert refused.value.status == 429
    logs.receive("", "192.0.2.2")
    clock.now += 60_000
    logs.receive("", "192.0.2.1")


def test_file_gets_what_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "sdk.log"
    logs = make(file=file)
    logs.receive(line(appid=7, token="secret"), "192.0.2.1")
    logs.close()
    assert json.loads(file.read_text())["record"] == {"appid": 7, "token": "(removed)"}


@pytest.mark.parametrize("upload", [b"\xff\xfe\x00", b"[" * 5000, b'{"appid": true}', b'{"appid": [7]}', b'{"appid": "99999999999999"}'])
def test_nonsense_is_survived(upload: bytes) -> None:
    assert make().receive(upload, "192.0.2.1") == 0


def test_only_so_many_bytes_are_kept() -> None:
    logs = make(sdk_log_memory_bytes=1_000)
    for n in range(10):
        logs.receive(line(appid=7, n=n, text="x" * 300), "192.0.2.1")
    assert [entry["record"]["n"] for entry in logs.recent(7, 10)] == [8, 9]  # type: ignore[call-overload, index]
    logs.receive(line(appid=7, text="x" * 2_000), "192.0.2.1")
    assert logs.recent(7, 10) == []


@pytest.mark.parametrize("value", ["NaN", "1e999", "-Infinity", '"\\ud800"', "9" * 5_000, "[" * 5_000])
def test_what_cannot_be_written_again_breaks_neither_the_upload_nor_the_look_at_others(tmp_path: Path, value: str) -> None:
    logs = make(file=tmp_path / "sdk.log")
    logs.receive(f'{{"appid": 7, "value": {value}}}\n' + line(appid=7, event="fine"), "192.0.2.1", 7)
    kept = logs.recent(7, 10)
    assert kept[-1]["record"] == {"appid": 7, "event": "fine"}
    JSONResponse({"data": kept})  # as the operator's command is answered
    logs.close()
    assert len((tmp_path / "sdk.log").read_text(encoding="utf-8").splitlines()) == 2


def test_addresses_of_one_ipv6_network_share_a_rate() -> None:
    logs = make(sdk_log_posts_per_minute=1)
    logs.receive(line(appid=7), "2001:db8::1")
    with pytest.raises(SdkLogRefused):
        logs.receive(line(appid=7), "2001:db8::2")
    logs.receive(line(appid=7), "2001:db8:0:1::1")


def test_a_full_disk_refuses_nobody_and_leaves_the_records_in_memory() -> None:
    logs = make(file=Path("/dev/full"))
    for number in range(3):
        assert logs.receive(line(appid=7, n=number), "192.0.2.1") == 1
    assert len(logs.recent(7, 10)) == 3
    logs.close()
