"""The least that the ASGI gate can cost: its fast path as one function, with nothing around it.

It keeps what the gate promises of a common request: it looks at the path and the method, takes one
Authorization line of allowed characters, asks the verifier, copies the scope, adds Vary and
Cache-Control to a response that has neither (SPEC.md, S-29 and S-30), and knows what a later
`Refused` needs. For any other request it gives up. What the gate takes beyond that is structure.
"""

from __future__ import annotations

from typing import Any

from relogin.server.asgi import SessionGate
from relogin.server.decisions import REFUSED, SESSION, VERIFY
from relogin.server.responses import MERGED
from relogin.server.verdicts import Admitted

__all__ = ["inlined"]


class Passing:
    """What is known of one request while the application answers it."""

    ask: Any
    token: str
    receive_: Any
    send_: Any
    begun = ended = False
    last: Any = None

    async def again(self) -> Any:
        return await self.ask(self.token)

    async def receive(self) -> Any:
        self.begun = True
        message = await self.receive_()
        self.ended = not message.get("more_body")
        return message

    def send(self, message: Any) -> Any:
        kind = message["type"]
        if kind == "http.response.start":
            raw = message["headers"]
            if message["status"] in LOOKED_AT:
                raise NotImplementedError
            for name, _ in raw:
                if name not in NEUTRAL and name.lower() in TO_MERGE:
                    raise NotImplementedError
            message = {**message}
            message["headers"] = raw + PRIVATE
        elif kind != "http.response.body":
            raise NotImplementedError
        self.last = message
        send = self.send_
        return send(message)


LOOKED_AT = frozenset({401, 500})
TO_MERGE = frozenset(name.encode() for name in MERGED)
PRIVATE = [(b"vary", b"Authorization"), (b"cache-control", b"private")]
NEUTRAL = frozenset({b"content-type", b"content-length"})
SPECIAL_OUTCOMES = (Admitted, Exception)


def inlined(app: Any, verify: Any, **options: Any) -> Any:
    """Return the fast path of this gate around an application."""
    gate = SessionGate(app, verify, **options).gate
    starts, exactly = gate.open.beginnings
    match = gate.schemes[0].usual

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if (
            scope["type"] != "http"
            or scope["root_path"]
            or scope["method"] == "OPTIONS"
            or path in exactly
            or path.startswith(starts)
        ):
            raise NotImplementedError
        line = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                if line is not None:
                    raise NotImplementedError
                line = value
        found = match(line.decode("latin-1")) if line is not None else None
        if found is None:
            raise NotImplementedError
        token = found[1]
        session = await verify(token)
        if session is None or session is False or isinstance(session, SPECIAL_OUTCOMES):
            raise NotImplementedError
        passing = Passing()
        passing.ask = verify
        passing.token = token
        passing.receive_ = receive
        passing.send_ = send
        inner = {**scope}
        inner[SESSION] = session
        inner[REFUSED] = None
        inner[VERIFY] = passing.again
        try:
            await app(inner, passing.receive, passing.send)
        except Exception:
            if passing.last is None:
                raise NotImplementedError from None
            raise

    return serve
