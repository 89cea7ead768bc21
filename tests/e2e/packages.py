"""npm packages, installed when a test needs them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def npm() -> str:
    """The npm command."""
    found = shutil.which("npm")
    assert found is not None, "the end-to-end tests need Node.js 18 or later with npm"
    return found


def install_packages(folder: Path) -> None:
    """``npm ci`` in this folder, unless what its lock file says is there already."""
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    subprocess.run([npm(), "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL)
    installed.touch()
