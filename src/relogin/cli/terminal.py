"""Output to the terminal: plain text, or with colour and tables if rich is installed.

Control characters that a server sent are escaped.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show", "show_table", "visible"]

_STYLES = {"heading": "bold", "request": "cyan", "good": "green", "bad": "red", "plain": "default"}
# The C0 controls but line feed, DEL, and the C1 controls, which some terminals obey as well.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    r"""Escape each control character except line feed: a terminal would obey it.

    >>> print(visible("realm=\x1b[31m"))
    realm=\x1b[31m
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def show(text: str, style: str = "plain") -> None:
    """Print text in one of the styles; a server may have sent parts of it."""
    console = _console()
    if console is None:
        print(visible(text))
    else:
        from rich.text import Text

        console.print(Text(visible(text), style=_STYLES[style]), soft_wrap=True)


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text that a server may have sent, below their headings."""
    cells = [[visible(cell) for cell in row] for row in rows]
    console = _console()
    if console is None:
        _print_columns([list(headings), *cells])
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings)
        for row in cells:
            table.add_row(*map(Text, row))
        console.print(table)


def _print_columns(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join(padded).rstrip())


def _console() -> Console | None:
    """Return rich's console on today's standard output; `None` for plain text."""
    if not (sys.stdout and sys.stdout.isatty()) and not os.environ.get("FORCE_COLOR"):
        return None
    try:
        from rich.console import Console
    except ModuleNotFoundError:  # it comes with the extra `cli`
        return None
    return Console(highlight=False)
