"""The gate around a WSGI application (PEP 3333).

>>> import relogin
>>> from relogin.server.wsgi import SessionGate
>>> def application(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"Hello, " + environ["relogin.session"].encode()]
>>> def verify(token):
...     if token == "an old one":
...         raise relogin.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> guarded = SessionGate(application, verify, realm="orders", public=["/health"])
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from http import HTTPStatus
from itertools import chain
from types import TracebackType
from typing import TypeAlias, Unpack
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from relogin.server.credentials import Presented
from relogin.server.decisions import REFUSED, SESSION, VERIFY
from relogin.server.drain import drain
from relogin.server.fields import Headers
from relogin.server.gate import Answer, Claim, Decision, Gate, is_session
from relogin.server.options import Options
from relogin.server.request import Request
from relogin.server.responses import MERGED, dress, replacement
from relogin.server.signatures import check_app
from relogin.server.streams import Again, Stream, close
from relogin.server.verdicts import Refused
from relogin.server.verifiers import Verifier, ask, ask_again, synchronous, wants_request

__all__ = ["SessionGate", "request"]

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)


class SessionGate:
    """Lets a request through to `app` if `verify` returns its session.

    `realm`, which names what it protects, is required; `public` lists the open paths. See
    `relogin.server.gate.Gate` for all options.

    The application finds the session in `environ["relogin.session"]`. On a public page it may be
    None, and `environ["relogin.refused"]` then holds the `Refused` that says why. Middleware
    outside the gate finds it there too if a request was refused. The gate decides before the
    body is read; `app` may raise `Refused` too, before it responds and during a response.
    `environ["relogin.verify"]()` calls `verify` again; it returns the session, or raises `Refused`.
    """

    def __init__(self, app: WSGIApplication, verify: Verifier, **options: Unpack[Options]) -> None:
        self.app = app
        self.verify: Verifier = synchronous(verify)
        self._with_request = wants_request(verify)
        self.gate: Gate = Gate.of(options)
        check_app(app, 3, "an ASGI", "asgi")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or have the application answer it."""
        method, path = environ["REQUEST_METHOD"], _path(environ)
        line = None if self._with_request else environ.get("HTTP_AUTHORIZATION")
        found = None if line is None else self.gate.usual(method, path, line)
        outcome = None if found is None else ask(self.verify, found[2])
        if found is not None and is_session(outcome):
            environ[SESSION], environ[REFUSED] = outcome, None
            again: Again = partial(ask_again, self.verify, found[2])
            # The application may write to its environ; what was asked for was this.
            decide = partial(self._settled, environ, method, path, found, outcome)
            response = _Response(self.gate, start_response, again, decide)
        else:
            decision = self._decision(environ, found, outcome)
            claim = decision.claim
            if claim.ignored and SESSION in environ:  # a gate outside of this one has decided
                return self.app(environ, start_response)
            environ[SESSION], environ[REFUSED] = decision.session, decision.refused
            if decision.answer is not None:
                drain(environ, self.gate.drain)
                return _send(decision.answer, start_response)
            again = partial(ask_again, self.verify, claim.token, *self._more(claim))
            response = _Response(self.gate, start_response, again, lambda: decision, decision)
        environ[VERIFY] = again
        return response.of(self.app, environ)

    def _more(self, claim: Claim) -> tuple[Request, ...]:
        return (claim.request,) if self._with_request else ()

    def _settled(
        self, environ: WSGIEnvironment, method: str, path: str, found: Presented, session: object
    ) -> Decision:
        original = request(environ)._replace(method=method, path=path)
        return self.gate.usual_decision(original, found, session)

    def _decision(
        self, environ: WSGIEnvironment, usual: Presented | None, outcome: object
    ) -> Decision:
        claim = self.gate.claim(request(environ))
        if usual is None:
            outcome = ask(self.verify, claim.token, *self._more(claim))
        return self.gate.decide(claim, outcome)


def request(environ: WSGIEnvironment) -> Request:
    """Return the facts of a request.

    A server joins the lines of a field with commas; two Authorization lines stay malformed.
    """

    def lines(name: str) -> tuple[str, ...]:
        value = environ.get(_key(name))
        return () if value is None else (value,)

    # gunicorn, uWSGI and mod_wsgi tell what was sent.
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    mount = environ.get("SCRIPT_NAME", "")
    method, path = environ["REQUEST_METHOD"], _path(environ)
    return Request(method, path, lines, sent.partition("?")[0], mount, environ)


def _path(environ: WSGIEnvironment) -> str:
    path: str = environ.get("PATH_INFO", "")
    # PEP 3333: its text is octets read as latin-1.
    return path if path.isascii() else path.encode("latin-1").decode(errors="replace")


@cache  # of the few names a gate looks at
def _key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


def _send(
    answer: Answer, start_response: StartResponse, exc_info: ExcInfo | None = None
) -> list[bytes]:
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    start_response(status, [*answer.headers], exc_info)
    return [answer.body]


class _Response:
    """The application's response on its way out."""

    __slots__ = (
        *("_again", "_decide", "_decision", "_gate", "_headers", "_replacement", "_start_response"),
        "started",
    )

    def __init__(
        self,
        gate: Gate,
        start_response: StartResponse,
        again: Again,
        decide: Callable[[], Decision],
        decision: Decision | None = None,
    ) -> None:
        self._gate = gate
        self._start_response = start_response
        self._again = again
        self._decide = decide
        self._decision = decision
        self._headers: Headers = []
        self._replacement: list[bytes] | None = None
        self.started = False

    @property
    def decision(self) -> Decision:
        """The decision; for a common request it is made only when needed."""
        if self._decision is None:
            self._decision = self._decide()
        return self._decision

    def of(self, app: WSGIApplication, environ: WSGIEnvironment) -> Iterable[bytes]:
        """Return what to send for this application, or for its refusal."""
        try:
            return self._body(app(environ, self.start), environ)
        except Refused as why:
            if environ.get("wsgi.input_terminated"):  # elsewhere who reads too much waits forever
                drain(environ, self._gate.drain)
            refusal = self._refuse(why)
            environ[REFUSED] = self.decision.reason_to_keep(why)
            return refusal

    def _refuse(self, why: Refused) -> list[bytes]:
        # If the application has started already, the server says whether it is too late.
        started = sys.exc_info() if self.started else None
        return _send(self._gate.refuse(self.decision, why), self._start_response, started)

    def start(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """What the application calls in place of the server's `start_response`."""
        self.started = True
        self._headers = headers
        gate = self._gate
        if self._decision is None and status[:3] != "401" and gate.legacy is None:
            for name, _ in headers:
                if name.lower() in MERGED:
                    break
            else:
                return self._start_response(status, [*headers, *gate.vary_private], exc_info)
        code = int(status[:3])
        answer = replacement(gate, self.decision, code, headers)
        if answer is not None:
            self._replacement = _send(answer, self._start_response, exc_info)
            return self._replacement.__contains__  # a `write` that writes nothing
        self._replacement = None
        return self._start_response(status, dress(gate, self.decision, code, headers), exc_info)

    def _body(self, chunks: Iterable[bytes], environ: WSGIEnvironment) -> Iterable[bytes]:
        """Return what to send; a generator is run until it has called `start`."""
        if self._replacement is None and type(chunks) is list:
            return chunks
        resumed = chunks if self.started else _Resumed(chunks, lambda: self.started)
        if self._replacement is not None:
            close(resumed)
            return self._replacement
        # With any others, code of the application runs while they are sent.
        at_once = isinstance(resumed, list | tuple) or _is_file(resumed, environ)
        if at_once:
            return resumed
        every = self._gate.recheck if self.decision.session is not None else None
        return Stream(resumed, self._headers, again=self._again, every=every, refuse=self._refuse)


def _is_file(chunks: object, environ: WSGIEnvironment) -> bool:
    """Whether the server sends this by itself: no code of the application runs then."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(chunks, wrapper)


class _Resumed:
    """Chunks, the first of them already taken, with the `close` that PEP 3333 asks for."""

    def __init__(self, chunks: Iterable[bytes], enough: Callable[[], bool]) -> None:
        self._chunks = chunks
        rest = iter(chunks)
        taken: list[bytes] = []
        try:
            # No condition in the `while`: see the jump back in CPython 3.13.0
            # (docs/reference/client.md).
            while True:
                if enough():
                    break
                taken.append(next(rest))
        except StopIteration:
            pass
        except BaseException:  # PEP 3333 asks for `close` whatever ended it, an interrupt too
            self.close()
            raise
        self._all = chain(taken, rest)

    def __iter__(self) -> Iterator[bytes]:
        return self._all

    def close(self) -> None:
        close(self._chunks)
