"""The pages name the oldest release of each library that pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
OLDEST = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(ASKED), re.MULTILINE))


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx2", "aiohttp", "niquests"])
def test_the_page_of_the_libraries_names_the_oldest_release(library: str) -> None:
    page = (ROOT / "docs/how-to/libraries.md").read_text()
    assert f"\n| {library} | {OLDEST[library]} | " in page


@pytest.mark.parametrize("framework", ["Flask", "Django", "Starlette"])
def test_the_page_of_the_gate_names_the_oldest_release(framework: str) -> None:
    page = (ROOT / "docs/reference/server.md").read_text()
    [sentence] = re.findall(r"^The oldest releases .*$", page, re.MULTILINE)
    assert re.search(rf"{framework} {re.escape(OLDEST[framework.lower()])}(?![.\d]*\d)", sentence)
