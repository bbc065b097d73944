"""Find challenge headers in what programs print: JSON, HAR files, Python values, tables."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final

from relogin.cli.mentions import literal, status_in
from relogin.cli.response import KNOWN, Response

__all__ = ["printed", "responses_in", "unwrapped"]

_NAMES: Final = "|".join(sorted(KNOWN, key=len, reverse=True))
# Wireshark puts the name of the protocol before the name.
_KEY = re.compile(rf"(?:[a-z]+[._])*(?P<name>{_NAMES.replace('-', '[-_]')})", re.IGNORECASE)
_STATUS_KEY = re.compile(r"(?:[a-z]+[._])*(?:status|status_?code|code)", re.IGNORECASE)
_NEED_A_CHALLENGE: Final = {401, 407}

# `'WWW-Authenticate': 'Basic realm="a"'`, pairs, `"name": "www-authenticate", "value": "Basic"`.
_PRINTED = re.compile(
    rf"""b?(["'])(?P<name>{_NAMES})\1\s*+(?:=>|[:,])\s*+(?:(["'])value\3\s*+:\s*+)?(?:\[\s*+)?"""
    r"""(?P<value>b?(?:'(?:[^'\\\r\n]++|\\.)*+'|"(?:[^"\\\r\n]++|\\.)*+"))""",
    re.IGNORECASE,
)
# PowerShell lists a header's name as a key and, below it, its value in braces.
_KEY_AND_VALUE = re.compile(
    rf"^[ \t]*+Key[ \t]*+:[ \t]*+(?P<name>{_NAMES})[ \t]*+\r?\n\s*+Value[ \t]*+:[ \t]*+"
    r"\{(?P<value>.*)\}[ \t]*+\r?$",
    re.IGNORECASE | re.MULTILINE,
)
# A table: PowerShell puts a value in braces, a spreadsheet puts a tab before it.
_ROW = re.compile(
    rf"^[ \t]*+(?P<name>{_NAMES})(?:[ ]{{2,}}+|[ ]*+\t\s*+)(?P<value>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
# A name and its value on lines of their own, as browsers and Postman copy them.
_LINES = re.compile(
    rf"^[ \t]*+(?P<name>{_NAMES})[ \t]*+\r?\n\s*+(?P<value>\S.*)$", re.IGNORECASE | re.MULTILINE
)


def responses_in(value: Any) -> list[Response]:
    """Find the challenge headers in nested lists and dicts, whatever their structure."""
    walk = _Walk()
    with suppress(RecursionError):  # nested deeper than any program prints
        walk.into(value)
    return [response for response in walk.responses if response.fields or response in walk.bare]


class _Walk:
    """The responses found on the way through a value; `bare` lack the header that they need."""

    def __init__(self) -> None:
        self.responses = [Response()]
        self.bare: list[Response] = []

    def into(self, value: Any) -> None:
        if isinstance(value, dict):
            self._into_dict(value)
        elif isinstance(value, list | tuple):
            # Pairs, and the names and values in turn that Node.js calls rawHeaders.
            for name, one in zip(["", *value], value, strict=False):
                if not self._add(name, one):
                    self.into(one)

    def _into_dict(self, found: dict[Any, Any]) -> None:
        self._status(found)
        name = found.get("name", found.get("key", found.get("header")))
        self._add(name, found.get("value"))
        for key, value in found.items():
            if not self._add(key, value):
                self.into(value)

    def _add(self, name: Any, value: Any) -> bool:
        key = _KEY.fullmatch(_text(name))
        if key is None:
            return False
        values = value if isinstance(value, list | tuple) else [value]
        lines = [_text(one) for one in values if isinstance(one, str | bytes)]
        for line in lines:
            self.responses[-1].mention(key["name"].replace("_", "-"), line)
        return bool(lines)

    def _status(self, found: dict[Any, Any]) -> None:
        codes = [
            int(code)
            for key, code in found.items()
            if _STATUS_KEY.fullmatch(_text(key)) and re.fullmatch("[1-5][0-9]{2}", str(code))
        ]
        if not codes:
            return
        if self.responses[-1].status is not None:
            self.responses.append(Response())
        self.responses[-1].status = codes[0]
        if codes[0] in _NEED_A_CHALLENGE and "headers" in found:
            self.bare.append(self.responses[-1])


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def printed(text: str) -> Response | None:
    """Find names and values in quotes, as programs print headers."""
    response = Response(status_in(text))
    for found in _PRINTED.finditer(text):
        response.mention(found["name"], literal(found["value"]))
    for pattern in _KEY_AND_VALUE, _LINES:
        for found in pattern.finditer(text):
            response.add(found["name"], found["value"])
    for found in _ROW.finditer(text):
        response.add(found["name"], unwrapped(found["value"], "{}"))
    return response if response.fields else None


def unwrapped(value: str, pair: str = "[]") -> str:
    """Take off the pair of brackets around a value, as maps of Go and Java are printed."""
    value = value.strip()
    wrapped = value.startswith(pair[0]) and value.endswith(pair[1])
    return value[1:-1] if wrapped else value
