"""Requests to a gate, without a framework, and what it says to them."""

from collections.abc import Sequence

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
