"""Where a value ends that a text shows inside a line: in brackets, in quotes, in HTML, in a box."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

__all__ = ["ended", "unboxed"]

_BOX = re.compile(r"^[ \t]*+[│┃║]([^│┃║\r\n]*+)[│┃║][ \t]*+$", re.MULTILINE)
_EDGE = re.compile(r"^[ \t]*+[┌└├╭╰╔╚╠][─━═┬┴┼]*+[┐┘┤╮╯╗╝╣][ \t]*+$", re.MULTILINE)
_BORDER = re.compile(r"[│┃║].*")
_FOLD = re.compile(r",<br ?/?>", re.IGNORECASE)
_TAG = re.compile(r"<(?:/\w++|br ?/?)>.*", re.IGNORECASE)
_CLOSED: Final = {
    "(": re.compile(r'((?:[^()"]++|"[^"]*+"|\([^()]*+\)|(?!))*+)\)'),
    "[": re.compile(r'((?:[^\[\]"]++|"[^"]*+"|\[[^\[\]]*+\]|(?!))*+)\]'),
}
_QUOTED = re.compile(r'((?:[^"\\]++|\\.)*+)"[\s,;.)\]}]*+\Z')


def unboxed(text: str) -> str:
    """Take off the frame that a drawing has around its lines."""
    return _BOX.sub(lambda line: line[1].rstrip(), _EDGE.sub("", text))


def ended(before: str, value: str) -> str:
    """Cut off what stands behind a value; `before` is what its line has before the name."""
    value = _FOLD.sub(", ", _BORDER.sub("", value).rstrip())
    if tag := _TAG.search(value):
        value = unescape(value[: tag.start()])
    opened = max(_CLOSED, key=before.rfind)
    if before.rfind(opened) > before.rfind(_CLOSED[opened].pattern[-1]):
        found = _CLOSED[opened].match(value)
        value = found[1] if found else value
    if _is_open(before, "`"):
        return value.partition("`")[0]
    found = _QUOTED.match(value) if _is_open(before, '"') else None
    return found[1] if found else value


def _is_open(before: str, quote: str) -> bool:
    return (before.count(quote) - before.count("\\" + quote)) % 2 == 1
