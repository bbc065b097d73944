"""Find the challenge headers in pasted text: a value, a header line, or whole responses.

It reads what `curl -i`, `curl -I`, `curl -L` and `curl -v` print, the header lines that a browser's
developer tools copy, and headers as JSON or as Python prints them. Values are passed on unchanged.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from warnings import catch_warnings

from relogin.wire.abnf import OWS, TOKEN

__all__ = ["RENAMED", "ChallengeField", "Response", "read_responses"]

_KNOWN = {"www-authenticate": "WWW-Authenticate", "proxy-authenticate": "Proxy-Authenticate"}
# AWS API Gateway renames it, and no client looks there.
RENAMED = {"x-amzn-remapped-www-authenticate": "x-amzn-Remapped-WWW-Authenticate"}
_KNOWN |= RENAMED

_STATUS_LINE = re.compile(r"HTTP/[0-9.]+[ \t]+([0-9]{3})(?![0-9])")
# RFC 9110 §5.1: a token, and RFC 9112 §5.1: no space before the colon; some servers send one.
_FIELD_LINE = re.compile(rf"({TOKEN}){OWS}:(.*)", re.DOTALL)
# `{'WWW-Authenticate': 'Basic realm="a"'}`, and lists of pairs.
_PRINTED = re.compile(
    rf"""(["'])(?P<name>{"|".join(_KNOWN)})\1\s*[:,]\s*"""
    r"""(?P<value>'(?:[^'\\\r\n]++|\\.)*+'|"(?:[^"\\\r\n]++|\\.)*+")""",
    re.IGNORECASE,
)


@dataclass(slots=True)
class ChallengeField:
    """The lines of one field of one response; RFC 9110 §5.3 joins them with commas."""

    name: str
    lines: list[str]


@dataclass(slots=True)
class Response:
    """What a response says about authentication. `status` is `None` without a status line."""

    status: int | None = None
    fields: dict[str, ChallengeField] = field(default_factory=dict)

    def add(self, name: str, value: str) -> ChallengeField | None:
        """Keep the line if it is a challenge header, and return the header that it belongs to."""
        known = _KNOWN.get(name.lower())
        if known is None:
            return None
        found = self.fields.setdefault(known, ChallengeField(known, []))
        found.lines.append(value.strip(" \t"))
        return found


def read_responses(text: str) -> list[Response]:
    r"""Split pasted text into responses; a bare field is one response without a status.

    >>> [response] = read_responses("HTTP/2 401\nwww-authenticate: Basic realm=x\n")
    >>> response.status, response.fields["WWW-Authenticate"].lines
    (401, ['Basic realm=x'])
    >>> [response] = read_responses("Basic realm=x")
    >>> response.fields["WWW-Authenticate"].lines
    ['Basic realm=x']
    """
    lines = [line.removeprefix("< ") for line in re.split(r"\r?\n", text)]
    if any(_STATUS_LINE.match(line) or _is_challenge(line) for line in lines):
        return _read_block(lines)
    return [_printed(text) or _bare(lines)]


def _is_challenge(line: str) -> bool:
    found = _FIELD_LINE.match(line)
    return found is not None and found[1].lower() in _KNOWN


def _printed(text: str) -> Response | None:
    response = Response()
    for found in _PRINTED.finditer(text):
        response.add(found["name"], _text_of(found["value"]))
    return response if response.fields else None


def _text_of(literal: str) -> str:
    for read in (json.loads, ast.literal_eval):
        # Python would warn of an escape that it does not know, which is no fault of who asks.
        with suppress(ValueError, SyntaxError), catch_warnings(action="ignore"):
            return str(read(literal))
    return literal[1:-1]


def _bare(lines: list[str]) -> Response:
    response = Response()
    for line in filter(str.strip, lines):
        response.add("www-authenticate", line)
    return response


def _read_block(lines: list[str]) -> list[Response]:
    responses = [Response()]
    in_header = True
    last: ChallengeField | None = None
    for line in lines:
        if status := _STATUS_LINE.match(line):
            responses.append(Response(int(status[1])))
            in_header, last = True, None
        elif not line.strip():
            # Content follows, which may look like anything, until the next status line.
            in_header = len(responses) == 1
        elif in_header and last and line[0] in " \t":
            last.lines[-1] += "\r\n" + line  # obs-fold, RFC 9112 §5.2: the diagnosis tells
        elif in_header and (found := _FIELD_LINE.match(line)):
            last = responses[-1].add(found[1], found[2])
        elif in_header and last and not last.lines[-1]:
            last.lines[-1] = line.rstrip(" \t")  # Chrome copies the value to a line of its own
    return [response for response in responses if response.status or response.fields]
