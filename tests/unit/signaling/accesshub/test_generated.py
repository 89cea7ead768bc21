"""The checked-in code is what ``make proto`` makes of the ``.proto`` file."""

from __future__ import annotations

from pathlib import Path

import pytest
from grpc_tools import protoc

PROTO = Path(__file__).parents[4] / "signaling" / "accesshub" / "proto"


@pytest.mark.parametrize("name", ["accesshub_pb2.py", "accesshub_pb2.pyi"])
def test_generating_again_gives_the_same(tmp_path: Path, name: str) -> None:
    assert protoc.main(["protoc", f"-I{PROTO}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", str(PROTO / "accesshub.proto")]) == 0
    assert (tmp_path / name).read_text() == (PROTO / name).read_text()
