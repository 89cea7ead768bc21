"""Every sample of ``docs/server-api.md`` does what it says, and the guide names every action with its rates."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.cloud_api.codes import GatewayCode, MediaCode, RoomCode
from server.cloud_api.table import ACTIONS, NOT_OFFERED
from tests.integration.cloud_api.served_house import ServedHouse
from tests.unit.server.cloud_api.house import APP, SECRET

GUIDE = (Path(__file__).parents[3] / "docs" / "server-api.md").read_text(encoding="utf-8")
NEVER_SENT = {
    GatewayCode.SECRET_UNKNOWN, GatewayCode.NOT_IN_PRODUCTION, RoomCode.USER_UNKNOWN, RoomCode.ADD_STREAM_FAILED,
}  # fmt: skip


def samples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


SIGNED, *CALLS = samples("sh")


@pytest.fixture
def served() -> Iterator[ServedHouse]:
    """A room "r1" with alice, who publishes, and bob; eve is banned from it."""
    with ServedHouse() as served:
        served.house.now = int(time.time())
        alice, _ = served.run(served.house.enter("alice", "r1")), served.run(served.house.enter("bob", "r1"))
        served.run(served.house.rooms.publish(alice, "r1-alice"))
        rule = {"RuleType": 4, "RoomId": "r1", "UserId": "eve", "DisabledPrivilege": [1], "EffectiveTime": 60}
        served.run(served.house.do("SetForbidUserRule", **rule))
        yield served


def environment(served: ServedHouse, **more: str) -> dict[str, str]:
    return {**os.environ, "HEARTH": served.url, "APP_ID": str(APP), "SERVER_SECRET": SECRET, **more}


def output_of(command: list[str], served: ServedHouse, limit: float = 60, **more: str) -> str:
    done = subprocess.run(command, env=environment(served, **more), capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def action_of(call: str) -> str:
    found = re.search(r"Action=(\w+)", call)
    assert found
    return found[1]


def test_every_action_has_a_sample() -> None:
    assert sorted(map(action_of, CALLS)) == sorted(ACTIONS)


@pytest.mark.parametrize("call", CALLS, ids=action_of)
def test_shell_sample(served: ServedHouse, call: str) -> None:
    answer = json.loads(output_of(["sh", "-c", SIGNED + call], served))
    assert answer["Code"] == 0, answer


def check(text: str) -> None:
    answer = json.loads(text)
    assert answer["Code"] == 0
    assert answer["Data"]["UserCountList"] == [{"RoomId": "r1", "UserCount": 2, "AdminUserCount": 0}]


def test_python_sample(served: ServedHouse, tmp_path: Path) -> None:
    (sample,) = samples("python")
    (tmp_path / "sample.py").write_text(sample, encoding="utf-8")
    check(output_of(["python3", str(tmp_path / "sample.py")], served))


def test_node_sample(served: ServedHouse, tmp_path: Path) -> None:
    (sample,) = samples("js")
    (tmp_path / "sample.js").write_text(sample, encoding="utf-8")
    check(output_of(["node", str(tmp_path / "sample.js")], served))


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed (tests/install_tools.sh)")
def test_go_sample(served: ServedHouse, tmp_path: Path) -> None:
    (sample,) = samples("go")
    (tmp_path / "sample.go").write_text(sample, encoding="utf-8")
    # Only the standard library: nothing is fetched.
    check(output_of(["go", "run", str(tmp_path / "sample.go")], served, limit=240, GOFLAGS="-mod=mod", GOPROXY="off", GO111MODULE="off"))


def test_guide_says_the_rates() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", GUIDE, re.MULTILINE))
    for action in ACTIONS.values():
        expected = f"{action.rate:g}" + (f"; {action.room_rate:g} for a room" if action.room_rate else "")
        assert rows[action.name] == expected


def test_guide_names_what_is_not_offered() -> None:
    assert [name for name in NOT_OFFERED if f"`{name}`" not in GUIDE] == []


def test_guide_explains_every_code() -> None:
    table = GUIDE.partition("## Codes")[2]
    codes = {*GatewayCode, *RoomCode, *MediaCode} - NEVER_SENT
    assert [code for code in codes if not re.search(rf"^\|[^|]*\b{int(code)}\b", table, re.MULTILINE)] == []


def test_guide_names_every_parameter() -> None:
    from server.cloud_api.parameters import fields_of

    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \| .*$", GUIDE, re.MULTILINE)}
    borrowed = {"SendBarrageMessage": "SendBroadcastMessage", "DelForbidUserRule": "SetForbidUserRule"}
    for action in ACTIONS.values():
        row = rows[borrowed.get(action.name, action.name)]
        assert [field.encode_name for field in fields_of(action.parameters) if f"`{field.encode_name}`" not in row] == []
