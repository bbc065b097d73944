"""The messages on the page about errors are those that the code writes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/errors.md").read_text("utf-8")
TABLE = PAGE.partition("| the message | what to do |")[2]
MESSAGES = re.findall(r"^\| `([^`]+)` \|", TABLE, re.MULTILINE)
# Messages are broken over lines in the code, and hold values; here they are one text.
CODE = re.sub(
    r'"\s*\n\s*f?"', "", "\n".join(p.read_text("utf-8") for p in (ROOT / "src").rglob("*.py"))
)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_on_the_page_is_in_the_code(message: str) -> None:
    assert message in CODE or re.sub(r"\b(requests|httpx)$", "", message) in CODE
