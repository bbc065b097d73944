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

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias, Unpack

from relogin.server.decisions import living
from relogin.server.drain import Content, drain_async, reading_on
from relogin.server.facts import Request
from relogin.server.gate import Answer, Decision, Gate, Usual, is_session
from relogin.server.loops import cancellable, sleep
from relogin.server.messages import (
    RAW_MERGED,
    Message,
    RawHeader,
    Response,
    Send,
    close,
    encoded,
    respond,
)
from relogin.server.short import short_way
from relogin.server.streams import astill
from relogin.server.verdicts import Refused, refusal_in
from relogin.server.verifiers import (
    AsyncVerifier,
    Verifier,
    ask_async,
    judged,
    unblocking,
    wants_request,
)
from relogin.server.words import Words

__all__ = ["SessionGate"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Again: TypeAlias = Callable[[], Awaitable[Any]]

_LOOKED_AT = frozenset({401, 500})  # what an application may mean by these is decided at length


def _plainly(message: Message) -> Iterable[RawHeader] | None:
    """Return the headers of a response to which a gate only adds; None for any other message."""
    if message["type"] != "http.response.start" or message["status"] in _LOOKED_AT:
        return None
    raw: Iterable[RawHeader] = message.get("headers") or ()
    if not isinstance(raw, list | tuple):
        return None  # Sanic gives a generator: who reads it twice loses the headers
    for name, _ in raw:
        if name in RAW_MERGED:
            return None
    return raw


class SessionGate:
    """Lets a request through to `app` if `verify` admits its session; takes the options of `Gate`.

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
        self, app: Application, verify: Verifier | AsyncVerifier, **words: Unpack[Words]
    ) -> None:
        self.app = app
        self.verify = verify
        self._with_request = wants_request(verify)
        self._unblocking: Callable[..., Any] = unblocking(verify)
        self.gate: Gate = Gate.of(words)
        self._private = encoded(self.gate.vary_private)
        self._short = short_way(self.gate, with_request=self._with_request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        usual = self._short(scope) if scope["type"] == "http" else None
        if usual is None:
            await self._with_care(scope, receive, send)
            return
        try:
            session = self._unblocking(usual[1])
            if hasattr(session, "__await__"):
                session = await session
        except Exception as raised:  # noqa: BLE001  as `ask_async` has it
            session = judged(raised)
        if is_session(session):
            await self._shortly(scope, receive, send, usual, session)
        else:
            await self._at_length(scope, receive, send, session or False)

    async def _with_care(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            await self._at_length(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _shortly(
        self, scope: Scope, receive: Receive, send: Send, usual: Usual, session: object
    ) -> None:
        """Have the application answer a request like most: nothing is made that it does not need.

        It comes to what `_at_length` comes to.
        """
        start: Message | None = None
        last: Message | None = None
        response: Response | None = None

        def sending(message: Message) -> Awaitable[None]:
            nonlocal start, last, response
            if response is None:
                raw = _plainly(message) if start is None else None
                if raw is not None:
                    start = message = {**message, "headers": [*raw, *self._private]}
                elif start is None or message["type"] == "http.response.start":
                    # Once more: the application has failed in between.
                    response = self._lengthy(scope, send, usual, session, start, last)
            if response is not None:
                return response.send(message)
            last = message
            return send(message)

        def again() -> Awaitable[Any]:
            return self._again(usual[1])

        content = None if scope.get("method", "GET") == "GET" else Content(receive)
        try:
            await self.app(
                self.admitted(scope, session, None, again),
                receive if content is None else content.receive,
                sending,
            )
        except Exception as raised:  # a framework may have wrapped a `Refused` in its own
            response = response or self._lengthy(scope, send, usual, session, start, last)
            if not await self._answered(raised, response, scope, receive, content):
                raise

    def _lengthy(
        self, scope: Scope, send: Send, usual: Usual, session: object, *sent: Message | None
    ) -> Response:
        """Return what a response that is not like most goes through, after what was `sent`."""

        def decide() -> Decision:
            return self.gate.usual_decision(request(scope), usual, session)

        start, last = sent or (None, None)
        return Response(self.gate, send, decide, start=start, last=last)

    async def _at_length(
        self, scope: Scope, receive: Receive, send: Send, outcome: object = None
    ) -> None:
        claim = self.gate.claim(request(scope))
        more = (claim.request,) if self._with_request else ()
        if outcome is None:
            outcome = await ask_async(self._unblocking, claim.token, *more)
        decision = self.gate.decide(claim, outcome)
        if decision.answer is not None:
            whole = scope["type"] != "http" or await drain_async(scope, receive, self.gate.drain)
            answer = _closing(decision.answer, scope, whole=whole)
            return await _refuse(answer, scope, self._unread(receive, whole=whole), send)
        again = partial(self._again, claim.token, *more)
        leaving = claim.logout and decision.died
        admitted = self.admitted(scope, decision.session, decision.refused, again, leaving=leaving)
        response = Response(self.gate, send, lambda: decision)
        content = Content(receive)
        try:
            await self._run(admitted, content.receive, response, again)
        except Exception as raised:  # a framework may have wrapped a `Refused` in its own
            if not await self._answered(raised, response, scope, receive, content):
                raise

    async def _run(self, scope: Scope, receive: Receive, response: Response, again: Again) -> None:
        """Run the application, and ask for its session again while it goes on."""
        every = self.gate.recheck
        if every is None or scope["relogin.session"] is None:
            await self.app(scope, receive, response.send)
            return
        dead: list[Refused] = []

        async def watch() -> None:
            while not dead:
                await sleep(every)
                if response.goes_on:
                    try:
                        await astill(again)
                    except Refused as why:
                        dead.append(why)
                        await response.end(why)

        async with cancellable() as start:
            start(watch)
            await self.app(scope, receive, response.send)

    async def _answered(
        self,
        raised: Exception,
        response: Response,
        scope: Scope,
        receive: Receive,
        content: Content | None,
    ) -> bool:
        """Answer for an application that has raised `Refused`; `False` for any other failure."""
        why = refusal_in(raised, wrapped=response.goes_on)
        if why is None:
            return False
        if response.is_dropped:
            return True
        if response.goes_on:
            await response.end(why)
            return True
        if response.last is not None:
            return False  # after the response: nobody is there to be told
        answer = self.gate.refuse(response.decision, why)
        whole = content is None or await content.drain(scope, self.gate.drain)
        answer = _closing(answer, scope, whole=whole)
        await _refuse(answer, scope, self._unread(receive, whole=whole), response.to_server)
        return True

    def _unread(self, receive: Receive, *, whole: bool) -> Receive | None:
        """Return what some of the content may be left in, or None if it is read to its end."""
        return None if whole and self.gate.drain is not None else receive

    async def _again(self, token: str | None, *more: Request) -> Any:
        """Ask the verifier once more; given to the application."""
        if token is None:
            raise Refused
        return living(await ask_async(self._unblocking, token, *more))

    def admitted(
        self,
        scope: Scope,
        session: object,
        refused: Refused | None,
        again: Again,
        *,
        leaving: bool = False,  # noqa: ARG002
    ) -> Scope:
        """Return the scope that the application gets; `leaving` one logs out of a dead session."""
        inner = dict(scope)
        inner["relogin.session"] = session
        inner["relogin.refused"] = refused
        inner["relogin.verify"] = again
        return inner


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


def _closing(answer: Answer, scope: Scope, *, whole: bool) -> Answer:
    """Have the connection closed where content is left unread."""
    # HTTP/2 has no such field: there the stream alone is reset (RFC 9113 §8.2.2).
    if whole or not scope.get("http_version", "1.1").startswith("1"):
        return answer
    return replace(answer, headers=[*answer.headers, ("Connection", "close")])


async def _refuse(answer: Answer, scope: Scope, unread: Receive | None, send: Send) -> None:
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
