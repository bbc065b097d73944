"""The one way to the terminal: in colour where there is one, and nothing of a server's raw."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

__all__ = ["console", "show", "visible"]

WIDE = 1 << 15  # columns, where no terminal has fewer: no value of a field is broken there
_THEME = Theme(
    {"heading": "bold", "request": "cyan", "good": "green", "bad": "red", "plain": "default"}
)
# The C0 controls but line feed, DEL, and the C1 controls, which some terminals obey as well.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    r"""Write each control character but line feed as its escape: a terminal would obey it.

    >>> print(visible("realm=\x1b[31m"))
    realm=\x1b[31m
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def show(text: str, style: str = "plain") -> None:
    """Print text that may hold what a server sent, in one of the theme's styles."""
    console().print(Text(visible(text), style=style), soft_wrap=True)


def console() -> Console:
    """Return a console on today's standard output: colours and line breaks only in a terminal."""
    found = Console(theme=_THEME, highlight=False)
    if not found.is_terminal:
        found.width = WIDE
    return found
