"""The gate around an ASGI application: HTTP, and WebSocket.

>>> import relogin
>>> from relogin.server.asgi import SessionGate
>>> async def application(scope, receive, send):
...     body = b"Hello, " + scope["relogin.session"].encode()
...     await send({"type": "http.response.start", "status": 200, "headers": []})
...     await send({"type": "http.response.body", "body": body})
>>> async def verify(token):
...     if token == "an old one":
...         raise relogin.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> guarded = SessionGate(application, verify, realm="orders", public=["/health"])
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, Unpack

from relogin.server.drain import drain_async
from relogin.server.facts import Request
from relogin.server.gate import Answer, Decision, Gate, Usual, is_session
from relogin.server.responses import MERGED, additions, dress, replacement
from relogin.server.verdicts import Refused
from relogin.server.verifiers import (
    AsyncVerifier,
    Verifier,
    ask_async,
    unblocking,
    wants_request,
)
from relogin.server.words import Words

__all__ = ["SessionGate"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
RawHeader: TypeAlias = tuple[bytes, bytes]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

# Close codes (RFC 6455 §7.4 and IANA's registry).
UNAUTHORIZED = 3000
FORBIDDEN = 3003
TRY_AGAIN_LATER = 1013
_CLOSE_CODES = {401: UNAUTHORIZED, 403: FORBIDDEN, 503: TRY_AGAIN_LATER}
_MERGED = frozenset(name.encode() for name in MERGED)
_STARTS = {"http.response.start", "websocket.http.response.start"}
_OPEN = {"websocket.accept", "websocket.send"}  # after one of these a WebSocket can be closed


class SessionGate:
    """Lets a request through to `app` if `verify` admits its session; takes the words of `Gate`.

    `verify` may be a coroutine function. A plain one runs in a thread, for it may wait, unless it
    has an attribute `blocking = False`.

    The application finds the session in `scope["relogin.session"]`. On a public page it may be
    None, and `scope["relogin.refused"]` then holds the `Refused` that says why. `app` may raise
    `Refused` too, before it responds, and at any time while a WebSocket is open.

    A WebSocket handshake is refused with the 401 and its challenge. A browser shows its script
    nothing of that, so one of this origin is accepted, and at once closed with code 3000
    ("Unauthorized") and the error code as the reason.
    """

    def __init__(
        self, app: Application, verify: Verifier | AsyncVerifier, **words: Unpack[Words]
    ) -> None:
        self.app = app
        self.verify = verify
        self._with_request = wants_request(verify)
        self._unblocking = unblocking(verify)
        self.gate: Gate = Gate.of(words)
        self.private: list[tuple[bytes, bytes]] = _encoded(self.gate.vary_private)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        usual = self._usual(scope)
        outcome = None if usual is None else await ask_async(self._unblocking, usual[1])
        if usual is not None and is_session(outcome):
            response = _Response(self, send, partial(self._settled, scope, usual, outcome))
            scope = self.admitted(scope, outcome, None)
        else:
            decision = await self._decision(scope, usual, outcome)
            if decision.answer is not None:
                return await self._answer(decision.answer, scope, receive, send)
            response = _Response(self, send, lambda: decision, decision)
            leaving = decision.claim.logout and decision.died
            scope = self.admitted(scope, decision.session, decision.refused, leaving=leaving)
        try:
            await self.app(scope, receive, response.send)
        except Refused as why:
            if why is response.answered:
                return None
            answer = self.gate.refuse(response.decision, why)
            if response.last is None:
                await _refuse(answer, scope, send)
            elif response.last in _OPEN:
                await _close(answer, send)
            else:
                raise

    async def _answer(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        whole = scope["type"] != "http" or await drain_async(scope, receive, self.gate.drain)
        # HTTP/2 has no such field: there the stream alone is reset (RFC 9113 §8.2.2).
        if not whole and scope.get("http_version", "1.1").startswith("1"):
            answer = replace(answer, headers=[*answer.headers, ("Connection", "close")])
        await _refuse(answer, scope, send)

    def _usual(self, scope: Scope) -> Usual | None:
        line = None
        if self._with_request:
            return None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if line is not None:
                    return None
                line = value
        if line is None:
            return None
        return self.gate.usual(scope.get("method", "GET"), _path(scope), str(line, "latin-1"))

    def _settled(self, scope: Scope, usual: Usual, session: object) -> Decision:
        return self.gate.usual_decision(request(scope), usual, session)

    async def _decision(self, scope: Scope, usual: Usual | None, outcome: object) -> Decision:
        claim = self.gate.claim(request(scope))
        if usual is None:
            more = (claim.request,) if self._with_request else ()
            outcome = await ask_async(self._unblocking, claim.token, *more)
        return self.gate.decide(claim, outcome)

    def admitted(
        self,
        scope: Scope,
        session: object,
        refused: Refused | None,
        *,
        leaving: bool = False,  # noqa: ARG002
    ) -> Scope:
        """Return the scope that the application gets; `leaving` one logs out of a dead session."""
        return {**scope, "relogin.session": session, "relogin.refused": refused}


def request(scope: Scope) -> Request:
    """Return the facts of a request; a WebSocket handshake is a GET."""
    headers = scope["headers"]

    def lines(name: str) -> list[str]:
        key = name.encode()
        return [value.decode("latin-1") for field, value in headers if field == key]

    sent = scope.get("raw_path") or b""
    method, mount = scope.get("method", "GET"), scope.get("root_path", "")
    return Request(method, _path(scope), lines, str(sent, "latin-1"), mount, scope)


def _path(scope: Scope) -> str:
    """The path below the mount: some servers and routers put `root_path` before it, some do not."""
    path: str = scope["path"]
    mount: str = scope.get("root_path", "")
    if not mount:
        return path
    mount = mount.rstrip("/")
    return path[len(mount) :] if f"{path}/".startswith(f"{mount}/") else path


class _Response:
    """The application's messages on their way out."""

    __slots__ = ("_decide", "_decision", "_guard", "_replaced", "_send", "answered", "last")

    def __init__(
        self,
        guard: SessionGate,
        send: Send,
        decide: Callable[[], Decision],
        decision: Decision | None = None,
    ) -> None:
        self._guard = guard
        self._send = send
        self._decide = decide
        self._decision = decision
        self._replaced = False
        self.last: str | None = None  # the type of the last message
        self.answered: Refused | None = None

    @property
    def decision(self) -> Decision:
        """The decision, made for a request like most only where it makes a difference."""
        if self._decision is None:
            self._decision = self._decide()
        return self._decision

    def send(self, message: Message) -> Awaitable[None]:
        """What the application calls in place of the server's `send`."""
        self.last = message["type"]
        if self.last in _STARTS:
            status = message["status"]
            if status == 500 and isinstance(why := sys.exception(), Refused):
                # A layer inside, such as a mounted application, takes it for a failure of its own.
                self.answered = why
                return self._replace(message, self._guard.gate.refuse(self.decision, why))
            raw = [*message.get("headers", ())]
            added = self._additions(status, raw)
            if added is None:
                return self._start(message, raw)
            message = {**message, "headers": raw + added}
        return _nothing() if self._replaced else self._send(message)

    def _additions(self, status: int, raw: list[RawHeader]) -> list[RawHeader] | None:
        """What is simply added; for most responses nothing is decoded, and nothing decided."""
        guard, decision = self._guard, self._decision
        if decision is not None:
            names = [name.decode("latin-1") for name, _ in raw]
            added = additions(guard.gate, decision, status, names)
            return None if added is None else _encoded(added)
        if status != 401 and guard.gate.legacy is None and _MERGED.isdisjoint(dict(raw)):
            return guard.private
        return None

    async def _start(self, message: Message, raw: list[RawHeader]) -> None:
        gate, decision, status = self._guard.gate, self.decision, message["status"]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
        answer = replacement(gate, decision, status, headers)
        if answer is None:
            dressed = _encoded(dress(gate, decision, status, headers))
            await self._send({**message, "headers": dressed})
        else:
            await self._replace(message, answer)

    def _replace(self, message: Message, answer: Answer) -> Awaitable[None]:
        self._replaced = True
        return _respond(answer, self._send, message["type"].removesuffix(".start"))


async def _refuse(answer: Answer, scope: Scope, send: Send) -> None:
    if scope["type"] == "http":
        await _respond(answer, send)
    elif _is_own_page(request(scope)):
        await send({"type": "websocket.accept"})
        await _close(answer, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await _respond(answer, send, "websocket.http.response")
    else:
        await send({"type": "websocket.close"})  # before it was accepted: a 403 is all there is


async def _close(answer: Answer, send: Send) -> None:
    code, reason = _CLOSE_CODES[answer.status], str(answer.error or "")
    await send({"type": "websocket.close", "code": code, "reason": reason})


def _is_own_page(handshake: Request) -> bool:
    """Whether a page of this origin asks: a foreign one must not learn if there is a session."""
    hosts = [host.lower() for host in handshake.lines("host")]
    origins = [origin.partition("://")[2].lower() for origin in handshake.lines("origin")]
    return len(origins) == 1 and origins == hosts


async def _respond(answer: Answer, send: Send, kind: str = "http.response") -> None:
    headers = _encoded(answer.headers)
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": answer.body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[RawHeader]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _nothing() -> None:
    """Send nothing."""
