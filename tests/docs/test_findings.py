"""findings/: scripts that anybody can run, each of them listed. Nothing here runs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_can_be_run_and_ends_at_the_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")


def test_each_finding_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [script.name for script in SCRIPTS if f"]({script.name})" not in listed] == []
