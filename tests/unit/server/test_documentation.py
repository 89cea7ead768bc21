"""The sample file and the guide say what the settings are. Bring them up to date with ``python -m server.reference``."""

from __future__ import annotations

import re
from pathlib import Path

from server.apps import build_apps
from server.configuration import describe, load_configuration
from server.reference import all_keys, example, with_table
from server.settings import AppSettings, Settings

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef0123456789abcdef"


def test_sample_file_is_up_to_date() -> None:
    assert (ROOT / "hearth.example.toml").read_text(encoding="utf-8") == example()


def test_guide_is_up_to_date() -> None:
    guide = (ROOT / "docs" / "configure.md").read_text(encoding="utf-8")
    assert guide == with_table(guide)


def test_every_key_is_explained() -> None:
    guide = (ROOT / "docs" / "configure.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w.]+)` \| .*? \| .*? \| (.*) \|$", guide, re.MULTILINE))
    assert {key.split(".", 1)[1] for key in all_keys()} <= set(rows)
    assert all(rows.values())


def test_sample_file_shows_the_defaults(tmp_path: Path) -> None:
    sample = (ROOT / "hearth.example.toml").read_text(encoding="utf-8")
    # As shipped it starts nothing: its secret is a placeholder that nobody can take for one.
    uncommented = re.sub(r"^# ([\w.]+ = .*)$", r"\1", sample, flags=re.MULTILINE).replace("make one: openssl rand -hex 16", SECRET)
    uncommented = "\n".join(line for line in uncommented.splitlines() if not line.startswith("jwt."))
    path = tmp_path / "hearth.toml"
    path.write_text(uncommented, encoding="utf-8")
    settings = load_configuration(path, environment={}).settings
    build_apps(settings.apps)
    defaults = Settings(apps=[AppSettings.model_validate({"app_id": 1234567890, "server_secrets": [SECRET]})])
    assert describe(settings) == describe(defaults)


def test_every_key_is_in_the_sample_file() -> None:
    sample = (ROOT / "hearth.example.toml").read_text(encoding="utf-8")
    missing = [key for key in all_keys() if not re.search(rf"^#? ?{re.escape(key.split('.', 1)[1])} =", sample, re.MULTILINE)]
    assert missing == []


def test_limits_guide_names_every_limit() -> None:
    guide = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    limits = [key.split(".", 1)[1] for key in all_keys() if key.startswith("limits.")]
    assert [name for name in limits if f"`{name}`" not in guide] == []
