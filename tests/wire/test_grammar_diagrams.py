"""The pictures in docs/reference/grammar/ are of the rules that run."""

import json
import re
import subprocess
import sys
from pathlib import Path

DIAGRAMS = Path(__file__).parents[2] / "docs" / "reference" / "grammar"


def boxes(svg: str) -> list[str]:
    """the texts in the boxes; where the boxes stand is the drawing package's affair."""
    return re.findall(r">([^<>]+)</text>", svg)


def test_each_picture_shows_the_rule_as_it_is() -> None:
    program = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['draw']()))"
    drawn = subprocess.run(
        [sys.executable, "-c", program, str(DIAGRAMS / "draw.py")],
        capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    now = {name: boxes(svg) for name, svg in json.loads(drawn.stdout).items()}
    kept = {path.name: boxes(path.read_text("utf-8")) for path in DIAGRAMS.glob("*.svg")}
    assert now == kept
    assert "auth-scheme" in kept["challenge.svg"]


def test_each_picture_is_shown() -> None:
    page = (DIAGRAMS / "README.md").read_text("utf-8")
    shown = set(re.findall(r"\]\(([\w-]+\.svg)\)", page))
    assert shown == {path.name for path in DIAGRAMS.glob("*.svg")}
