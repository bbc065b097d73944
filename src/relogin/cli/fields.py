"""Find the challenge headers in pasted text: a value, a header line, or whole responses.

It reads what `curl -i`, `curl -I`, `curl -L` and `curl -v` print, the headers that a browser's
developer tools, Postman and Wireshark copy, HAR files, JSON, logs, and headers as programs print
them. Values are passed on unchanged.
"""

from __future__ import annotations

import re

from relogin.cli.endings import unboxed
from relogin.cli.mentions import mentioned, parsed, status_in
from relogin.cli.printed import printed, responses_in, unwrapped
from relogin.cli.response import KNOWN, OTHERS, ChallengeField, Response
from relogin.cli.specifications import SPECIFICATIONS
from relogin.errors import ChallengeSyntaxError
from relogin.wire import MAX_LENGTH
from relogin.wire.abnf import OWS, TOKEN
from relogin.wire.field import parse
from relogin.wire.shapes import END, PARAM
from relogin.wire.shapes import KNOWN as KNOWN_SCHEME

__all__ = ["read_responses"]

_STATUS_LINE = re.compile(r"(?:HTTP|RTSP|SIP)/[0-9.]+[ \t]+([0-9]{3})(?![0-9])")
# Django REST Framework shows the status of a response so.
_STATUS_SHOWN = re.compile(r"HTTP[ ]([0-9]{3})(?:[ ][A-Z][A-Za-z]*+|(?!))*+\s*+\Z")
# Browsers and HTTP clients show the status like a header.
_STATUS_FIELD = re.compile(
    r"(?:<-- |:?(?:status|response)(?:[ _-]?code)?:[ \t]*)([0-9]{3})(?![0-9])", re.IGNORECASE
)
# RFC 9110 §5.1: a token, and RFC 9112 §5.1: no space before the colon; some servers send one.
_FIELD_LINE = re.compile(rf"({TOKEN}){OWS}:(.*)", re.DOTALL)
# What curl, mitmproxy, Python's http.client, PHP, Markdown, YAML and a diff put before a line.
_MARK = re.compile(
    r"(?:[<>|*-][ ]|(?:<<|->)[ ]|[+-](?=WWW|Proxy)|header:[ ]|reply:[ ]['\"]|[0-9a-f]{4}:[ ]"
    r"|\[[0-9]+\][ ]=>[ ])"
)
# How Rust goes on with a literal on the next line.
_CONTINUED = "\\r\\n\\\n"
# The cassettes of VCR list the lines of a header in YAML, and fold a long one.
_ITEM = re.compile(r"\s*-[ ](.*)")
_ENTRY = re.compile(r"\[([A-Za-z-]+)\][ ]=>")
_begins_a_challenge = re.compile(rf"\s*{KNOWN_SCHEME}(?: ++(?:{PARAM}|[\[{{<\"'])|{END})").match
# A line with such a name is another header, and no challenge with a colon after its scheme.
_is_another = re.compile(rf"\s*(?:{OTHERS}){OWS}:", re.IGNORECASE).match
# A carriage return alone ends a line only if a header or an empty line follows.
_line_end = re.compile(rf"\r?\n|\r(?={TOKEN}:|\r|\Z)")
# A response on one line, as strace shows it.
_WRITTEN_LINES = re.compile(
    r"\\r\\n[\w-]+:|\\n(?:< )?(?:WWW|Proxy)-Authenticate:(?! [\"'])", re.IGNORECASE
)
_LINE_END = re.compile(r"(?<!\\[rn])(?:\\[rn])+['\"]?\Z")


def read_responses(text: str) -> list[Response]:
    r"""Split pasted text into responses; a bare field is one response without a status.

    Another header, or a text of several lines in which no challenge is found, gives none.

    >>> [response] = read_responses("HTTP/2 401\nwww-authenticate: Basic realm=x\n")
    >>> response.status, response.fields["WWW-Authenticate"].lines
    (401, ['Basic realm=x'])
    >>> [response] = read_responses("Basic realm=x")
    >>> response.fields["WWW-Authenticate"].lines
    ['Basic realm=x']
    """
    text = _joined(unboxed(text))
    value = parsed(text)
    if isinstance(value, bytes):
        return read_responses(value.decode("latin-1"))
    if isinstance(value, str) and (r"\"" in text or r"\r\n" in text or _names_a_header(value)):
        return read_responses(value)
    if found := responses_in(value):
        return found
    lines = _line_end.split(text)
    if any(_STATUS_LINE.match(_unmarked(line)) or _is_challenge(line) for line in lines):
        return _Block(lines).responses_of(text)
    if not _begins_a_challenge(text):
        if _WRITTEN_LINES.search(text):
            return read_responses(_written(text))
        if found := responses_in(_embedded(text)):
            return _with_status(found, text)
        if one := printed(text) or mentioned(text):
            return [one]
        if value is None and _names_a_header(text) and not _is_sound(text):
            return []  # source code, or prose
    return _bare([line for line in lines if line.strip()])


def _joined(text: str) -> str:
    return _written(text.replace(_CONTINUED, "\n")) if _CONTINUED in text else text


def _written(text: str) -> str:
    return text.replace(r"\r\n", "\n").replace(r"\n", "\n").replace(r"\"", '"')


def _with_status(found: list[Response], text: str) -> list[Response]:
    """Take the status of a single response from wherever the text has one."""
    if len(found) == 1:
        found[0].status = found[0].status or status_in(text)
    return found


def _names_a_header(text: str) -> bool:
    return any(name in text.lower() for name in KNOWN)


def _is_sound(text: str) -> bool:
    try:
        return bool(parse(text[:MAX_LENGTH]))
    except ChallengeSyntaxError:
        return False


def _embedded(text: str) -> object:
    """Return the value of the JSON or the Python literal that begins within a text."""
    begin = re.search(r"[\[{]", text)
    end = max(text.rfind("]"), text.rfind("}")) + 1
    return parsed(text[begin.start() : end]) if begin else None


def _unmarked(line: str) -> str:
    line = _ENTRY.sub(r"\1:", line.lstrip(), count=1)
    mark = _MARK.match(line)
    return line[mark.end() :].lstrip() if mark else line


def _is_challenge(line: str) -> bool:
    found = _FIELD_LINE.match(_unmarked(line))
    return found is not None and found[1].lower() in KNOWN


def _bare(lines: list[str]) -> list[Response]:
    """Take lines for those of one field, but not other headers, nor a text without a challenge."""
    if any(map(_is_another, lines)) or (len(lines) > 1 and not any(map(_is_field, lines))):
        return []
    response = Response()
    for line in lines:
        response.add("www-authenticate", line)
    return [response]


def _is_field(line: str) -> bool:
    return any(
        challenge.params or challenge.scheme.lower() in SPECIFICATIONS
        for challenge in parse(line[:MAX_LENGTH], lenient=True)
    )


class _Block:
    """The responses whose header lines a text shows, one below the other."""

    def __init__(self, lines: list[str]) -> None:
        self._all = [Response()]
        self._in_header = True
        self._last: ChallengeField | None = None
        self._indent = 0  # of the line with the name of `_last`
        self._ends = False  # Wireshark shows how a line ends
        self._item = ""  # of a list in YAML, as it is written
        for line in lines:
            self._read(line.removeprefix("< "))

    def responses_of(self, text: str) -> list[Response]:
        """Return what was found; the status may be anywhere in the text."""
        found = [response for response in self._all if response.status or response.fields]
        return _with_status(found, text)

    def _read(self, line: str) -> None:
        shown = _unmarked(line)
        indent = len(line) - len(line.lstrip())
        if status := _STATUS_LINE.match(shown) or _STATUS_SHOWN.match(shown):
            self._all.append(Response(int(status[1])))
            self._in_header, self._last = True, None
            self._ends = bool(_LINE_END.search(line))
        elif not line.strip("< \t"):
            # Content follows, which may look like anything, until the next status line.
            self._in_header = len(self._all) == 1
            self._end_value()
        elif not self._in_header:
            return
        elif self._last and self._goes_on(self._last, line, indent):
            pass
        elif status := _STATUS_FIELD.match(shown):
            self._all[-1].status = self._all[-1].status or int(status[1])
        elif found := _FIELD_LINE.match(shown if _is_challenge(line) else line.lstrip()):
            value = _LINE_END.sub("", found[2]) if self._ends else unwrapped(found[2])
            if indent and len(self._all) == 1:  # no response: YAML
                value = _scalar(value)
            self._last, self._indent = self._all[-1].add(found[1], value), indent
            self._item = ""
        elif self._last and not self._last.lines[-1]:
            self._last.lines[-1] = shown.rstrip(" \t")  # Chrome copies it to a line of its own
        else:
            self._end_value()

    def _end_value(self) -> None:
        """End the value above: a line that is indented below belongs to something else."""
        if self._last and self._last.lines[-1]:
            self._last = None

    def _goes_on(self, last: ChallengeField, line: str, indent: int) -> bool:
        """Take a line that belongs to the header above it, and say whether it did."""
        item = _ITEM.match(line)
        if item and indent >= self._indent and (self._item or not last.lines[-1]):
            self._indent, self._item = indent, item[1]
            last.lines[-1:] = [*filter(None, last.lines[-1:]), _scalar(item[1])]
        elif indent <= self._indent or not last.lines[-1]:
            return False
        elif self._item:
            self._item += " " + line.strip()
            last.lines[-1] = _scalar(self._item)
        elif len(last.lines[-1]) <= MAX_LENGTH:  # of a longer one, nothing is read
            last.lines[-1] += "\r\n" + line  # obs-fold, RFC 9112 §5.2
        return True


def _scalar(written: str) -> str:
    """Read a text as YAML writes it, with or without quotes."""
    if len(written) > 1 and written[0] == written[-1] == "'":
        return written[1:-1].replace("''", "'")
    value = parsed(written) if written.startswith('"') else None
    return value if isinstance(value, str) else written
