"""The forms of an HTML page: enough to fill in a login form, or to see that one was served.

One pattern without backtracking finds the tags, so that no page takes more than linear time;
`html.parser` needs ten seconds for 32 KB of ``<a <a <a``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

__all__ = ["Form", "form_with", "forms"]

# What is unclosed runs to the end of the page, as it does in a browser.
_parts = re.compile(
    r"""
    <!--.*?(?:-->|\Z)
    | <(?P<raw>script|style)\b.*?(?:</(?P=raw)|\Z)
    | <(?P<tag>/?form|input|button|/?select|option|textarea)(?=[\s/>])
      (?P<attributes>(?:[^>"']++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
).finditer

_attributes = re.compile(
    r"""
    ([^\s"'>/=]++)
    (?: \s*+ = \s*+ (?: "([^"]*+) | '([^']*+) | ([^\s"'>]++) ) )?+
    """,
    re.VERBOSE,
).findall

_BUTTONS = frozenset({"submit", "button", "image", "reset", "file"})


@dataclass(slots=True, repr=False)
class Form:
    """A form: its target, the names of its controls, and the values that it sends by default."""

    action: str
    method: str
    names: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    asks_password: bool = False
    menu: str = ""
    """The name of the select element that is being read."""


def forms(page: str) -> list[Form]:
    """Find the forms of a page, in their order.

    >>> [form] = forms('<form action="/in"><input name=csrf value="a&amp;b" type=hidden></form>')
    >>> form.action, form.method, form.values
    ('/in', 'get', {'csrf': 'a&b'})
    """
    found: list[Form] = []
    current: Form | None = None
    for part in _parts(page):
        tag = (part["tag"] or "").lower()
        if tag == "form":
            attributes = _read(part["attributes"])
            current = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            found.append(current)
        elif tag == "/form":
            current = None
        elif tag == "/select" and current is not None:
            current.menu = ""
        elif tag and current is not None:
            _add(current, tag, _read(part["attributes"]), _text_at(page, part.end() + 1))
    return found


def form_with(page: str, names: Iterable[str]) -> Form | None:
    """Find the first form that has all of these controls; without names, one for a password."""
    wanted = set(names)
    for form in forms(page):
        if wanted <= form.names and (wanted or form.asks_password):
            return form
    return None


def _text_at(page: str, start: int) -> str:
    """Return the text from here to the next tag."""
    end = page.find("<", start)
    return page[start : end if end >= 0 else None]


def _read(attributes: str) -> dict[str, str]:
    read: dict[str, str] = {}
    for name, *values in _attributes(attributes):
        read.setdefault(name.lower(), _unescaped("".join(values)))
    return read


def _unescaped(text: str) -> str:
    with suppress(ValueError):  # a character number of thousands of digits
        return html.unescape(text)
    return text


def _add(form: Form, tag: str, attributes: dict[str, str], text: str) -> None:
    """Add a control, and its value if it is one that is sent without being touched."""
    if tag == "option":
        _add_option(form, attributes, text)
        return
    name, kind = attributes.get("name", ""), attributes.get("type", "text").lower()
    form.names.add(name)
    form.asks_password |= tag == "input" and kind == "password"
    if not name or "disabled" in attributes:
        return
    ticked = kind in {"checkbox", "radio"}
    if tag == "input" and kind not in _BUTTONS and (not ticked or "checked" in attributes):
        form.values[name] = attributes.get("value", "on" if ticked else "")
    elif tag == "textarea":
        form.values[name] = _unescaped(text)
    elif tag == "select" and "multiple" not in attributes:
        form.menu = name


def _add_option(form: Form, attributes: dict[str, str], text: str) -> None:
    """Choose an option as a browser does: the one that is selected, or else the first."""
    chosen = "selected" in attributes or form.menu not in form.values
    if form.menu and chosen and "disabled" not in attributes:
        form.values[form.menu] = attributes.get("value", " ".join(_unescaped(text).split()))
