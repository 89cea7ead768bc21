"""What README and docs/ tell a reader to open, to type and to set exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from server.cli import app

ROOT = Path(__file__).parents[2]
SKIPPED = {"node_modules", ".venv", ".git"}


def _guides() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIPPED & set(path.relative_to(ROOT).parts):
            yield path


GUIDES = list(_guides())


def _anchors(guide: Path) -> list[str]:
    """The names that GitHub gives a guide's headings."""
    headings = re.findall(r"^#+ (.*)$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'src="([^"]+)"', prose)
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = guide.parent / name if name else guide
        if not path.exists() or (anchor and anchor not in _anchors(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_exist(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    make_targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|[\s`])make ([a-z]+)", code)) <= make_targets

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, rest in re.findall(r"(?:^|[/ (])hearth (?!hearth )([a-z][a-z-]+)([^\n#|]*)", code, re.MULTILINE):
        assert name in commands, name
        # A group of commands has the options of its commands.
        those = [commands[name], *getattr(commands[name], "commands", {}).values()]
        options = {option for command in those for parameter in command.params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z][a-z-]+", rest)) <= options, (name, rest)
