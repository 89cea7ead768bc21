"""What the log of the process says of a fault, and what it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

_FAULT = """
import structlog
from server.logs import configure_logs

def handle():
    credential = "of " + "somebody"
    raise ValueError("a fault")

configure_logs("{form}")
try:
    handle()
except ValueError:
    structlog.get_logger("test").exception("command_failed")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_has_no_values_of_variables(form: str) -> None:
    done = subprocess.run([sys.executable, "-c", _FAULT.format(form=form)], capture_output=True, text=True, timeout=60, check=True)
    assert "a fault" in done.stderr and "handle" in done.stderr
    assert "of somebody" not in done.stderr
