"""WebSockets under frameworks that catch what a view raises, and close the socket themselves."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, WebSocket, websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import relogin
from relogin.server.asgi import SessionGate
from tests.server.orders import averify
from tests.server.serving import serving_asgi


@websocket("/open")
async def ends_while_open(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    raise relogin.Refused("session_expired")


@websocket("/handshake")
async def refuses_the_handshake(socket: WebSocket[Any, Any, Any]) -> None:
    raise relogin.Refused("session_revoked")


@websocket("/broken")
async def breaks(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    raise ValueError


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = Litestar([ends_while_open, refuses_the_handshake, breaks], logging_config=None)
    with serving_asgi(SessionGate(app, averify, realm="orders")) as port:
        yield port


def closed(port: int, path: str, **fields: str) -> tuple[int, str]:
    """How the socket is closed."""
    fields["Authorization"] = 'Session token="good"'
    url = f"ws://127.0.0.1:{port}{path}"
    with (
        connect(url, additional_headers=fields, proxy=None, open_timeout=10) as socket,
        pytest.raises(ConnectionClosed) as caught,
    ):
        socket.recv(10)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def test_litestar_closes_with_the_reason_of_the_view(port: int) -> None:
    assert closed(port, "/open") == (3000, "session_expired")


def test_a_view_of_litestar_may_refuse_the_handshake(port: int) -> None:
    with pytest.raises(InvalidStatus) as caught:
        closed(port, "/handshake")
    response = caught.value.response
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].endswith('error="session_revoked"')
    own = f"http://127.0.0.1:{port}"
    assert closed(port, "/handshake", Origin=own) == (3000, "session_revoked")


def test_another_failure_is_closed_as_litestar_does(port: int) -> None:
    assert closed(port, "/broken")[0] == 4500


def fail(raised: Exception) -> None:
    raise raised


def closing(code: int, *, accepted: bool = True, raised: Exception, times: int = 1) -> list[Any]:
    """What is sent for a view that catches its own exception, and closes with this code."""
    sent: list[Any] = []
    returned: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if accepted:
            await send({"type": "websocket.accept"})
        for _ in range(times):
            try:
                fail(raised)
            except (relogin.Refused, ValueError):
                await send({"type": "websocket.close", "code": code})
        returned.append(True)

    connecting = iter([{"type": "websocket.connect"}])

    async def receive() -> Any:
        return next(connecting)  # raises an error if it is received twice

    async def send(message: Any) -> None:
        sent.append(message)

    credentials = [(b"authorization", b'Session token="good"')]
    scope = {"type": "websocket", "path": "/", "headers": credentials}
    asyncio.run(SessionGate(app, averify, realm="a")(scope, receive, send))
    assert bool(returned) == accepted  # otherwise the gate has ended the view
    return sent


EXPIRED = relogin.Refused("session_expired")


def test_a_close_after_a_refusal_says_its_reason() -> None:
    accept, close = closing(1011, raised=EXPIRED)
    assert accept["type"] == "websocket.accept"
    assert (close["code"], close["reason"]) == (3000, "session_expired")


def test_a_handshake_that_is_closed_after_a_refusal_is_refused_by_the_gate() -> None:
    assert closing(1011, accepted=False, raised=EXPIRED) == [{"type": "websocket.close"}]


def test_a_view_that_fails_twice_closes_once() -> None:
    accept, close = closing(1011, raised=EXPIRED, times=2)
    assert (accept["type"], close["code"]) == ("websocket.accept", 3000)


@pytest.mark.parametrize(("code", "raised"), [(4001, EXPIRED), (1011, ValueError())])
def test_a_close_that_the_view_means_stays_as_it_is(code: int, raised: Exception) -> None:
    assert closing(code, raised=raised)[1:] == [{"type": "websocket.close", "code": code}]
