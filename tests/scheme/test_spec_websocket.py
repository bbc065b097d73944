"""SPEC.md §5.6: the answer to a refused WebSocket handshake, from the gate around ASGI."""

import asyncio
from typing import Any

import pytest

import relogin
from relogin.server.asgi import SessionGate


def verify(token: str) -> None:
    raise relogin.Refused("session_expired")


async def application(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the resource was reached")


def shake(**fields: str) -> list[dict[str, Any]]:
    """The messages that answer a handshake with these fields."""
    headers = {"host": "api.example.com", "authorization": 'Session token="old"'} | fields
    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "extensions": {"websocket.http.response": {}},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    gate = SessionGate(application, verify, realm="orders")
    asyncio.run(gate(scope, receive, send))
    return sent


@pytest.mark.requirement("S-28")
def test_a_program_is_answered_with_the_401_and_its_challenge() -> None:
    start, _ = shake()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    (challenge,) = relogin.parse(dict(start["headers"])[b"www-authenticate"].decode())
    assert challenge["error"] == "session_expired"


@pytest.mark.requirement("S-28")
def test_a_page_of_this_origin_is_told_the_reason_as_it_is_closed() -> None:
    accept, close = shake(origin="https://api.example.com")
    assert accept["type"] == "websocket.accept"
    assert (close["code"], close["reason"]) == (3000, "session_expired")


@pytest.mark.requirement("S-28")
def test_a_page_of_another_origin_is_not() -> None:
    start, _ = shake(origin="https://evil.example")
    assert start["type"] == "websocket.http.response.start"
