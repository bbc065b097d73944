"""Servers that repeat what a real program answered: one file a program in tests/docs/recorded/.

A file names the program as the page does, says how its session ended, and lists exchanges. The
first exchange answers whose `request` is the line of the request, and whose `needs` are all in its
text, where field names are in lower case. In a need, `{session}` is the living session, and
`{base64 …}` what is in it as Base64. In an answer, `{new}` begins a session, and `{next}` announces
it. Left out of the answers are fields that no client reads here, and most of the long content.
"""

from __future__ import annotations

import re
import secrets
import tomllib
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["RECORDINGS", "Exchange", "Recording", "Replay"]


class Exchange(NamedTuple):
    """What was asked, and the answer: a status line, fields, a blank line, and content."""

    request: str
    answer: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """A program: how its session ended, a request that needs one, and how it answers.

    `bare` answers the request without a session, and `dead` with a dead one, in one way or several.
    """

    program: str
    ended: str
    ask: str
    bare: str
    dead: tuple[str, ...]
    exchanges: tuple[Exchange, ...]
    content: str = ""

    @classmethod
    def read(cls, path: Path) -> Recording:
        recorded = tomllib.loads(path.read_text(encoding="utf-8"))
        exchanges = (
            Exchange(one["request"], one["answer"], tuple(one.get("needs", ())))
            for one in recorded.pop("exchange")
        )
        dead = tuple(recorded.pop("dead"))
        return cls(**recorded, dead=dead, exchanges=tuple(exchanges))

    @property
    def alive(self) -> str:
        """The answer to `ask` while the session lives."""
        return next(
            one.answer
            for one in self.exchanges
            if one.request.startswith(self.ask) and "{session}" in "".join(one.needs)
        )


_BASE64 = re.compile("{base64 (.*)}")
RECORDINGS = tuple(map(Recording.read, sorted((Path(__file__).parent / "recorded").glob("*.toml"))))


class Replay:
    """Serves a recording. `death` is the answer to a request whose session is dead."""

    def __init__(self, recording: Recording, death: str) -> None:
        self._recording = recording
        self._death = death
        self._session: str | None = None
        self._next = secrets.token_hex(8)
        self.logins = 0
        self.unknown: list[str] = []
        """Requests that the real program was not asked."""

    def kill(self) -> None:
        """End the session."""
        self._session = None
        self._next = secrets.token_hex(8)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        text = _text(environ)
        answer = self._answer(text).replace("{url}", f"http://{environ['HTTP_HOST']}")
        if "{new}" in answer:
            self.logins += 1
            self._session = self._next
        for name in ("{new}", "{next}", "{session}"):
            answer = answer.replace(name, self._next)
        head, _, content = answer.partition("\n\n")
        status, *lines = head.split("\n")
        code = int(status.split()[0])
        fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        start_response(f"{code} {HTTPStatus(code).phrase}", fields)
        return [content.encode()]

    def _answer(self, text: str) -> str:
        line = text.partition("\n")[0]
        for exchange in self._recording.exchanges:
            if exchange.request == line and all(self._has(text, need) for need in exchange.needs):
                return exchange.answer
        if line.startswith(self._recording.ask):
            return self._death if self.logins else self._recording.bare
        self.unknown.append(text)
        return "404 Not Found\nContent-Type: text/plain\n\nnot recorded"

    def _has(self, text: str, need: str) -> bool:
        if "{session}" not in need:
            return need in text
        if self._session is None:
            return False
        need = need.replace("{session}", self._session)
        return _BASE64.sub(lambda found: b64encode(found[1].encode()).decode(), need) in text


def _text(environ: WSGIEnvironment) -> str:
    """The request, with the names of its fields in lower case."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    query = environ.get("QUERY_STRING")
    target = environ["PATH_INFO"] + (f"?{query}" if query else "")
    fields = (
        f"{name[5:].lower().replace('_', '-')}: {value}"
        for name, value in environ.items()
        if name.startswith("HTTP_")
    )
    return "\n".join((f"{environ['REQUEST_METHOD']} {target}", *fields, "", body))
