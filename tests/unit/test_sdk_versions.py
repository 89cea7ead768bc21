"""``docs/sdk-versions.md`` names every SDK that the browser tests install, and only tests that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sdk-versions.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| \d", line)]


def test_every_version_that_is_installed_has_its_line_and_its_test() -> None:
    packages = json.loads((ROOT / "tests" / "e2e" / "package.json").read_text())["dependencies"]
    installed = {value.rpartition("@")[2] for name, value in packages.items() if name.startswith("zego-express-engine-")}
    listed = {version for row in ROWS for version in re.findall(r"\d+\.\d+\.\d+", row[0])}
    assert listed == installed
    assert all(len(row) == 3 and row[1] and "test_" in row[2] for row in ROWS)


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    assert named and all((ROOT / "tests" / "e2e" / name).is_file() for name in named)


def test_every_link_within_the_page_leads_somewhere() -> None:
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in PAGE.splitlines() if line.startswith("#")}
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links <= headings, links - headings
