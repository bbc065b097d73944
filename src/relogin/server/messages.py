"""The messages between an ASGI application and its server, on their way through the gate."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from relogin.server.decisions import Decision, living
from relogin.server.drain import Receive, drain_async, goes_on
from relogin.server.facts import Presented
from relogin.server.fields import RawHeader, encoded
from relogin.server.gate import Answer, Gate
from relogin.server.options import Bounds
from relogin.server.responses import MERGED, additions, dress, replacement
from relogin.server.scopes import Scope, request
from relogin.server.streams import is_event_stream, note_end
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
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
_OPEN = frozenset({"websocket.accept", "websocket.send"})  # after these it can be closed
_GOES_ON = _STARTS | _OPEN
# Messages beside or before a response: they do not begin it.
_BESIDE = frozenset({"http.response.debug", "http.response.early_hint", "http.response.push"})


class Exchange:
    """What an application reads and sends for a request that was let through, or over a WebSocket.

    `found` are the credentials; `ask` judges their token. `added` are the fields that a common
    response gets; without them, the `decision` says which.
    """

    __slots__ = (
        *("_added", "_ask", "_begun", "_decision", "_found", "_gate", "_read", "_start"),
        *("_verified", "from_server", "is_dropped", "last", "scope", "to_server"),
    )

    def __init__(
        self,
        gate: Gate,
        ask: Callable[[str], Any],
        scope: Scope,
        receive: Receive,
        send: Send,
        found: Presented,
        verified: object,
        added: list[RawHeader] | None,
        decision: Decision | None = None,
    ) -> None:
        self._gate = gate
        self._ask = ask
        self.scope: Scope = scope
        self.from_server: Receive = receive
        self.to_server: Send = send
        self._found = found
        self._verified = verified
        self._added = added
        self._decision = decision
        self._begun = self._read = False
        self.is_dropped: bool = False
        self._start: Message | None = None
        self.last: Message | None = None

    @property
    def decision(self) -> Decision:
        """The decision; for a common request it is made only when needed."""
        if self._decision is None:
            asked = request(self.scope)
            self._decision = self._gate.usual_decision(asked, self._found, self._verified)
        return self._decision

    async def again(self) -> Any:
        """Ask the verifier once more; given to the application."""
        token = self._found[2]
        if token is None:
            raise Refused
        return living(await ask_async(self._ask, token))

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

    async def drain(self, bounds: Bounds | None) -> bool:
        """Read and drop what the application has left; `False` where some of it is left unread."""
        return self._read or await drain_async(
            self.scope, self.from_server, bounds, begun=self._begun
        )

    def send(self, message: Message) -> Awaitable[None]:
        """What the application calls in place of the server's `send`."""
        if self.is_dropped:
            return _nothing()
        kind = message["type"]
        if kind in _STARTS:
            return self._begin(message)
        if kind not in _BESIDE:
            self.last = message
        return self.to_server(message)

    def _begin(self, message: Message) -> Awaitable[None]:
        # Sanic gives a generator, which can be read but once.
        raw: list[RawHeader] = [*(message.get("headers") or ())]
        if self._added is None or message["status"] in self._gate.statuses_looked_at:
            return self._begin_at_length(message, raw)
        for name, _ in raw:
            if name.lower() in _MERGED:  # Django writes Set-Cookie so
                return self._begin_at_length(message, raw)
        self._start = self.last = begun = {**message}
        begun["headers"] = raw + self._added
        return self.to_server(begun)

    def _begin_at_length(self, message: Message, raw: list[RawHeader]) -> Awaitable[None]:
        status = message["status"]
        if status == 500 and isinstance(why := sys.exception(), Refused):
            # A layer inside, such as a mounted application, takes it for a failure of its own.
            if self.goes_on:
                return self.end(why)
            return self._replace(message, self._gate.refuse(self.decision, why))
        self._start = self.last = {**message, "headers": raw}
        added = additions(
            self._gate, self.decision, status, [name.lower() for name, _ in _decoded(raw)]
        )
        if added is None:
            return self._dress(message, raw)
        return self.to_server({**message, "headers": raw + encoded(added)})

    async def _dress(self, message: Message, raw: list[RawHeader]) -> None:
        gate, decision, status = self._gate, self.decision, message["status"]
        headers = _decoded(raw)
        answer = replacement(gate, decision, status, headers)
        if answer is None:
            dressed = encoded(dress(gate, decision, status, headers))
            await self.to_server({**message, "headers": dressed})
        else:
            await self._replace(message, answer)

    def _replace(self, message: Message, answer: Answer) -> Awaitable[None]:
        self.is_dropped = True
        return respond(answer, self.to_server, message["type"].removesuffix(".start"))

    async def end(self, why: Refused) -> None:
        """Close a WebSocket with a code, end an event stream, and cut off any other response.

        A server closes the connection of an incomplete response, so no client takes it for a whole
        one.
        """
        last, start = self.last, self._start
        self.is_dropped = True
        note_end(why)
        if last is not None and last["type"] in _OPEN:
            await close(self._gate.refuse(self.decision, why), self.to_server)
        elif start is not None and is_event_stream(_decoded(start["headers"])):
            await self.to_server({"type": "http.response.body", "body": b""})


async def close(answer: Answer, send: Send) -> None:
    """Close a WebSocket with the code and the reason of an answer."""
    code, reason = _CLOSE_CODES[answer.status], str(answer.error or "")
    await send({"type": "websocket.close", "code": code, "reason": reason})


async def respond(answer: Answer, send: Send, kind: str = "http.response") -> None:
    """Send a whole answer."""
    headers = encoded(answer.headers)
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": answer.body})


def _decoded(headers: Iterable[RawHeader]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def _nothing() -> None:
    """Send nothing."""
