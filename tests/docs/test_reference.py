"""The reference has every module that the documentation imports from, and every option."""

import inspect
import re
from pathlib import Path

import pytest

from relogin.client.requests import SessionAuth
from relogin.server.options import Options

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


@pytest.mark.parametrize(
    ("page", "option"),
    [
        *[("client.md", name) for name in list(inspect.signature(SessionAuth).parameters)[1:]],
        *[("server.md", name) for name in Options.__annotations__],
    ],
)
def test_an_option_has_its_row_in_the_table_of_options(page: str, option: str) -> None:
    table = (ROOT / "docs/reference" / page).read_text("utf-8").partition("## Options")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert any(f"`{option}`" in row for row in rows)
