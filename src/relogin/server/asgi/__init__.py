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

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, Unpack

from relogin.server.asgi.fast_path import fast_path
from relogin.server.asgi.messages import Exchange, Receive, Send, close, respond
from relogin.server.asgi.scope import Scope, request
from relogin.server.credentials import Presented
from relogin.server.decisions import (
    REFUSED,
    SESSION,
    SPECIAL_OUTCOMES,
    VERIFY,
    Decision,
    lifetime,
)
from relogin.server.drain import reading_on
from relogin.server.event_loops import cancellable, sleep
from relogin.server.fields import RawHeader, encoded
from relogin.server.gate import Answer, Gate
from relogin.server.options import Options
from relogin.server.request import Request
from relogin.server.responses import lifetime_fields
from relogin.server.signatures import check_app, is_async
from relogin.server.streams import aensure_living
from relogin.server.verdicts import Admitted, Refused, refusal_in, without_frames
from relogin.server.verifiers import (
    AsyncVerifier,
    Verifier,
    ask_async,
    outcome_of,
    unblocking,
    wants_request,
)

__all__ = ["SessionGate"]

Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Any ASGI application: each framework has types of its own for `scope`, `receive` and `send`."""


class SessionGate:
    """Lets a request through to `app` if `verify` returns its session.

    `realm`, which names what it protects, is required; `public` lists the open paths. See
    `relogin.server.gate.Gate` for all options.

    `verify` may be a coroutine function. A plain one may block, so it runs in a thread, unless it
    has an attribute `blocking = False`.

    The application finds the session in `scope["relogin.session"]`. On a public page it may be
    None, and `scope["relogin.refused"]` then holds the `Refused` that says why. `app` may raise
    `Refused` too: before it responds, during a response, and while a WebSocket is open.
    `await scope["relogin.verify"]()` calls `verify` again; it returns the session, or raises
    `Refused`.

    A WebSocket handshake is refused with the 401 and its challenge. A browser shows its script
    nothing of that, so a handshake from this origin is accepted and closed at once, with code 3000
    ("Unauthorized") and the error code as the reason.
    """

    def __init__(
        self, app: Application, verify: Verifier | AsyncVerifier, **options: Unpack[Options]
    ) -> None:
        self.app = app
        self.verify = verify
        self._with_request = wants_request(verify)
        self._unblocking: Callable[..., Any] = unblocking(verify)
        self.gate: Gate = Gate.of(options)
        check_app(app, 2, "a WSGI", "wsgi")
        self._private = encoded(self.gate.vary_private)
        self._is_async = is_async(self._unblocking)
        self._fast_path = fast_path(self.gate)
        self._writes_to_scope = False  # the specification asks middleware for a copy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, or have the application answer it.

        Most requests take the fast path, which gives the same result as `_slow_path`.
        """
        app, read, ask = self.app, self._fast_path, self._unblocking
        exchange = Exchange()
        exchange.gate = self.gate
        exchange.scope = scope
        exchange.from_server = receive
        exchange.to_server = send
        found = read(scope) if scope["type"] == "http" else None
        if found is None:
            await self._slow_path(exchange)
            return
        try:
            if self._with_request:
                exchange.more = (request(scope),)
                verified = ask(found[2], *exchange.more)
            else:
                verified = ask(found[2])
            if self._is_async or hasattr(verified, "__await__"):
                verified = await verified
        except Exception as raised:  # noqa: BLE001  whatever a store raises is not a 401
            verified = outcome_of(raised)
        session = verified
        if isinstance(verified, SPECIAL_OUTCOMES):
            session = verified.session if isinstance(verified, Admitted) else None
        if session is None or session is False:
            await self._slow_path(exchange, False if verified is None else verified)
            return
        exchange.found = found
        exchange.ask = ask
        exchange.verified = verified
        exchange.added = self._private if session is verified else self._added(verified, found)
        inner = {**scope}
        if self._writes_to_scope:
            exchange.scope, exchange.shown, inner = inner, scope, scope
        inner[SESSION] = session
        inner[REFUSED] = None
        inner[VERIFY] = exchange.again
        try:
            await app(inner, exchange.receive, exchange.send)
        except Exception as raised:  # a framework may have wrapped a `Refused` in its own
            if not await self._answered(raised, exchange):
                raise
        finally:
            exchange.shown = None  # its scope holds the exchange

    def _added(self, verified: object, found: Presented) -> list[RawHeader]:
        """Return the fields to add to the response for a session that may say how long it lives."""
        left = lifetime(verified, found)
        if left is None:
            return self._private
        return encoded(lifetime_fields(self.gate.vary_alone, left))

    async def _slow_path(self, exchange: Exchange, outcome: object = None) -> None:
        scope = exchange.scope
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, exchange.from_server, exchange.to_server)
        claim = self.gate.claim(request(scope))
        if claim.ignored and SESSION in scope:  # a gate outside of this one has decided
            return await self.app(scope, exchange.from_server, exchange.to_server)
        if self._with_request:
            exchange.more = (claim.request,)
        if outcome is None:
            outcome = await ask_async(self._unblocking, claim.token, *exchange.more)
        decision = self.gate.decide(claim, outcome)
        if decision.answer is not None:
            self._show_outside(scope, decision)
            return await self._refuse(decision.answer, exchange)
        if decision.session is None:
            self.begin(scope, leaving=claim.logout and decision.died)
        exchange.found = claim.found
        exchange.ask = self._unblocking
        exchange.decided = decision
        inner: Scope = {**scope}
        if self._writes_to_scope:
            exchange.scope, exchange.shown, inner = inner, scope, scope
        inner[SESSION], inner[REFUSED] = decision.session, decision.refused
        inner[VERIFY] = exchange.again
        try:
            await self._run(inner, exchange)
        except Exception as raised:  # it may be a `Refused`, wrapped or in an exception group
            if not await self._answered(raised, exchange):
                raise
        finally:
            exchange.shown = None  # its scope holds the exchange

    def _show_outside(self, scope: Scope, decision: Decision) -> None:
        """Show middleware outside why a request is refused, if it shares the scope."""
        if self._writes_to_scope:
            scope[SESSION], scope[REFUSED] = decision.session, decision.refused

    def begin(self, scope: Scope, *, leaving: bool) -> None:
        """Prepare for an application that is asked without a session; `leaving` one logs out."""

    async def _run(self, scope: Scope, exchange: Exchange) -> None:
        """Run the application, and ask for its session again while it goes on."""
        every = self.gate.recheck
        if every is None or scope[SESSION] is None:
            await self.app(scope, exchange.receive, exchange.send)
            return
        dead: list[Refused] = []

        async def watch() -> None:
            while not dead:
                await sleep(every)
                if exchange.goes_on:
                    try:
                        await aensure_living(exchange.again)
                    except Refused as why:
                        dead.append(why)
                        await exchange.end(why)

        async with cancellable() as start:
            start(watch)
            await self.app(scope, exchange.receive, exchange.send)

    async def _answered(self, raised: Exception, exchange: Exchange) -> bool:
        """Answer for an application that has raised `Refused`; `False` for any other failure."""
        why = refusal_in(raised, wrapped=exchange.goes_on)
        if why is None:
            return False
        if exchange.is_dropped:
            without_frames(why)  # a layer that has shown it has raised it again
            return True
        if exchange.goes_on:
            await exchange.end(why)
            return True
        if exchange.last is not None:
            return False  # after the response: nobody is there to be told
        await self._refuse(exchange.refusal(why), exchange)
        return True

    async def _refuse(self, answer: Answer, exchange: Exchange) -> None:
        """Refuse a request when the rest of its content has been read."""
        scope, bounds = exchange.scope, self.gate.drain
        if scope["type"] == "websocket":
            await exchange.connect()
        whole = scope["type"] != "http" or await exchange.drain(bounds)
        unread = None if whole and bounds is not None else exchange.from_server
        await _send(_closing(answer, scope, whole=whole), scope, unread, exchange.to_server)


def _closing(answer: Answer, scope: Scope, *, whole: bool) -> Answer:
    """Ask the server to close the connection if content is left unread."""
    # HTTP/2 has no such field: there the stream alone is reset (RFC 9113 §8.2.2).
    if whole or not scope.get("http_version", "1.1").startswith("1"):
        return answer
    return answer._replace(headers=[*answer.headers, ("Connection", "close")])


async def _send(answer: Answer, scope: Scope, unread: Receive | None, send: Send) -> None:
    if scope["type"] == "http":
        async with reading_on(scope, unread):
            await respond(answer, send)
    elif _is_own_page(request(scope)):
        # A browser that has offered subprotocols fails a handshake that takes none of them.
        taken = [("subprotocol", one) for one in scope.get("subprotocols", ())[:1]]
        await send({"type": "websocket.accept", **dict(taken)})
        await close(answer, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await respond(answer, send, "websocket.http.response")
    else:
        await send({"type": "websocket.close"})  # before it was accepted: a 403 is all there is


def _is_own_page(handshake: Request) -> bool:
    """Whether a page of this origin asks: a foreign one must not learn if there is a session."""
    hosts = [host.lower() for host in handshake.lines("host")]
    origins = [origin.partition("://")[2].lower() for origin in handshake.lines("origin")]
    return len(origins) == 1 and origins == hosts
