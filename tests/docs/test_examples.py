"""Every example of README.md and docs/ runs and prints what stands below it."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import reauth
from tests.docs.pages import fences, run_page

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(module.name for module in pkgutil.walk_packages(reauth.__path__, prefix="reauth."))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_the_page_runs_as_written(page: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.docs.pages", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", MODULES)
def test_every_example_of_the_docstrings_runs_as_written(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say it:\n\n```python\nprint('no')\n```\n\n```text\nyes\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:8 says"):
        run_page(page, "http://127.0.0.1")


def test_a_command_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo yes\nyes\n$ echo no\nyes\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:2 says"):
        run_page(page, "http://127.0.0.1")


def test_a_text_that_stands_apart_is_no_claim_about_what_is_printed() -> None:
    page = "```python\nprint(1)\n```\nAnd now:\n```text\nsomething else\n```\n"
    assert [fence.follows for fence in fences(page)] == [False, False]
