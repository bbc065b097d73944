"""Requests to a gate, without a framework, and what it says to them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from relogin.server import asgi
from relogin.server.gate import Decision, Gate
from relogin.server.request import Request


def request(path: str = "/orders", method: str = "GET", **fields: Sequence[str] | str) -> Request:
    lines = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value
        for name, value in fields.items()
    }
    return Request(method, path, lambda name: lines.get(name, ()))


def decide(gate: Gate, asked: Request, outcome: object = None) -> Decision:
    return gate.decide(gate.claim(asked), outcome)


def challenge(decision: Decision) -> str:
    assert decision.answer is not None
    (line,) = (value for name, value in decision.answer.headers if name == "WWW-Authenticate")
    return line


GOOD = 'Session token="good"'
GATE = Gate("orders", cookie="sid", public=["/health"])
ORDERS: dict[str, Any] = {"realm": "orders", "cookie": "sid", "public": ["/"]}


def through_asgi(app: Any, field: str, verify: Any, **options: Any) -> list[Any]:
    """Ask an application behind an ASGI gate for `/`; return the messages that it sends."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    name = b"authorization" if field.startswith("Session") else b"cookie"
    headers = [(name, field.encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    gate: Any = asgi.SessionGate(app, verify, **ORDERS | options)
    asyncio.run(gate(scope, None, send))
    return sent
