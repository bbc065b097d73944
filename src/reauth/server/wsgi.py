"""The gate around a WSGI application (PEP 3333).

>>> import reauth
>>> from reauth.server.wsgi import SessionGate
>>> def application(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"Hello, " + environ["reauth.session"].encode()]
>>> def verify(token):
...     if token == "an old one":
...         raise reauth.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> guarded = SessionGate(application, verify, realm="orders", public=["/health"])
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Unpack

from reauth.server.facts import Request
from reauth.server.fields import Headers
from reauth.server.gate import Answer, Decision, Gate, Refused, Words
from reauth.server.responses import dress, replacement
from reauth.server.verifiers import Verifier, ask, synchronous

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

__all__ = ["SessionGate", "request"]

SESSION = "reauth.session"
REFUSED = "reauth.refused"


class SessionGate:
    """Lets a request through to `app` if `verify` admits its session; takes the words of `Gate`.

    The application finds the session in `environ["reauth.session"]`. On a public page it may be
    None, and `environ["reauth.refused"]` then holds the `Refused` that says why. Called with the
    request's facts before the body is read; `app` may raise `Refused` too, before it responds.
    """

    def __init__(self, app: WSGIApplication, verify: Verifier, **words: Unpack[Words]) -> None:
        self.app = app
        self.verify = synchronous(verify)
        self.gate = Gate(**words)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or have the application answer it."""
        claim = self.gate.claim(request(environ))
        decision = self.gate.decide(claim, ask(self.verify, claim.token))
        if decision.answer is not None:
            return _send(decision.answer, start_response)
        environ[SESSION] = decision.session
        environ[REFUSED] = decision.refused
        response = _Response(self.gate, decision, start_response)
        try:
            return response.body(self.app(environ, response.start))
        except Refused as why:
            # If the application has started already, the server says whether it is too late.
            again = sys.exc_info() if response.started else None
            return _send(self.gate.refuse(decision, why), start_response, again)


def request(environ: WSGIEnvironment) -> Request:
    """Return the facts of a request.

    A server joins the lines of a field with commas; two Authorization lines are malformed so too.
    """

    def lines(name: str) -> tuple[str, ...]:
        value = environ.get(_key(name))
        return () if value is None else (value,)

    # PEP 3333: text is latin-1 in disguise. What was sent is told by gunicorn, uWSGI and mod_wsgi.
    path = environ.get("PATH_INFO", "")
    if not path.isascii():
        path = path.encode("latin-1").decode(errors="replace")
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return Request(environ["REQUEST_METHOD"], path, lines, sent.partition("?")[0])


@cache  # of the few names a gate looks at
def _key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


def _send(
    answer: Answer, start_response: StartResponse, exc_info: ExcInfo | None = None
) -> list[bytes]:
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    start_response(status, answer.headers, exc_info)
    return [answer.body]


class _Response:
    """The application's response on its way out."""

    __slots__ = ("decision", "gate", "instead", "start_response", "started")

    def __init__(self, gate: Gate, decision: Decision, start_response: StartResponse) -> None:
        self.gate = gate
        self.decision = decision
        self.start_response = start_response
        self.started = False
        self.instead: list[bytes] | None = None

    def start(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """What the application calls in place of the server's `start_response`."""
        self.started = True
        code = int(status[:3])
        answer = replacement(self.gate, self.decision, code, headers)
        if answer is not None:
            self.instead = _send(answer, self.start_response)
            return self.instead.__contains__  # a `write` that writes nothing
        self.instead = None
        return self.start_response(status, dress(self.gate, self.decision, code, headers), exc_info)

    def body(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        """Return what is sent; a generator is run until it has called `start`."""
        resumed = chunks if self.started else _Resumed(chunks, lambda: self.started)
        if self.instead is None:
            return resumed
        _close(resumed)
        return self.instead


class _Resumed:
    """Chunks of which the first ones are already taken, with the `close` that PEP 3333 asks for."""

    def __init__(self, chunks: Iterable[bytes], enough: Callable[[], bool]) -> None:
        self._chunks = chunks
        rest = iter(chunks)
        taken: list[bytes] = []
        try:
            while not enough():
                taken.append(next(rest))
        except StopIteration:
            pass
        except BaseException:
            self.close()
            raise
        self._all = chain(taken, rest)

    def __iter__(self) -> Iterator[bytes]:
        return self._all

    def close(self) -> None:
        _close(self._chunks)


def _close(chunks: object) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
