"""What a benchmark finds, row by row, and its plot."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from typing import NamedTuple

__all__ = ["Row", "plotted", "shown", "tabled"]


class Row(NamedTuple):
    """A ratio within one run, what it is a ratio to, and its goal."""

    title: str
    ratio: float
    to: str
    goal: float
    detail: str = ""


def shown(row: Row) -> Row:
    """Print a row, and return it."""
    reached = f"{row.ratio:5.2f} of {row.to} (goal {row.goal:.2f})"
    print(f"{row.title:44} {reached:34} {row.detail}", flush=True)
    return row


# Whose times the detail of a row names so briefly.
_WHOSE = {"peer": "singleflight-auth", "fixed": "a fixed header"}

_HEAD = "| | ratio | to | goal | |\n|---|---|---|---|---|\n"


def tabled(rows: Sequence[Row], page: str) -> str:
    """Return a page of the documentation with these rows in place of those in its table."""
    before, head, after = page.partition(_HEAD)
    if not head:
        raise ValueError("the page has no table of ratios")
    lines = [
        f"| {title} | {ratio:.2f} | {_WHOSE.get(to, to)} | {goal:.2f} | {detail} |\n"
        for title, ratio, to, goal, detail in rows
    ]
    _, blank, rest = after.partition("\n\n")
    return "".join([before, head, *lines, blank[1:], rest])


_WIDTH, _LEFT, _LINE = 760, 330, 26
_INK, _REACHED, _MISSED = "#444", "#2a7f62", "#b5651d"


def plotted(rows: Sequence[Row], note: str = "") -> str:
    """Draw each ratio as a bar, and its goal as a line across it."""
    most = max(max(row.ratio, row.goal) for row in rows) * 1.1
    height = _LINE * (len(rows) + 2)
    scale = (_WIDTH - _LEFT - 60) / most
    drawn = [_bar(row, _LINE * (place + 1), scale) for place, row in enumerate(rows)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
    what = "Ratio of relogin to its peer; the line is the goal, and less is better"
    with_what = _text(10, height - 8, ", ".join(filter(None, (_when_and_with(), note))))
    lines = [
        f'{head} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _text(10, 16, what),
        *drawn,
        with_what,
        "</svg>\n",
    ]
    return "\n".join(lines)


def _text(left: float, base: float, text: str, anchor: str = "start") -> str:
    said = escape(text)
    return f'<text x="{left:.0f}" y="{base}" text-anchor="{anchor}" fill="{_INK}">{said}</text>'


def _bar(row: Row, top: int, scale: float) -> str:
    width, goal = row.ratio * scale, _LEFT + row.goal * scale
    colour = _REACHED if row.ratio <= row.goal else _MISSED
    parts = [
        _text(_LEFT - 8, top + 14, row.title, "end"),
        f'<rect x="{_LEFT}" y="{top + 3}" width="{width:.1f}" height="15" fill="{colour}"/>',
        f'<rect x="{goal:.1f}" y="{top}" width="2" height="21" fill="{_INK}"/>',
        _text(max(_LEFT + width, goal) + 6, top + 14, f"{row.ratio:.2f}"),
    ]
    return "".join(parts)


def _when_and_with() -> str:
    names = ("relogin", "requests", "httpx", "singleflight-auth", "starlette")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {versions}"
