"""Captured frames of ``miniprogram-2.11.0.md`` §17, and what it takes for a frame of ours to be as good."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAMPLES = [json.loads(line) for line in (Path(__file__).parent / "data" / "samples.jsonl").read_text().splitlines()]


def sample(name: str, case: str = "") -> Any:
    """Body of a captured server frame."""
    found = next(s for s in SAMPLES if s["name"] == name and s["case"] == case and s["from"] == "server")
    return json.loads(found["frame"])["body"]


def same_shape(ours: Any, captured: Any, path: str = "body") -> None:
    """Every captured field is in ours, with the same JSON type; lists by their first entry."""
    if isinstance(captured, dict):
        assert isinstance(ours, dict), path
        for key, value in captured.items():
            assert key in ours, f"{path}.{key} is missing"
            same_shape(ours[key], value, f"{path}.{key}")
    elif isinstance(captured, list):
        assert isinstance(ours, list), path
        if captured and ours:
            same_shape(ours[0], captured[0], f"{path}[0]")
    else:
        assert type(ours) is type(captured), f"{path}: {ours!r} instead of {captured!r}"
