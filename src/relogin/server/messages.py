"""The messages of an ASGI application on their way out through the gate."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from relogin.server.decisions import Decision
from relogin.server.gate import Answer, Gate
from relogin.server.responses import MERGED, additions, dress, replacement
from relogin.server.streams import is_event_stream, note_end
from relogin.server.verdicts import Refused

__all__ = ["RAW_MERGED", "Message", "RawHeader", "Response", "Send", "close", "encoded", "respond"]

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
RawHeader: TypeAlias = tuple[bytes, bytes]

# Close codes (RFC 6455 §7.4 and IANA's registry).
UNAUTHORIZED = 3000
FORBIDDEN = 3003
TRY_AGAIN_LATER = 1013
_CLOSE_CODES = {401: UNAUTHORIZED, 403: FORBIDDEN, 503: TRY_AGAIN_LATER}
RAW_MERGED = frozenset(name.encode() for name in MERGED)
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
_OPEN = frozenset({"websocket.accept", "websocket.send"})  # after these it can be closed
_GOES_ON = _STARTS | _OPEN
# What is sent beside a response, and before it: it begins none.
_BESIDE = frozenset({"http.response.debug", "http.response.early_hint", "http.response.push"})


class Response:
    """What an application sends: one response, or what goes over a WebSocket."""

    __slots__ = (
        "_decide",
        "_decision",
        "_gate",
        "_headers",
        "is_dropped",
        "last",
        "to_server",
    )

    def __init__(
        self,
        gate: Gate,
        send: Send,
        decide: Callable[[], Decision],
        *,
        start: Message | None = None,
        last: Message | None = None,
    ) -> None:
        self._gate = gate
        self.to_server: Send = send
        self._decide = decide
        self._decision: Decision | None = None
        self.is_dropped: bool = False
        self._headers: list[RawHeader] = [] if start is None else start["headers"]
        self.last = last

    @property
    def decision(self) -> Decision:
        """The decision, made for a request like most only where it makes a difference."""
        if self._decision is None:
            self._decision = self._decide()
        return self._decision

    @property
    def goes_on(self) -> bool:
        """Whether a response has begun and not ended, or a WebSocket is open."""
        if self.last is None or self.is_dropped:
            return False
        return self.last["type"] in _GOES_ON or bool(self.last.get("more_body"))

    def send(self, message: Message) -> Awaitable[None]:
        """What the application calls in place of the server's `send`."""
        if self.is_dropped:
            return _nothing()
        if message["type"] in _STARTS:
            status = message["status"]
            if status == 500 and isinstance(why := sys.exception(), Refused):
                # A layer inside, such as a mounted application, takes it for a failure of its own.
                if self.goes_on:
                    return self.end(why)
                return self._replace(message, self._gate.refuse(self.decision, why))
            self.last = message
            raw = self._headers = [*(message.get("headers") or ())]
            names = [name.decode("latin-1").lower() for name, _ in raw]
            added = additions(self._gate, self.decision, status, names)
            if added is None:
                return self._start(message, raw)
            message = {**message, "headers": raw + encoded(added)}
        elif message["type"] not in _BESIDE:
            self.last = message
        return self.to_server(message)

    async def _start(self, message: Message, raw: list[RawHeader]) -> None:
        gate, decision, status = self._gate, self.decision, message["status"]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
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
        """End what goes on: a WebSocket by its code, an event stream at once, others cut off.

        A server closes the connection of a response that is not whole, so no client takes it for
        one.
        """
        last = self.last
        self.is_dropped = True
        note_end(why)
        if last is not None and last["type"] in _OPEN:
            await close(self._gate.refuse(self.decision, why), self.to_server)
        elif is_event_stream(_decoded(self._headers)):
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


def encoded(headers: Iterable[tuple[str, str]]) -> list[RawHeader]:
    """Return headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _decoded(headers: Iterable[RawHeader]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


async def _nothing() -> None:
    """Send nothing."""
