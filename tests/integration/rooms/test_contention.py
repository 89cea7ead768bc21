"""Twenty processes fight for one stream id and one user id on a real Redis: exactly one wins, always."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.redis_server import RedisServer

PROCESSES = 20
ROUNDS = 10


def test_twenty_processes_fight_for_one_stream_and_one_user(redis_server: RedisServer) -> None:
    script = Path(__file__).with_name("contender.py")
    root = Path(__file__).parents[3]
    contenders = [
        subprocess.Popen(
            [sys.executable, str(script), redis_server.url, str(number), str(PROCESSES), str(ROUNDS)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": str(root), "PATH": ""},
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    reports = []
    try:
        for contender in contenders:
            out, err = contender.communicate(timeout=240)
            reports.append(json.loads(out.splitlines()[-1]) if contender.returncode == 0 else {"failure": err[-1500:]})
    finally:
        for contender in contenders:
            if contender.poll() is None:
                contender.kill()
                contender.wait()

    failures = {report["failure"] for report in reports if "failure" in report}
    assert not failures, "\n".join(failures)
    for index in range(ROUNDS):
        stream_winners = [report["number"] for report in reports if report["stream"][index]]
        assert len(stream_winners) == 1, f"round {index}: the stream went to {stream_winners}"
        assert {report["stream_owner"][index] for report in reports} == {f"u{stream_winners[0]}"}, "and everybody knows whose it is"
        alive = [report["number"] for report in reports if report["alive"][index]]
        assert len(alive) == 1, f"round {index}: the user is logged in from {alive}"
        assert len({report["session"][index] for report in reports}) == 1, "and the store knows one session"
        assert all(report["replaced"][index] for report in reports if report["number"] != alive[0])
