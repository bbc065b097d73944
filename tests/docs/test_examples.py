"""Every example of README.md and docs/ runs and prints what is below it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import fences, run_page

ROOT = Path(__file__).parents[2]
RUN = {"python", "console"}
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if any(fence.language in RUN for fence in fences(page.read_text("utf-8")))
]


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the tests in a process of its own, warnings being errors there too."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def _shown(page: Path) -> object:
    shell = any(fence.language == "console" for fence in fences(page.read_text("utf-8")))
    marks = [pytest.mark.needs("curl")] if shell else []
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("page", [_shown(page) for page in PAGES])
def test_every_example_of_the_page_runs_as_written(page: Path) -> None:
    ran = run_module("tests.docs.pages", str(page))
    assert ran.returncode == 0, ran.stderr


def test_every_example_of_the_docstrings_runs_as_written() -> None:
    ran = run_module("tests.docs.docstrings")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say it:\n\n```python\nprint('no')\n```\n\n```text\nyes\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:8 says"):
        run_page(page, {})


def test_a_command_that_prints_something_else_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo yes\nyes\n$ echo no\nyes\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:2 says"):
        run_page(page, {})


def test_a_text_that_stands_apart_is_no_claim_about_what_is_printed() -> None:
    page = "```python\nprint(1)\n```\nAnd now:\n```text\nsomething else\n```\n"
    assert [fence.follows for fence in fences(page)] == [False, False]
