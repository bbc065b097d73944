"""The ASGI gate under trio: verifiers that wait, clients that stall, streams that go on."""

import threading
from typing import Any

import pytest
import trio

import relogin
from relogin.server import asgi

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "headers": [(b"authorization", b'Session token="t1"')],
}


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["relogin.session"].encode()})


def run(gate: Any, receive: Any = None, **more: Any) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    trio.run(gate, {**SCOPE, **more}, receive, send)
    return sent


def test_a_plain_verifier_runs_in_a_thread() -> None:
    def verify(token: str) -> str:
        return threading.current_thread().name

    start, body = run(asgi.SessionGate(hello, verify, realm="a"))
    assert start["status"] == 200
    assert body["body"].decode() != threading.current_thread().name


def test_a_client_that_stalls_is_not_waited_for() -> None:
    async def receive() -> Any:
        await trio.sleep_forever()

    gate = asgi.SessionGate(hello, lambda _: None, realm="a", drain=(100, 0.05))
    start = run(gate, receive, method="POST")[0]
    assert (start["status"], dict(start["headers"])[b"connection"]) == (401, b"close")


ended: list[str] = []


async def verify(token: str) -> str:
    if ended:
        raise relogin.Refused("session_revoked")
    return "ada"


def test_a_stream_that_says_nothing_ends_with_its_session() -> None:
    ended.clear()
    cancelled: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kind = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        ended.append("t1")
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            cancelled.append(True)
            raise

    sent = run(asgi.SessionGate(app, verify, realm="a", recheck=0.02))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert cancelled == [True]


def test_a_response_that_ends_first_leaves_nothing_behind() -> None:
    ended.clear()
    sent = run(asgi.SessionGate(hello, verify, realm="a", recheck=30))
    assert sent[1]["body"] == b"ada"


def test_an_error_of_the_applications_own_is_raised_as_it_is() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("mine")

    ended.clear()
    with pytest.raises(LookupError, match="mine"):
        run(asgi.SessionGate(app, verify, realm="a", recheck=30))
