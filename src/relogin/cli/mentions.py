"""Find challenge headers that a text mentions: a log, a table, source code, a sentence.

A name is found anywhere. What stands between it and its value differs from program to program, and
so does what ends the value.
"""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from html import unescape
from typing import Any, Final
from warnings import catch_warnings

from relogin.cli.endings import ended
from relogin.cli.response import KNOWN, OTHERS, Response
from relogin.wire import MAX_LENGTH

__all__ = ["literal", "mentioned", "parsed", "status_in"]

_LONGEST_LITERAL: Final = 1 << 16  # Python's parser takes its time
_NAMES: Final = "|".join(sorted(KNOWN, key=len, reverse=True)).replace("-", "[-_]")
_NAME = re.compile(
    rf"""(?P<quote>["'`]?)(?:\b|(?<=\\n))(?:[a-z_]*_)?(?P<name>{_NAMES})(?![\w-])""", re.IGNORECASE
)
# `| WWW-Authenticate | Basic |`, `<td>WWW-Authenticate</td><td>Basic</td>`
_CELL = re.compile(
    r"""(?:[`*]*+[ \t]*+[|│]|["']?>|</\w+>\s*+<[^<>]*+>)"""
    rf"(?P<value>[^<|│\r\n]{{1,{MAX_LENGTH}}}+)(?=[<|│])"  # bounded: a file may be one line
)
# A sign, behind what ends the name. A comma is one only before a text in quotes: names have commas
# between them too, and so have sentences. So is `==`: source code compares names with variables.
_SIGN = re.compile(
    r"""[`*"')\]]*+\s*+(?:=>|->|=(?!=)|:|value=|(?:,|={2,3})(?=\s*+[bfr$]?["'`\[(]|\s*+array\b))"""
    r"""\*{0,2}+\s*+(?!null\b|\{["'])"""
)
# `if name == "WWW-Authenticate":`, `case "WWW-Authenticate":`
_COMPARED = re.compile(r"(?:[=!]=|\bcase) ?\Z")
_LONGEST_COMPARED: Final = len(" case ")
# `add_header WWW-Authenticate "Basic"`, the `WWW-Authenticate` header is `Basic`
_THEN_QUOTED = re.compile(r"[`*]*+(?:[ ]header)?+(?:[ ]is)?+[ ](?=[\"'`])")
# How PHP and Swift begin a list of values.
_LIST = re.compile(
    r"(?:array(?::\d++|\(\d++\)|(?!))?+\s*+[(\[{]|[(\[])\s*+(?=[\"'\d\[])"
    r"(?:\[?+\d++\]?+\s*+=>\s*+|(?!))?+"
    r"(?:string\(\d++\)\s*+|(?!))?+"
)
# Python's f"{realm}" and C#'s $"{realm}" keep what is between their braces.
_LITERAL = re.compile(r"""[bfr$]?+(["'`])(?:(?!\1)[^\\\r\n]|\\.|(?!))*+\1(?![\w"'%]|/(?!>)|\.\w)""")
_PERCENT = re.compile(r"%[qQ]?+\(([^()\r\n]*+)\)")  # of Ruby
_IN_BRACKETS = re.compile(r"\[(.*?)\](?=[\],}\s]|\Z)")
# What Spring's MockMvc prints: `[Vary:"Origin", WWW-Authenticate:"Bearer realm="a"", Date:"x"]`.
_BEFORE_ANOTHER = re.compile(r'"(.*?)"(?=,[ ][\w-]+:"|\]\s*\Z)')
# `"WWW-Authenticate: " . "Basic"`
_JOINED = re.compile(r"""["']\s*+[.+&]?+\s*+(?=["'])""")
# `<cfheader name="WWW-Authenticate" value="Basic realm=""a""">`
_ATTRIBUTE = re.compile(r"""(["'])((?:(?!\1)[^\r\n]|\1\1|(?!))*+)\1""")
# Microsoft's documentation prints `WWW-Authenticate=Bearer` and each parameter below it.
_FOLDED = re.compile(r'(?:\r?\n[ \t]++[\w-]++="[^"\r\n]*+",?[ \t]*+(?=\r?\n|\Z)|(?!))++')
# The next header in a map that is printed without quotes.
_ANOTHER = re.compile(rf",[ ](?:AnyHashable\(|(?:{OTHERS})[=:]).*", re.IGNORECASE)
_CLOSERS: Final = " \t,;)]}"
_LINE_END = re.compile(r"(?<!\\[rn])(?:\\[rn]|\[\\[rn]\])+\Z")
_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})")
# Values without a name: in exceptions of WCF, from npm, and from Git to a credential helper.
_UNNAMED = re.compile(
    r"header received from the server was '(?P<value>.+)'\.?\s*$"
    r"|Unable to authenticate, need: (?P<value_>.+)$|^wwwauth\[\]=(?P<value__>.+)$",
    re.MULTILINE,
)
_STATUS = re.compile(
    r"""(?:\bHTTP(?:/[0-9.]+"?)?[ ]+"""
    r"""|\bstatus(?:[ _-]?code)?["']?\s*+(?:(?:=>|[:=,(])\s*+)?["'\[]?"""
    r"|\bresponse:?[ ]|<{1,2}-{0,3}[ ]|[ ]\[)([1-5][0-9]{2})(?![0-9.])",
    re.IGNORECASE,
)
# A status that is told by its phrase alone: `-> 401 Unauthorized`.
_PHRASE = re.compile(
    r"(?<![0-9])(?:401(?= unauthorized)|402(?= payment req)|403(?= forbidden)|407(?= proxy auth))",
    re.IGNORECASE,
)
_LONGEST_BEFORE: Final = 1 << 10


def mentioned(text: str) -> Response | None:
    """Find the names in a text, each with its value."""
    response = Response(status_in(text))
    at = 0
    while found := _NAME.search(text, at):
        value, at = _value(text, found)
        if value:
            response.mention(found["name"].replace("_", "-"), value)
    for unnamed in _UNNAMED.finditer(text):
        response.add("www-authenticate", next(filter(None, unnamed.groups())))
    return response if response.fields else None


def _value(text: str, name: re.Match[str]) -> tuple[str, int]:
    """Return the value that follows a name, and where to look for the next name."""
    if cell := _CELL.match(text, name.end()):
        return unescape(cell["value"]).strip(" \t`*"), cell.end()
    if name["quote"] and _is_compared(text, name.start()):
        return "", name.end()
    between = _SIGN.match(text, name.end()) or _THEN_QUOTED.match(text, name.end())
    if between is None:
        return "", name.end()
    listed = _LIST.match(text, between.end())
    begin = (listed or between).end()
    quote = name["quote"] if name["quote"] not in between[0] else ""
    if quote and text.startswith(quote, begin):
        return _elsewhere(text, begin)
    end = _line_end(text, begin) if name["quote"] else _fold_end(text, begin)
    value = text[begin:end].rstrip()
    if between[0].endswith("value=") and (attribute := _ATTRIBUTE.match(value)):
        return unescape(attribute[2].replace('""', '"')), end
    value = value if quote else ended(_before(text, name.start()), value)
    return _unquoted(value, quote).strip(), end


def _elsewhere(text: str, at: int) -> tuple[str, int]:
    """Return the literal that source code joins to the name, or nothing for a variable."""
    joined = _JOINED.match(text, at)
    begin = joined.end() if joined else at
    found = _LITERAL.match(text, begin) if joined else None
    return (literal(found[0]).strip(), found.end()) if found else ("", begin + 1)


def _line_end(text: str, at: int) -> int:
    line = text.find("\n", at)
    return len(text) if line == -1 else line


def _fold_end(text: str, at: int) -> int:
    """Return the end of a value whose parameters stand on lines of their own, indented."""
    end = _line_end(text, at)
    folded = _FOLDED.match(text, end - (text[end - 1] == "\r"))
    return folded.end() if folded else end


def _before(text: str, at: int) -> str:
    """Return what the line has before the name, up to a limit."""
    near = max(at - _LONGEST_BEFORE, 0)
    return text[max(text.rfind("\n", near, at) + 1, near) : at]


def _is_compared(text: str, at: int) -> bool:
    return _COMPARED.search(text[max(at - _LONGEST_COMPARED, 0) : at]) is not None


def _unquoted(line: str, quote: str) -> str:
    """Return the value at the start of a line. If a quote began the name, it ends this too."""
    if quote and (r"\"" in line or quote == "`"):
        if found := _LITERAL.match(quote + line):
            return literal(found[0])
    elif quote:
        line = line.rpartition(quote)[0] or line
    elif inside := (
        _IN_BRACKETS.match(line) or _BEFORE_ANOTHER.match(line) or _PERCENT.match(line)
    ):
        line = inside[1]
    if found := _LITERAL.match(line):
        return literal(found[0])
    line = _ANOTHER.sub("", line)
    if line[:1] in {'"', "'"} and line.rstrip(_CLOSERS)[-1:] == line[0]:
        line = line.rstrip(_CLOSERS)[1:-1]
    if line.count("}") > line.count("{"):
        line = line.rstrip("}")
    line = _LINE_END.sub("", line).replace(r"\"", '"')
    return _HEX.sub(lambda octet: chr(int(octet[1], 16)), line)


def literal(written: str) -> str:
    """Read a text in quotes as its language does, or take off the quotes."""
    written = written.lstrip("f$")
    value = parsed(written)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else written.lstrip("br")[1:-1]


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


def status_in(text: str) -> int | None:
    """Find the status in a text that names only one."""
    codes = set(_STATUS.findall(text)) or set(_PHRASE.findall(text))
    return int(codes.pop()) if len(codes) == 1 else None
