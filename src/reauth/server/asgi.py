"""The gate around an ASGI application: HTTP, and WebSocket.

>>> import reauth
>>> from reauth.server.asgi import SessionGate
>>> async def application(scope, receive, send):
...     body = b"Hello, " + scope["reauth.session"].encode()
...     await send({"type": "http.response.start", "status": 200, "headers": []})
...     await send({"type": "http.response.body", "body": body})
>>> async def verify(token):
...     if token == "an old one":
...         raise reauth.Refused("session_expired")
...     return {"t1": "Ada"}.get(token)
>>> guarded = SessionGate(application, verify, realm="orders", public=["/health"])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any, TypeAlias, Unpack

from reauth.server.facts import Request
from reauth.server.gate import Answer, Decision, Gate, Refused, Words
from reauth.server.responses import MERGED, dress, due, replacement
from reauth.server.verifiers import AsyncVerifier, Verifier, ask_async, unblocking

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
_OPEN = {"websocket.accept", "websocket.send"}  # after one of these a WebSocket can be closed


class SessionGate:
    """Lets a request through to `app` if `verify` admits its session; takes the words of `Gate`.

    `verify` may be a coroutine function. A plain one runs in a thread, for it may wait, unless it
    has an attribute `blocking = False`.

    The application finds the session in `scope["reauth.session"]`. On a public page it may be None,
    and `scope["reauth.refused"]` then holds the `Refused` that says why. `app` may raise `Refused`
    too, before it responds, and at any time while a WebSocket is open.

    A WebSocket handshake is refused with the 401 and its challenge. A browser shows its script
    nothing of that, so one of this origin is accepted, and at once closed with code 3000
    ("Unauthorized") and the error code as the reason.
    """

    def __init__(
        self, app: Application, verify: Verifier | AsyncVerifier, **words: Unpack[Words]
    ) -> None:
        self.app = app
        self.verify = verify
        self._unblocking = unblocking(verify)
        self.gate = Gate(**words)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        claim = self.gate.claim(request(scope))
        decision = self.gate.decide(claim, await ask_async(self._unblocking, claim.token))
        if decision.answer is not None:
            return await _refuse(decision.answer, scope, send)
        response = _Response(self.gate, decision, send)
        try:
            await self.app(self.admitted(scope, decision), receive, response.send)
        except Refused as why:
            answer = self.gate.refuse(decision, why)
            if response.last is None:
                await _refuse(answer, scope, send)
            elif response.last in _OPEN:
                await _close(answer, send)
            else:
                raise

    def admitted(self, scope: Scope, decision: Decision) -> Scope:
        """Return the scope that the application gets."""
        return {
            **scope,
            "reauth.session": decision.session,
            "reauth.refused": decision.refused,
        }


def request(scope: Scope) -> Request:
    """Return the facts of a request; a WebSocket handshake is a GET."""
    headers = scope["headers"]

    def lines(name: str) -> list[str]:
        key = name.encode()
        return [value.decode("latin-1") for field, value in headers if field == key]

    sent = scope.get("raw_path") or b""
    return Request(scope.get("method", "GET"), _path(scope), lines, str(sent, "latin-1"))


def _path(scope: Scope) -> str:
    """The path below the mount: some servers and routers put `root_path` before it, some do not."""
    path: str = scope["path"]
    mount: str = scope.get("root_path", "").rstrip("/")
    return path[len(mount) :] if mount and f"{path}/".startswith(f"{mount}/") else path


class _Response:
    """The application's messages on their way out."""

    __slots__ = ("_decision", "_gate", "_replaced", "_send", "last")

    def __init__(self, gate: Gate, decision: Decision, send: Send) -> None:
        self._gate = gate
        self._decision = decision
        self._send = send
        self.last: str | None = None  # the type of the last message
        self._replaced = False

    async def send(self, message: Message) -> None:
        """What the application calls in place of the server's `send`."""
        self.last = message["type"]
        if self.last == "http.response.start":
            raw = [*message.get("headers", ())]
            added = self._added(message["status"], raw)
            if added is None:
                await self._start(message, raw)
                return
            message = {**message, "headers": raw + added}
        if not self._replaced:
            await self._send(message)

    def _added(self, status: int, raw: list[RawHeader]) -> list[RawHeader] | None:
        """What is simply added, which most responses need no decoding for; None for others."""
        gate, decision = self._gate, self._decision
        looked_at = gate.legacy is not None or decision.trouble
        if looked_at or not _MERGED.isdisjoint(dict(raw)):
            return None
        added = due(gate, decision, status)
        return None if added is None else _encoded_once(added)

    async def _start(self, message: Message, raw: list[RawHeader]) -> None:
        gate, decision, status = self._gate, self._decision, message["status"]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
        answer = replacement(gate, decision, status, headers)
        if answer is None:
            dressed = _encoded(dress(gate, decision, status, headers))
            await self._send({**message, "headers": dressed})
        else:
            self._replaced = True
            await _respond(answer, self._send)


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


_encoded_once = lru_cache(maxsize=64)(_encoded)  # what is added is much the same, and no secret
