"""The messages between an ASGI application and its server, on their way through the gate."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from relogin.server.asgi.scope import Scope, request
from relogin.server.credentials import Presented
from relogin.server.decisions import REFUSED, Decision, living
from relogin.server.drain import Receive, drain_async, goes_on
from relogin.server.fields import RawHeader, encoded
from relogin.server.gate import Answer, Gate
from relogin.server.options import Bounds
from relogin.server.request import Request
from relogin.server.responses import MERGED, additions, dress, replacement
from relogin.server.streams import is_event_stream, log_end
from relogin.server.verdicts import Refused
from relogin.server.verifiers import ask_async

__all__ = ["Exchange", "Message", "RawHeader", "Receive", "Send", "close", "respond"]

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

# Close codes (RFC 6455 §7.4 and IANA's registry).
UNAUTHORIZED = 3000
FORBIDDEN = 3003
TRY_AGAIN_LATER = 1013
_CLOSE_CODES = {401: UNAUTHORIZED, 403: FORBIDDEN, 503: TRY_AGAIN_LATER}
_MERGED = frozenset(name.encode() for name in MERGED)
_NEUTRAL = frozenset({b"content-type", b"content-length"})  # most responses have no others
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
_OPEN = frozenset({"websocket.accept", "websocket.send"})  # after these it can be closed
_GOES_ON = _STARTS | _OPEN
# Messages beside or before a response: they do not begin it.
_BESIDE = frozenset({"http.response.debug", "http.response.early_hint", "http.response.push"})
# With these a framework closes a socket whose view has failed; Litestar has a code of its own.
_FAILED = frozenset({1011, 4500})


class Exchange:
    """What an application reads and sends for a request that was let through, or over a WebSocket.

    `found` are the credentials; `ask` judges their token, with `more` if it takes the request, and
    has `verified` it. `added` are the fields that a common response gets; without them, the
    `decision` says which.

    Whoever makes one sets its attributes: calling an `__init__` takes nearly twice as long.
    """

    gate: Gate
    ask: Callable[..., Any]
    scope: Scope
    from_server: Receive
    to_server: Send
    found: Presented
    verified: object
    more: tuple[Request, ...] = ()
    shown: Scope | None = None  # what middleware outside sees too
    added: list[RawHeader] | None = None
    decided: Decision | None = None
    is_dropped: bool = False
    last: Message | None = None
    _begun = _read = False
    _start: Message | None = None

    @property
    def decision(self) -> Decision:
        """The decision; for a common request it is made only when needed."""
        if self.decided is None:
            facts = request(self.scope)
            self.decided = self.gate.usual_decision(facts, self.found, self.verified)
        return self.decided

    def refusal(self, why: Refused) -> Answer:
        """Build the response for an application that raised `Refused`, and show why outside."""
        if self.shown is not None:
            self.shown[REFUSED] = self.decision.reason_to_keep(why)
        return self.gate.refuse(self.decision, why)

    async def again(self) -> Any:
        """Ask the verifier once more; given to the application."""
        token = self.found[2]
        if token is None:
            raise Refused
        return living(await ask_async(self.ask, token, *self.more))

    @property
    def goes_on(self) -> bool:
        """Whether a response has begun and not ended, or a WebSocket is open."""
        if self.last is None or self.is_dropped:
            return False
        return self.last["type"] in _GOES_ON or bool(self.last.get("more_body"))

    async def receive(self) -> Message:
        """What the application calls in place of the server's `receive`."""
        self._begun = True
        message = await self.from_server()
        self._read = self._read or not goes_on(message)
        return message

    async def connect(self) -> None:
        """Receive `websocket.connect`, unless the application has done so: a refusal answers it."""
        if not self._begun:
            await self.receive()

    async def drain(self, bounds: Bounds | None) -> bool:
        """Read and drop what the application has left; `False` where some of it is left unread."""
        return self._read or await drain_async(
            self.scope, self.from_server, bounds, begun=self._begun
        )

    def send(self, message: Message) -> Awaitable[None]:
        """What the application calls in place of the server's `send`."""
        kind = message["type"]
        if kind in _STARTS:
            raw: Any = message.get("headers")
            if type(raw) is not list:  # Sanic gives a generator, which can be read but once
                raw = [*(raw or ())]
            if self.added is None or message["status"] in self.gate.statuses_looked_at:
                return self._begin(message, raw)
            for name, _ in raw:
                if name not in _NEUTRAL and name.lower() in _MERGED:  # Django writes Set-Cookie so
                    return self._begin(message, raw)
            self._start = message = {**message}
            message["headers"] = raw + self.added
        elif kind != "http.response.body":  # of all messages, most are bodies
            if kind in _BESIDE:
                return self.to_server(message)
            if kind == "websocket.close" and (why := self._taken_for_failure(message)) is not None:
                if self.goes_on:
                    return self.end(why)
                raise why  # the handshake is refused as if the framework had not caught it
        self.last = message
        to_server = self.to_server  # `self.to_server(...)` would be looked up as a method first
        return to_server(message)

    def _taken_for_failure(self, closing: Message) -> Refused | None:
        """Return the `Refused` of a view that its framework takes for a failure of its own."""
        why = sys.exception()
        failed = closing.get("code") in _FAILED and not self.is_dropped
        return why if failed and isinstance(why, Refused) else None

    def _begin(self, message: Message, raw: list[RawHeader]) -> Awaitable[None]:
        if self.is_dropped:
            return self.to_server(message)
        status = message["status"]
        if status == 500 and isinstance(why := sys.exception(), Refused):
            # A layer inside, such as a mounted application, takes it for a failure of its own.
            if self.goes_on:
                return self.end(why)
            return self._replace(message, self.refusal(why))
        self._start = self.last = {**message, "headers": raw}
        names = [name.lower().decode("latin-1") for name, _ in raw]
        added = additions(self.gate, self.decision, status, names)
        if added is None:
            return self._dress(message, raw)
        return self.to_server({**message, "headers": raw + encoded(added)})

    async def _dress(self, message: Message, raw: list[RawHeader]) -> None:
        gate, decision, status = self.gate, self.decision, message["status"]
        headers = _decoded(raw)
        answer = replacement(gate, decision, status, headers)
        if answer is None:
            dressed = encoded(dress(gate, decision, status, headers))
            await self.to_server({**message, "headers": dressed})
        else:
            await self._replace(message, answer)

    def _replace(self, message: Message, answer: Answer) -> Awaitable[None]:
        return respond(answer, self._drop(), message["type"].removesuffix(".start"))

    def _drop(self) -> Send:
        """Let nothing through that the application still sends; return what sends to the server."""
        to_server, self.to_server, self.is_dropped = self.to_server, _nowhere, True
        return to_server

    async def end(self, why: Refused) -> None:
        """Close a WebSocket with a code, end an event stream, and cut off any other response.

        A server closes the connection of an incomplete response, so no client takes it for a whole
        one.
        """
        last, start, to_server = self.last, self._start, self._drop()
        log_end(why)
        if last is not None and last["type"] in _OPEN:
            await close(self.gate.refuse(self.decision, why), to_server)
        elif start is not None and is_event_stream(_decoded(start["headers"])):
            await to_server({"type": "http.response.body", "body": b""})


async def close(answer: Answer, send: Send) -> None:
    """Close a WebSocket with the code and the reason of a response."""
    code, reason = _CLOSE_CODES[answer.status], str(answer.error or "")
    await send({"type": "websocket.close", "code": code, "reason": reason})


async def respond(answer: Answer, send: Send, kind: str = "http.response") -> None:
    """Send a complete response."""
    headers = encoded(answer.headers)
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": answer.body})


def _decoded(headers: Iterable[RawHeader]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def _nowhere(_: Message) -> None:
    """Send nothing."""
