"""The samples of ``docs/callbacks.md`` check signatures as they should."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from rooms.outbox import CallbackEvent
from server.callbacks.delivery import RETRY_DELAYS
from tests.callback_receiver import CallbackReceiver
from tests.integration.callbacks.house import SECRET, CallbackHouse

GUIDE = (Path(__file__).parents[3] / "docs" / "callbacks.md").read_text(encoding="utf-8")


def sample(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(text)


_SAYS = GUIDE.partition("With the secret ")[2].partition("\n##")[0]
VECTOR = dict(re.findall(r"(timestamp|nonce|signature) (?:is )?`(\w+)`", _SAYS))
TIMESTAMP, NONCE, SIGNATURE = VECTOR["timestamp"], VECTOR["nonce"], VECTOR["signature"]


async def test_python(house: CallbackHouse, backend: CallbackReceiver) -> None:
    names: dict[str, Any] = {}
    exec(sample("python"), names)
    is_genuine = cast(Callable[[dict[str, Any], str], bool], names["is_genuine"])
    assert is_genuine({"timestamp": TIMESTAMP, "nonce": NONCE, "signature": SIGNATURE}, "secret")
    assert not is_genuine({"timestamp": TIMESTAMP, "nonce": NONCE, "signature": SIGNATURE}, "Secret")
    node = await house.callback_node()
    await house.enter(node.rooms, "anna")
    await node.delivery.deliver_due()
    assert len(backend.callbacks) == 2 and all(is_genuine(callback, SECRET) for callback in backend.callbacks)


def test_node(tmp_path: Path) -> None:
    callback = f'{{timestamp: {TIMESTAMP}, nonce: "{NONCE}", signature: "{SIGNATURE}"}}'
    script = tmp_path / "check.js"
    script.write_text(sample("js") + f'\nconsole.log(isGenuine({callback}, "secret"), isGenuine({callback}, "Secret"));\n')
    assert run("node", str(script)).stdout == "true false\n"


def test_go(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    arguments = f'"{TIMESTAMP}", "{NONCE}", "{SIGNATURE}"'
    main = f'\nfunc main() {{\n\tprintln(isGenuine("secret", {arguments}), isGenuine("Secret", {arguments}))\n}}\n'
    script = tmp_path / "check.go"
    script.write_text(sample("go") + main)
    assert run("go", "run", str(script)).stderr == "true false\n"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_guide_names_every_event_and_the_delays() -> None:
    assert all(f"`{event}`" in GUIDE for event in CallbackEvent)
    seconds = [str(delay // 1000) for delay in RETRY_DELAYS]
    assert f"{', '.join(seconds[:-1])} and {seconds[-1]} s" in GUIDE


async def test_guide_names_every_field(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.logout(anna.session)
    await node.delivery.deliver_due()
    assert {callback["event"] for callback in backend.callbacks} == set(CallbackEvent)
    fields = {field for callback in backend.callbacks for field in callback}
    assert {field for field in fields if f"`{field}`" not in GUIDE} == set()
