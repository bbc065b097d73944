"""Find challenge headers in what programs print: JSON, HAR files, Python values, maps, logs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from warnings import catch_warnings

from relogin.cli.response import KNOWN, Response

__all__ = ["mentioned", "parsed", "printed", "responses_in", "status_in"]

_LONGEST_LITERAL: Final = 1 << 16  # Python's parser takes its time
_NAMES: Final = "|".join(sorted(KNOWN, key=len, reverse=True))
_STATUS_KEYS: Final = {"status", "statuscode", "status_code", "code"}
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
# Within a line: of a log, of Java's and Go's maps, of a Markdown text.
_MENTIONED = re.compile(
    rf"""(?P<quote>["'`]?)\b(?:[a-z_]*_)?(?P<name>{_NAMES.replace("-", "[-_]")})\]?"""
    r"""\s*(?:=>|[:=])\s*(?P<value>\S.*)""",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\[(.*?)\](?=[\],}\s]|\Z)")
_IN_QUOTES = re.compile(r'"((?:[^"\\]|\\.)*)"')
# What Spring's MockMvc prints: `[Vary:"Origin", WWW-Authenticate:"Bearer realm="a"", Date:"x"]`.
_BEFORE_ANOTHER = re.compile(r'"(.*?)"(?=,[ ][\w-]+:"|\]\s*\Z)')
# What the exceptions of WCF say.
_TOLD_BY_WCF = re.compile(r"header received from the server was '(.+)'\.?\s*$", re.MULTILINE)
_LINE_END = re.compile(r"(?<!\\[rn])(?:\\[rn])+\Z")
_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})")
_STATUS = re.compile(
    r"""(?:\bHTTP/[0-9.]+"?[ ]+|\bstatus(?:[ _-]?code)?["']?\s*+(?:(?:=>|[:=])\s*+)?"?"""
    r"|\bresponse[ ])([1-5][0-9]{2})(?![0-9.])",
    re.IGNORECASE,
)


def parsed(text: str) -> Any:
    """Read text as JSON or as a Python literal, or return `None`."""
    for read in json.loads, _python:
        with suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return read(text.strip())
    return None


def _python(text: str) -> Any:
    # Python would warn of an escape that it does not know, which is no fault of who asks.
    with catch_warnings(action="ignore"):
        return ast.literal_eval(text.replace(r"\/", "/")) if len(text) < _LONGEST_LITERAL else None


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
        if _text(name).lower() not in KNOWN:
            return False
        values = value if isinstance(value, list | tuple) else [value]
        lines = [_text(one) for one in values if isinstance(one, str | bytes)]
        for line in lines:
            self.responses[-1].add(_text(name), line)
        return bool(lines)

    def _status(self, found: dict[Any, Any]) -> None:
        codes = [
            int(code)
            for key, code in found.items()
            if _text(key).lower() in _STATUS_KEYS and re.fullmatch("[1-5][0-9]{2}", str(code))
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
        response.add(found["name"], _literal(found["value"]))
    for found in _KEY_AND_VALUE.finditer(text):
        response.add(found["name"], found["value"])
    for found in _ROW.finditer(text):
        response.add(found["name"], unwrapped(found["value"], "{}"))
    return response if response.fields else None


def unwrapped(value: str, pair: str = "[]") -> str:
    """Take off the pair of brackets around a value, as maps of Go and Java are printed."""
    value = value.strip()
    wrapped = value.startswith(pair[0]) and value.endswith(pair[1])
    return value[1:-1] if wrapped else value


def _literal(literal: str) -> str:
    value = parsed(literal)
    return literal.removeprefix("b")[1:-1] if value is None else _text(value)


def mentioned(text: str) -> Response | None:
    """Find the names within the lines of a log, a map or a sentence, each with its value."""
    response = Response(status_in(text))
    for line in text.splitlines():
        for name, value in _mentions(line):
            response.add(name, value)
    for found in _TOLD_BY_WCF.finditer(text):
        response.add("www-authenticate", found[1])
    return response if response.fields else None


def _mentions(line: str) -> Iterator[tuple[str, str]]:
    found = _MENTIONED.search(line)
    if found is None:
        return
    value = _LINE_END.sub("", found["value"].rstrip())
    if found["quote"]:
        value = value.removesuffix(found["quote"])
    name = found["name"].replace("_", "-")
    inside = _IN_BRACKETS.match(value) or _BEFORE_ANOTHER.match(value)
    quoted = _IN_QUOTES.match(value)
    if inside is None and quoted and ("_" in found["name"] or r"\"" in quoted[1]):
        inside = quoted  # nginx writes \x22 for a quote, logfmt \"
    value = inside[1].replace(r"\"", '"') if inside else value
    yield name, _HEX.sub(lambda octet: chr(int(octet[1], 16)), value)


def status_in(text: str) -> int | None:
    """Find the status in a text that names only one."""
    codes = set(_STATUS.findall(text))
    return int(codes.pop()) if len(codes) == 1 else None
