"""Signals in the requests adapter leave bodies whole, and wait for none longer than need be."""

import gzip
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from relogin import LoginRefused
from relogin.client import Outcome, outcome
from relogin.client.signals import html_form, json_field
from tests.client.server import Answer, Request, Server
from tests.client.signalling import HTML, JSON, LONG, LOST, attach, pieces, refuse_with

IN = html_form("user", "password")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("login", ["declines", "is refused", "succeeds"])
def test_a_signalled_body_that_is_returned_is_whole(
    server: Server,
    session: requests.Session,
    stream: bool,
    encoding: str,
    chunked: bool,
    login: str,
) -> None:
    octets = gzip.compress(LONG, mtime=0) if encoding else LONG
    headers = [HTML, ("Content-Encoding", encoding)] if encoding else [HTML]
    refuse_with(server, 200, *headers, body=lambda: pieces(octets) if chunked else octets)

    def log_in(context: Any) -> Any:
        if login == "is refused":
            raise LoginRefused
        return server.login(context) if login == "succeeds" else None

    attach(session, server, login=log_in, signals=[IN])
    try:
        # Not sent again, for it is a POST.
        response = session.post(f"{server.url}/a", stream=stream)
    except LoginRefused as error:
        response = error.response
    assert response.content == LONG
    assert outcome(response) is not Outcome.UNTOUCHED


@pytest.mark.parametrize("stream", [False, True])
def test_a_signalled_body_of_a_failure_that_is_remembered_is_whole(
    server: Server, session: requests.Session, stream: bool
) -> None:
    def log_in(context: Any) -> Any:
        raise LoginRefused

    refuse_with(server, 200, HTML, body=lambda: LONG)
    attach(session, server, login=log_in, signals=[IN])
    for _ in range(2):
        with pytest.raises(LoginRefused) as raised:
            session.get(f"{server.url}/a", stream=stream)
        assert raised.value.response.content == LONG


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_is_no_signal_is_whole(
    server: Server, session: requests.Session, stream: bool
) -> None:
    server.routes["/a"] = lambda request: Answer(200, (HTML,), LONG)
    attach(session, server, signals=[json_field("success", False), html_form("email")])
    assert session.get(f"{server.url}/a", stream=stream).content == LONG


def test_an_answer_in_place_of_a_streamed_one_is_streamed(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 200, HTML, body=lambda: LONG)
    attach(session, server, signals=[IN])
    response = session.get(f"{server.url}/a", stream=True)
    assert response.raw.read() == b"content"
    assert response.history[0].content == b""


def test_a_streamed_body_needs_no_second_connection_of_a_pool_of_one(server: Server) -> None:
    refuse_with(server, 200, HTML, body=lambda: LONG)
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
        attach(session, server, signals=[IN])
        assert session.get(f"{server.url}/a", stream=True).content == b"content"
    assert len({request.connection for request in server.requests}) == 1


def test_a_stream_of_events_is_not_waited_for(server: Server, session: requests.Session) -> None:
    go_on = threading.Event()

    def events() -> Iterator[bytes]:
        go_on.wait(10)
        yield b"data: {}\n\n"

    headers = (("Content-Type", "text/event-stream"),)
    server.routes["/a"] = lambda request: Answer(200, headers, events())
    attach(session, server, signals=[json_field("success", False), html_form()])
    response = session.get(f"{server.url}/a", stream=True)
    go_on.set()
    assert response.content == b"data: {}\n\n"


@pytest.mark.parametrize("code", [200, 401])
def test_the_rest_of_a_signalled_stream_is_not_waited_for(
    server: Server, session: requests.Session, code: int
) -> None:
    go_on, waited_for = threading.Event(), threading.Event()

    def stalled() -> Iterator[bytes]:
        yield b"{"
        yield LOST[1:]
        if not go_on.wait(10):
            waited_for.set()

    refuse_with(server, code, JSON, body=stalled)
    attach(session, server, signals=[json_field("success", False)])
    assert session.get(f"{server.url}/a", stream=True).content == b"content"
    go_on.set()
    assert not waited_for.is_set()


def test_a_signalled_stream_that_is_replaced_is_closed(
    server: Server, session: requests.Session
) -> None:
    refuse_with(server, 200, JSON, body=lambda: pieces(LOST + b" " * 300_000))
    attach(session, server, signals=[json_field("success", False)])
    answer = session.get(f"{server.url}/a", stream=True)
    assert answer.content == b"content"
    assert answer.history[0].raw.closed


def test_head_has_no_body_to_look_at(server: Server, session: requests.Session) -> None:
    def answer(request: Request) -> Answer:
        return Answer(200, (JSON,), LOST)

    server.routes["/a"] = answer
    attach(session, server, signals=[json_field("success", False)])
    assert session.head(f"{server.url}/a").status_code == 200
    assert server.logins == 0
