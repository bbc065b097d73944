"""A refusal arrives: the gate decides first, and answers when it has read the rest."""

import asyncio
import io
import socket
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from flask import Flask

from relogin import Refused
from relogin.server import asgi, flask, wsgi
from relogin.server.django import Guard
from tests.server.serving import serving_wsgi

MIB = 1024 * 1024


def verify(token: str) -> str:
    raise Refused("session_expired")


class Body(io.BytesIO):
    """Content that counts what is read of it, and the largest piece asked for."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, MIB if size is None else size)
        return super().read(size)


def environ(body: io.BytesIO, length: int | None, **more: Any) -> dict[str, Any]:
    sized = {} if length is None else {"CONTENT_LENGTH": str(length)}
    facts = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": body, **sized, **more}
    return {"HTTP_AUTHORIZATION": 'Session token="dead"', **facts}


def read_by_wsgi(body: io.BytesIO, length: int | None, drain: Any = (MIB, 5), **more: Any) -> int:
    """Refuse a request, and return how much of it was read before the answer."""
    read: list[int] = []

    def start_response(*_: Any) -> Any:
        read.append(body.tell())

    gate = wsgi.SessionGate(lambda *_: [], verify, realm="a", drain=drain)
    gate(environ(body, length, **more), start_response)
    return read[0]


@pytest.mark.requirement("S-34")
def test_wsgi_reads_the_content_before_it_answers() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), 500_000) == 500_000


def test_wsgi_reads_no_further_than_the_content() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), 100_000) == 100_000


def test_wsgi_reads_to_the_end_where_the_server_marks_it() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), None, **{"wsgi.input_terminated": True}) == 500_000


def test_wsgi_reads_nothing_where_nobody_knows_the_end() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), None) == 0


def test_wsgi_reads_small_pieces() -> None:
    body = Body(bytes(500_000))
    read_by_wsgi(body, 500_000)
    assert 0 < body.largest <= 64 * 1024


def test_wsgi_reads_nothing_of_what_is_too_long() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), 500_000, drain=(400_000, 5)) == 0


def test_wsgi_stops_at_the_bound_of_what_has_no_length() -> None:
    ended = {"wsgi.input_terminated": True}
    assert read_by_wsgi(Body(bytes(500_000)), None, drain=(400_000, 5), **ended) == 400_000


def test_wsgi_stops_when_the_time_is_over() -> None:
    assert read_by_wsgi(Body(bytes(500_000)), 500_000, drain=(MIB, 1e-9)) == 0


@pytest.mark.parametrize("off", [0, None])
def test_wsgi_reads_nothing_where_it_is_turned_off(off: object) -> None:
    assert read_by_wsgi(Body(bytes(500_000)), 500_000, drain=off) == 0


def test_wsgi_reads_nothing_where_the_client_waits_for_100() -> None:
    assert read_by_wsgi(Body(bytes(9)), 9, HTTP_EXPECT="100-continue") == 0


def test_a_body_that_is_cut_short_ends_the_reading() -> None:
    assert read_by_wsgi(Body(bytes(9)), 100) == 9


def test_a_connection_that_breaks_costs_no_answer() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    assert read_by_wsgi(Broken(), 9) == 0


def sent_by_asgi(
    pieces: list[int],
    bounds: Any = (MIB, 5),
    *,
    kind: str = "http",
    version: str = "1.1",
    **head: str,
) -> tuple[int, dict[bytes, bytes]]:
    """Refuse a request; return how many pieces were left unread, and the headers of the answer."""
    waiting = list(pieces)
    started: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.sleep(60)  # the client stalls
        size = waiting.pop(0)
        if size == -2:
            raise ConnectionResetError
        if size < 0:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": bytes(size), "more_body": size != 1}

    async def send(message: Any) -> None:
        started.append(message)

    async def app(*_: Any) -> None:
        raise AssertionError

    method = head.pop("method", "POST")
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in head.items()]
    scope = {"type": kind, "method": method, "path": "/", "http_version": version}
    gate = asgi.SessionGate(app, verify, realm="a", drain=bounds)
    scope["headers"] = [*headers, (b"authorization", b'Session token="dead"')]  # type: ignore[assignment]
    asyncio.run(gate(scope, receive, send))
    return len(waiting), dict(started[0].get("headers", []))


@pytest.mark.requirement("S-34")
def test_asgi_reads_the_content_before_it_answers() -> None:
    left, headers = sent_by_asgi([9, 9, 1])
    assert (left, b"connection" in headers) == (0, False)


def test_asgi_stops_where_the_client_is_gone() -> None:
    assert sent_by_asgi([9, -1, 9])[0] == 1


def test_a_connection_that_breaks_under_asgi_costs_no_answer() -> None:
    assert b"www-authenticate" in sent_by_asgi([-2, 9])[1]


def test_asgi_closes_the_connection_past_the_bound() -> None:
    left, headers = sent_by_asgi([60, 60, 60, 1], (100, 5))
    assert (left, headers[b"connection"]) == (2, b"close")


def test_over_http_2_nothing_says_close() -> None:
    assert b"connection" not in sent_by_asgi([60, 60, 60, 1], (100, 5), version="2")[1]


def test_asgi_reads_nothing_of_what_is_too_long() -> None:
    left, headers = sent_by_asgi([60, 60, 1], (100, 5), content_length="121")
    assert (left, headers[b"connection"]) == (3, b"close")


def test_asgi_waits_for_a_client_that_stalls_no_longer_than_the_bound() -> None:
    assert sent_by_asgi([60], (100, 0.05))[1][b"connection"] == b"close"


def test_asgi_reads_nothing_where_it_is_turned_off() -> None:
    assert sent_by_asgi([9, 1], 0)[0] == 2


def test_asgi_reads_nothing_where_the_client_waits_for_100(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "hypercorn.protocol", raising=False)  # another test's server
    assert sent_by_asgi([9, 1], expect="100-continue")[0] == 2


def test_hypercorn_is_read_while_the_answer_goes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # With what it holds unread, its last `send` waits for ever.
    monkeypatch.setitem(sys.modules, "hypercorn.protocol", ModuleType("hypercorn.protocol"))

    async def refuse() -> None:
        held = [{"type": "http.request", "more_body": more} for more in (True, True, False)]
        room = asyncio.Event()

        async def receive() -> Any:
            if len(held) == 1:
                room.set()
            return held.pop(0)

        async def send(_: Any) -> None:
            await room.wait()

        gate = asgi.SessionGate(send, verify, realm="a", drain=0)  # type: ignore[arg-type]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        async with asyncio.timeout(5):
            await gate(scope, receive, send)

    asyncio.run(refuse())


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_mostly_has_no_content_asks_nothing_of_the_server(method: str) -> None:
    assert sent_by_asgi([1], method=method)[0] == 1


def test_a_get_with_content_is_read_too() -> None:
    assert sent_by_asgi([9, 1], method="GET", content_length="10")[0] == 0


def test_nothing_is_read_of_a_websocket_but_its_handshake() -> None:
    assert sent_by_asgi([9, 1], kind="websocket")[0] == 1


def test_under_trio_the_content_is_read_too() -> None:
    trio = pytest.importorskip("trio")
    messages = [{"type": "http.request", "body": b"x", "more_body": more} for more in (True, False)]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        pass

    gate = asgi.SessionGate(send, verify, realm="a")  # type: ignore[arg-type]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    trio.run(gate, scope, receive, send)
    assert messages == []


def test_flask_reads_the_content_before_it_answers() -> None:
    app, body = Flask("drained"), Body(bytes(1000))
    flask.SessionGate(app, verify, realm="a")
    app.test_client().post("/", input_stream=body, content_length=1000)
    assert body.tell() == 1000


def test_django_reads_the_content_before_it_answers() -> None:
    body = Body(bytes(1000))
    request = WSGIRequest(environ(body, 1000, SERVER_NAME="a", SERVER_PORT="80"))
    guard = Guard(verify, realm="a")
    decision = guard.decide(request)
    assert decision.answer is not None
    assert isinstance(guard.refuse(request, decision.answer), HttpResponse)
    assert body.tell() == 1000


@pytest.fixture
def port() -> Iterator[int]:
    with serving_wsgi(wsgi.SessionGate(lambda *_: [], verify, realm="a")) as port:
        yield port


def test_a_client_that_sends_all_before_it_reads_gets_the_401(port: int) -> None:
    size = 20 * MIB
    head = f"POST / HTTP/1.0\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head.encode() + bytes(size))
        assert client.recv(100).startswith(b"HTTP/1.0 401")


@pytest.mark.parametrize(
    "wrong", [5, False, (1, 2, 3), (0, 5), (True, 5), (float("inf"), 5), ("64 MiB", 5), [1, 2]]
)
def test_what_is_no_pair_of_bounds_is_told_when_the_gate_is_made(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"drain must be bytes and seconds, such as"):
        wsgi.SessionGate(lambda *_: [], verify, realm="a", drain=wrong)


def read_by_an_application_that_refuses(body: Body, **more: Any) -> int:
    """Have an application read ten octets and raise `Refused`; return how much was read."""

    def app(environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"].read(10)
        raise Refused

    gate = wsgi.SessionGate(app, lambda _: "ada", realm="a", drain=(MIB, 5))
    gate(environ(body, 1000, **more), lambda *_: None)  # type: ignore[arg-type]
    return body.tell()


def test_wsgi_reads_what_an_application_that_refuses_has_left() -> None:
    ended = {"wsgi.input_terminated": True}
    assert read_by_an_application_that_refuses(Body(bytes(1000)), **ended) == 1000


def test_asgi_reads_what_is_left_if_the_application_has_let_the_client_send() -> None:
    sent = [
        {"type": "http.request", "body": b"x", "more_body": more} for more in (True, True, False)
    ]

    async def receive() -> Any:
        return sent.pop(0)

    async def send(message: Any) -> None:
        pass

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()  # to this, the server says 100
        raise Refused

    headers = [(b"authorization", b'Session token="t1"'), (b"expect", b"100-continue")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    asyncio.run(asgi.SessionGate(app, lambda _: "ada", realm="a")(scope, receive, send))
    assert sent == []


def test_wsgi_leaves_content_of_which_nobody_knows_how_much_is_left() -> None:
    assert read_by_an_application_that_refuses(Body(bytes(2000))) == 10


def test_flask_reads_what_a_view_that_refuses_has_left() -> None:
    app, body = Flask("drained"), Body(bytes(1000))
    gate = flask.SessionGate(app, verify, realm="a", public=["/"])

    @app.post("/")
    @gate.required
    def view() -> str:
        raise AssertionError

    assert app.test_client().post("/", input_stream=body, content_length=1000).status_code == 401
    assert body.tell() == 1000


def test_django_reads_what_a_view_that_refuses_has_left() -> None:
    body = Body(bytes(1000))
    request = WSGIRequest(environ(body, 500, SERVER_NAME="a", SERVER_PORT="80"))
    guard = Guard(verify, realm="a")
    decision = guard.decide(request)
    request.read(10)
    assert decision.answer is not None
    guard.refuse(request, decision.answer)
    assert body.tell() == 500  # and no further: a server would wait for what never comes
