"""The reference has every module that the documentation imports from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = {
    name
    for page in (ROOT / "docs/reference/api").glob("*.md")
    for name in re.findall(r"automodule:: (\S+)", page.read_text("utf-8"))
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMPORTED = sorted(
    {
        name
        for page in PAGES
        for name in re.findall(
            r"^ *(?:from|import) (relogin(?:\.\w+)*)", page.read_text("utf-8"), re.MULTILINE
        )
    }
)


@pytest.mark.parametrize("name", IMPORTED)
def test_a_module_that_the_documentation_imports_is_in_the_reference(name: str) -> None:
    assert name in SHOWN
