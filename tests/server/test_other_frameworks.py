"""Frameworks without a gate of their own, behind the plain gates, as their users write them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import bottle
import falcon
import falcon.asgi
import pytest
import quart
from litestar import Litestar, Request, get
from litestar.response import Stream

import relogin
from relogin.server import asgi, wsgi
from tests.server.asking import through_asgi
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

EVENTS = "text/event-stream"
LIVING = ("Authorization", 'Session token="good"')
DEAD = ("Authorization", 'Session token="old"')


def verify(token: str) -> Any:
    """Sessions just so, as the fast path wants them."""
    if token == "old":
        raise relogin.Refused("session_expired")
    return "ada" if token == "good" else None


def refuse() -> Any:
    raise relogin.Refused("session_revoked")


def events() -> Iterator[bytes]:
    yield b"data: 1\n\n"
    refuse()


async def aevents() -> AsyncIterator[bytes]:
    for event in events():
        yield event


def under_bottle() -> Any:
    app = bottle.Bottle()
    app.catchall = False  # lets `Refused` through to the gate
    app.get("/orders", callback=lambda: f"Hello, {bottle.request.environ['relogin.session']}")
    app.get("/refuses", callback=refuse)

    def stream() -> Iterator[bytes]:
        bottle.response.content_type = EVENTS
        return events()

    app.get("/stream", callback=stream)
    return wsgi.SessionGate(app, verify, realm="orders")


class Falcon:
    def on_get(self, asked: Any, answer: Any) -> None:
        answer.text = f"Hello, {asked.env['relogin.session']}"

    def on_get_refuses(self, asked: Any, answer: Any) -> None:
        refuse()

    def on_get_stream(self, asked: Any, answer: Any) -> None:
        answer.content_type, answer.stream = EVENTS, events()


class AsyncFalcon:
    async def on_get(self, asked: Any, answer: Any) -> None:
        answer.text = f"Hello, {asked.scope['relogin.session']}"

    async def on_get_refuses(self, asked: Any, answer: Any) -> None:
        refuse()

    async def on_get_stream(self, asked: Any, answer: Any) -> None:
        answer.content_type, answer.stream = EVENTS, aevents()


def routed(app: Any, views: object) -> Any:
    app.add_route("/orders", views)
    for path in ("refuses", "stream"):
        app.add_route(f"/{path}", views, suffix=path)
    return app


def under_falcon() -> Any:
    def let_through(asked: Any, answer: Any, error: Exception, params: Any) -> None:
        raise error

    app = routed(falcon.App(), Falcon())
    app.add_error_handler(relogin.Refused, let_through)
    return wsgi.SessionGate(app, verify, realm="orders")


def under_async_falcon() -> Any:
    async def let_through(asked: Any, answer: Any, error: Exception, params: Any) -> None:
        raise error

    app = routed(falcon.asgi.App(), AsyncFalcon())
    app.add_error_handler(relogin.Refused, let_through)
    return asgi.SessionGate(app, verify, realm="orders")


def under_quart() -> Any:
    app = quart.Quart("orders")
    app.config["PROPAGATE_EXCEPTIONS"] = True  # lets `Refused` through to the gate

    @app.get("/orders")
    async def orders() -> str:
        return f"Hello, {quart.request.scope['relogin.session']}"  # type: ignore[typeddict-item]

    @app.get("/refuses")
    async def refuses() -> str:
        return str(refuse())

    @app.get("/stream")
    async def stream() -> quart.Response:
        return quart.Response(aevents(), content_type=EVENTS)

    app.asgi_app = asgi.SessionGate(app.asgi_app, verify, realm="orders")  # type: ignore[method-assign]
    return app


def under_litestar() -> Any:
    @get("/orders", sync_to_thread=False, media_type="text/plain")
    def orders(request: Request[Any, Any, Any]) -> str:
        return f"Hello, {request.scope['relogin.session']}"  # type: ignore[typeddict-item]

    @get("/refuses", sync_to_thread=False)
    def refuses() -> str:
        return str(refuse())

    @get("/stream", sync_to_thread=False)
    def stream() -> Stream:
        return Stream(aevents(), media_type=EVENTS)

    return asgi.SessionGate(
        Litestar([orders, refuses, stream], logging_config=None), verify, realm="orders"
    )


WSGI = [under_bottle, under_falcon]
ASGI = [under_async_falcon, under_quart, under_litestar]
Ask = Callable[..., Answer]


@pytest.fixture(scope="module", params=WSGI + ASGI, ids=lambda build: build.__name__)
def site(request: pytest.FixtureRequest) -> Iterator[Ask]:
    serving = serving_wsgi if request.param in WSGI else serving_asgi
    with serving(request.param()) as port:
        yield lambda path, *fields: ask(port, path, *fields)


def test_a_living_session_is_let_in_and_found(site: Ask) -> None:
    answer = site("/orders", LIVING)
    assert (answer.status, answer.body) == (200, b"Hello, ada")
    assert answer.headers["Cache-Control"] == "private"
    assert answer.headers["Content-Type"]


def test_a_dead_session_is_refused_with_its_reason(site: Ask) -> None:
    answer = site("/orders", DEAD)
    assert (answer.status, answer.error) == (401, "session_expired")


def test_a_view_may_refuse(site: Ask) -> None:
    answer = site("/refuses", LIVING)
    assert (answer.status, answer.error) == (401, "session_revoked")
    assert answer.problem["error"] == "session_revoked"


def test_an_event_stream_that_is_refused_ends_as_a_whole_one(site: Ask) -> None:
    answer = site("/stream", LIVING)  # a part of one would be an IncompleteRead
    assert (answer.status, answer.body) == (200, b"data: 1\n\n")


# What such frameworks do, each by itself

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"a/b")]}
TWO_WAYS = pytest.mark.parametrize("field", ['Session token="t1"', "sid=t1"])


async def anybody(token: str) -> str:
    return token


def through(app: Any, field: str) -> list[Any]:
    return through_asgi(app, field, anybody, public=[])


@TWO_WAYS
def test_headers_that_can_be_read_only_once_reach_the_client(field: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"content-type", b"text/plain"), (b"cache-control", b"max-age=1")]
        await send(START | {"headers": (field for field in fields)})

    (start,) = through(app, field)
    assert dict(start["headers"])[b"content-type"] == b"text/plain"
    assert dict(start["headers"])[b"cache-control"] == b"private, max-age=1"


@TWO_WAYS
@pytest.mark.parametrize("no_headers", [{}, {"headers": None}, {"headers": ()}])
def test_a_response_may_have_no_headers(field: str, no_headers: dict[str, Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200} | no_headers)

    (start,) = through(app, field)
    assert dict(start["headers"])[b"cache-control"] == b"private"


@TWO_WAYS
@pytest.mark.parametrize("kind", [b"text/event-stream", b"text/plain"])
def test_a_framework_that_begins_its_500_in_mid_stream_is_not_heard(
    field: str, kind: bytes
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START | {"headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        try:
            refuse()
        except relogin.Refused:
            await send(START | {"status": 500})
            await send({"type": "http.response.body", "body": b"broken"})

    sent = through(app, field)
    assert [one.get("status") for one in sent[:2]] == [200, None]
    end = {"type": "http.response.body", "body": b""}
    assert sent[2:] == [end] * (kind == b"text/event-stream")


@TWO_WAYS
def test_a_second_start_for_any_other_reason_is_the_servers_to_refuse(field: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(START | {"status": 500})

    assert [one["status"] for one in through(app, field)] == [200, 500]


REVOKED = relogin.Refused("session_revoked")


def caused_by(cause: Exception) -> Exception:
    error = ValueError()
    error.__cause__ = cause
    return error


@TWO_WAYS
@pytest.mark.parametrize(
    "raised", [ExceptionGroup("", [REVOKED]), ExceptionGroup("", [ExceptionGroup("", [REVOKED])])]
)
def test_a_refusal_in_an_exception_group_is_sent(field: str, raised: Exception) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise raised

    start, body = through(app, field)
    assert start["status"] == 401
    assert b"session_revoked" in body["body"]


@TWO_WAYS
def test_a_refusal_beside_another_failure_in_a_group_is_raised_as_it_is(field: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ExceptionGroup("", [REVOKED, ValueError()])

    with pytest.raises(ExceptionGroup):
        through(app, field)


@TWO_WAYS
@pytest.mark.parametrize("cause", [REVOKED, caused_by(REVOKED)])
def test_a_failure_that_a_refusal_caused_ends_a_stream_and_is_a_failure_before(
    field: str, cause: Exception
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["relogin.session"] == "t2":
            await send(START | {"headers": [(b"content-type", b"text/event-stream")]})
        raise RuntimeError from cause

    with pytest.raises(RuntimeError):
        through(app, field)
    assert through(app, field.replace("t1", "t2"))[1:] == [
        {"type": "http.response.body", "body": b""}
    ]


@TWO_WAYS
@pytest.mark.parametrize("kind", ["http.response.early_hint", "http.response.debug"])
def test_a_message_before_a_response_does_not_begin_it(field: str, kind: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": kind, "links": []})
        raise REVOKED

    hint, start, _ = through(app, field)
    assert (hint["type"], start["status"]) == (kind, 401)


def test_a_task_group_in_a_stream_of_django_ends_it_too() -> None:
    from relogin.server.streams import astream

    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        raise ExceptionGroup("", [REVOKED])

    async def collected(headers: Any) -> list[bytes]:
        return [chunk async for chunk in astream(chunks(), headers, ConnectionResetError())]

    assert asyncio.run(collected([("Content-Type", EVENTS)])) == [b"a"]
    with pytest.raises(ConnectionResetError):
        asyncio.run(collected([]))


def test_another_failure_of_a_stream_of_django_is_raised_as_it_is() -> None:
    from relogin.server.streams import astream

    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        raise ValueError("mine")

    async def collected() -> list[bytes]:
        return [chunk async for chunk in astream(chunks(), [], ConnectionResetError())]

    with pytest.raises(ValueError, match="mine"):
        asyncio.run(collected())


class Chunks:
    """An iterable that is no iterator, as Bottle and Django return."""

    def __iter__(self) -> Iterator[bytes]:
        return events()


@pytest.mark.parametrize("kind", [EVENTS, "text/plain"])
def test_an_iterable_that_is_no_iterator_may_refuse(kind: str) -> None:
    def app(environ: Any, start_response: Any) -> Chunks:
        start_response("200 OK", [("Content-Type", kind)])
        return Chunks()

    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": LIVING[1]}
    gate = wsgi.SessionGate(app, verify, realm="orders")
    chunks = iter(gate(environ, lambda *_: lambda _: None))
    assert next(chunks) == b"data: 1\n\n"
    # To a server, a client that has gone: it closes, and logs no traceback.
    with pytest.raises(StopIteration if kind == EVENTS else ConnectionResetError):
        next(chunks)
