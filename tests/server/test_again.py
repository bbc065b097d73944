"""Asking for a session again, and what an application's `Refused` does wherever it is raised."""

import asyncio
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

import relogin
from relogin.server import asgi, wsgi
from relogin.server import flask as flask_gate
from relogin.server.decisions import living
from relogin.server.gate import Gate
from relogin.server.streams import Stream, astream
from relogin.server.verdicts import StoreTrouble, refusal_in
from tests.server.asking import ORDERS, decide, request, through_asgi
from tests.server.serving import ask, serving_wsgi

BY_COOKIE = ("Cookie", "sid=good")


def verify(token: str) -> Any:
    return relogin.Admitted("ada") if token == "good" else None


# What the verifier says when it is asked again


@pytest.mark.parametrize("found", ["ada", relogin.Admitted("ada")])
def test_a_session_that_lives_is_returned(found: object) -> None:
    assert living(found) == "ada"


@pytest.mark.parametrize("found", [None, False, relogin.Admitted(None)])
def test_a_session_that_is_not_known_any_more_is_refused(found: object) -> None:
    with pytest.raises(relogin.Refused, match="session_invalid"):
        living(found)


def test_trouble_is_told_as_such_and_answered_503() -> None:
    with pytest.raises(StoreTrouble, match="the session store has trouble") as raised:
        living(OSError())
    gate = Gate("orders")
    answer = gate.refuse(
        decide(gate, request(authorization='Session token="a"'), "ada"), raised.value
    )
    assert answer.status == 503


def test_a_verifier_may_ask_another_gate_and_its_trouble_is_no_logout() -> None:
    gate = Gate("orders")
    asked = request(authorization='Session token="a"')
    answer = decide(gate, asked, StoreTrouble()).answer
    assert answer is not None
    assert answer.status == 503


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["relogin.verify"]())


urlpatterns = [path("", view)]


def under_wsgi() -> Any:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        found = environ["relogin.verify"]()
        start_response("200 OK", [])
        return [found.encode()]

    return wsgi.SessionGate(application, verify, **ORDERS)


def under_flask() -> Any:
    app = flask.Flask("orders")
    flask_gate.SessionGate(app, verify, **ORDERS)

    @app.get("/")
    def page() -> str:
        return str(flask.request.environ["relogin.verify"]())

    return app


@pytest.mark.parametrize("build", [under_wsgi, under_flask])
def test_a_public_page_may_ask_too(build: Any) -> None:
    with serving_wsgi(build()) as port:
        assert ask(port, "/", BY_COOKIE).body == b"ada"
        refused = ask(port, "/")
        assert (refused.status, refused.error) == (401, None)


def test_a_public_page_of_django_may_ask_too() -> None:
    with override_settings(ROOT_URLCONF=__name__, RELOGIN=ORDERS | {"verify": verify}):
        browser = Client()
        refused = browser.get("/")
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, 'Session realm="orders"')
        browser.cookies["sid"] = "good"
        assert browser.get("/").content == b"ada"


async def asking(scope: Any, receive: Any, send: Any) -> None:
    body = (await scope["relogin.verify"]()).encode()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": body})


def test_a_public_page_under_asgi_may_ask_too() -> None:
    assert through_asgi(asking, "sid=good", verify)[1]["body"] == b"ada"
    refused = through_asgi(asking, "", verify)[0]
    assert refused["status"] == 401
    assert (b"www-authenticate", b'Session realm="orders"') in refused["headers"]


def test_a_verifier_that_never_waits_is_asked_where_it_is() -> None:
    class Quick:
        blocking = False

        def __call__(self, token: str) -> str:
            return token

    field = 'Session token="t1"'
    assert through_asgi(asking, field, Quick(), public=[])[1]["body"] == b"t1"


# While a response goes on


@pytest.mark.parametrize("kind", ["http.response.start", None])
def test_a_handler_that_has_not_answered_yet_is_left_alone(kind: str | None) -> None:
    asked: list[str] = []

    def counting(token: str) -> str:
        asked.append(token)
        return "ada"

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if kind is not None:
            await send({"type": kind, "status": 200})
        await asyncio.sleep(0.1)
        if kind is None:
            await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"done"})

    sent = through_asgi(slow, "sid=good", counting, recheck=0.03, public=[])
    assert sent[-1]["body"] == b"done"
    assert (len(asked) > 1) == (kind is not None)


def test_a_timeout_of_the_applications_own_is_raised_as_it_is() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        through_asgi(app, "sid=good", verify, recheck=30)


def test_nothing_watches_on_when_the_response_has_ended() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await asyncio.sleep(0)
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        pass

    async def left() -> int:
        headers = [(b"cookie", b"sid=good")]
        gate: Any = asgi.SessionGate(app, verify, realm="orders", cookie="sid", recheck=30)
        await gate({"type": "http", "method": "GET", "path": "/", "headers": headers}, None, send)
        return len(asyncio.all_tasks()) - 1

    assert asyncio.run(left()) == 0


def test_a_failure_that_a_refusal_caused_is_none_unless_a_framework_has_wrapped_it() -> None:
    failure = ValueError()
    failure.__cause__ = refusal = relogin.Refused("session_revoked")
    assert refusal_in(failure) is None
    assert refusal_in(failure, wrapped=True) is refusal


class Late:
    """An iterable that has started its response, and refuses when its first chunk is asked for."""

    def __init__(self, start_response: Any) -> None:
        start_response("200 OK", [("Content-Type", "text/plain")])

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise relogin.Refused("session_revoked")


def test_before_the_first_chunk_a_wsgi_response_becomes_the_refusal() -> None:
    gate = wsgi.SessionGate(lambda _, start: Late(start), verify, **ORDERS)
    with serving_wsgi(gate) as port:
        answer = ask(port, "/", BY_COOKIE)
    assert (answer.status, answer.error) == (401, "session_revoked")
    assert answer.problem["error"] == "session_revoked"


def test_a_stream_closes_what_it_was_given() -> None:
    closed: list[bool] = []

    class Chunks(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    stream = Stream(Chunks([b"a"]), [])
    assert list(stream) == [b"a"]
    stream.close()
    Stream([], []).close()
    assert closed == [True]


def test_an_iterator_without_aclose_is_streamed_too() -> None:
    class Once:
        done = False

        def __aiter__(self) -> "Once":
            return self

        async def __anext__(self) -> bytes:
            if self.done:
                raise StopAsyncIteration
            self.done = True
            return b"a"

    async def collected() -> list[bytes]:
        return [chunk async for chunk in astream(Once(), [], RuntimeError())]

    assert asyncio.run(collected()) == [b"a"]


@pytest.mark.parametrize("more", [[], [(b"cache-control", b"no-cache")]])
@pytest.mark.parametrize("kind", [b"text/event-stream", b"text/plain"])
def test_a_response_on_the_fast_path_is_ended_as_on_the_slow_path(more: Any, kind: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind), *more]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise relogin.Refused("session_revoked")

    async def take_any(token: str) -> str:
        return token

    sent = through_asgi(app, 'Session token="t1"', take_any, public=[])
    assert sent[0]["status"] == 200
    assert (b"vary", b"Authorization, Cookie") in sent[0]["headers"]
    assert sent[1:] == [{"type": "http.response.body", "body": b""}] * (kind != b"text/plain")


# Refusals that are built once


def test_descriptions_that_are_never_the_same_fill_no_memory() -> None:
    gate = Gate("orders")
    decision = decide(gate, request(authorization='Session token="a"'), "ada")
    for number in range(200):
        gate.refuse(decision, relogin.Refused("session_expired", f"No {number}"))
    assert len(gate.refusals._cache) < 100


@pytest.mark.parametrize("error", ["csrf_invalid", "insufficient_scope"])
def test_what_is_said_in_a_403_is_not_said_in_the_applications_own_401(error: str) -> None:
    def refusing(token: str) -> str:
        raise relogin.Refused(error)

    async def own(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})

    sent = through_asgi(own, "sid=good", refusing)
    assert dict(sent[0]["headers"])[b"www-authenticate"] == b'Session realm="orders"'


@pytest.mark.parametrize("scope", ['a"b', "a,b", "a  b", ["a b"], ["a\\b"]])
def test_a_scope_that_could_not_be_sent_is_refused(scope: Any) -> None:
    with pytest.raises(ValueError, match="a scope is printable ASCII without quotes, backslashes"):
        relogin.Refused("insufficient_scope", scope=scope)
