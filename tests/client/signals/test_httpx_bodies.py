"""Signals that look into a body of httpx, and leave it as it was for its reader."""

from __future__ import annotations

import asyncio
import gc
import gzip
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from relogin import LoginRefused
from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth
from relogin.client.httpx_family import body as httpx_body
from relogin.client.signals import html_form, json_field, status
from tests.client.httpx_drivers import Driver, drive
from tests.client.httpx_shapes import Endless
from tests.client.server import Answer, Server, flood
from tests.client.signalling import HTML, JSON, LONG, LOST, pieces, refuse_with
from tests.client.signals_httpx import opened


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("login", ["declines", "is refused", "succeeds"])
def test_a_signalled_body_that_is_returned_is_whole(
    driver: Driver, server: Server, encoding: str, chunked: bool, login: str
) -> None:
    octets = gzip.compress(LONG, mtime=0) if encoding else LONG
    headers = [HTML, ("Content-Encoding", encoding)] if encoding else [HTML]
    refuse_with(server, 200, *headers, body=lambda: pieces(octets) if chunked else octets)

    def log_in(context: Any) -> Any:
        if login == "is refused":
            raise LoginRefused
        return server.login(context) if login == "succeeds" else None

    client = opened(driver, server, html_form("user", "password"), login=log_in)
    try:
        # Not sent again, for it is a POST.
        response = client.send("POST", f"{server.url}/a")
    except LoginRefused as error:
        response = error.response
        assert outcome(response) is Outcome.REFUSED
    else:
        assert client.read(response) == LONG
        assert outcome(response) is not Outcome.UNTOUCHED


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_a_body_that_is_no_signal_is_whole(driver: Driver, server: Server, size: int) -> None:
    server.routes["/a"] = lambda request: Answer(200, (HTML,), LONG[:size])
    client = opened(driver, server, json_field("success", False), html_form("email"))
    assert client.get(f"{server.url}/a").content == LONG[:size]


def test_a_short_answer_frees_its_connection_for_the_login(driver: Driver, server: Server) -> None:
    refuse_with(server, 200, JSON, body=lambda: LOST)

    def login(context: Any) -> Any:
        return server.grant(client.client.post(f"{server.url}/login"))

    async def login_async(context: Any) -> Any:
        return server.grant(await client.client.post(f"{server.url}/login"))

    client = opened(
        driver,
        server,
        json_field("success", False),
        login=login_async if driver.is_async else login,
        limits=httpx.Limits(max_connections=1),
        timeout=3.0,
    )
    assert client.get(f"{server.url}/a").status_code == 200
    response = client.send("POST", f"{server.url}/a")
    client.read(response)
    server.kill()
    response = client.send("POST", f"{server.url}/a")
    assert client.read(response) == LOST


def test_a_compressed_body_in_single_octets_is_looked_into(driver: Driver, server: Server) -> None:
    octets = gzip.compress(LOST * 30, mtime=0)
    encoded = (JSON, ("Content-Encoding", "gzip"))
    refuse_with(server, 200, *encoded, body=lambda: (octets[i : i + 1] for i in range(len(octets))))
    client = opened(driver, server, json_field("success", False))
    assert client.get(f"{server.url}/a").content == b"content"


def test_a_stream_of_events_is_not_waited_for(driver: Driver, server: Server) -> None:
    go_on = threading.Event()

    def events() -> Iterator[bytes]:
        go_on.wait(10)
        yield b"data: {}\n\n"

    headers = (("Content-Type", "text/event-stream"),)
    server.routes["/a"] = lambda request: Answer(200, headers, events())
    client = opened(driver, server, json_field("success", False), html_form())
    response = client.send("GET", f"{server.url}/a")
    go_on.set()
    assert client.read(response) == b"data: {}\n\n"


@pytest.mark.parametrize("code", [200, 401])
def test_the_rest_of_a_signalled_answer_is_not_waited_for(
    driver: Driver, server: Server, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_body, "MOST_SECONDS", 0.2)
    go_on = threading.Event()

    def stalled() -> Iterator[bytes]:
        yield b"{"
        yield b'"success": false}'
        go_on.wait(10)

    refuse_with(server, code, JSON, body=stalled)
    client = opened(driver, server, json_field("success", False), timeout=3.0)
    try:
        assert client.get(f"{server.url}/a").content == b"content"
    finally:
        go_on.set()


def test_a_body_that_breaks_off_does_so_for_its_reader(driver: Driver, server: Server) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"succ'
        raise ConnectionAbortedError

    server.routes["/a"] = lambda request: Answer(200, (JSON,), broken())
    client = opened(driver, server, json_field("success", False))
    response = client.send("GET", f"{server.url}/a")
    with pytest.raises(httpx.RemoteProtocolError):
        client.read(response)


def test_a_short_answer_that_breaks_off_does_so_for_its_reader(
    driver: Driver, server: Server
) -> None:
    server.challenges = lambda error: ()
    server.refusal_status = 440

    def broken() -> Iterator[bytes]:
        yield b"it begins"
        raise ConnectionAbortedError

    def answer(request: Any) -> Answer:
        return Answer(440, (("Content-Length", "20"),), broken())

    server.routes["/a"] = answer
    client = opened(driver, server, status(440), login=lambda context: None)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{server.url}/a")


def test_what_cannot_be_decoded_is_no_signal(driver: Driver, server: Server) -> None:
    refuse_with(server, 200, JSON, ("Content-Encoding", "gzip"), body=lambda: LOST)
    client = opened(driver, server, json_field("success", False))
    response = client.send("GET", f"{server.url}/a")
    driver.run(response.aclose if driver.is_async else response.close)
    assert server.logins == 0


def test_an_answer_that_is_closed_unread_leaves_nothing_behind(
    driver: Driver, server: Server
) -> None:
    """trio warns of every generator that did not come to its end."""
    server.routes["/a"] = lambda request: Answer(200, (JSON,), flood())
    client = opened(driver, server, lambda answer: len(answer.body) < 9)
    response = client.send("GET", f"{server.url}/a")
    driver.run(response.aclose if driver.is_async else response.close)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del response
        gc.collect()
    assert [warning for warning in caught if warning.category is ResourceWarning] == []


def test_what_a_hook_has_read_is_looked_at_all_the_same(driver: Driver, server: Server) -> None:
    async def hook(response: httpx.Response) -> None:
        await response.aread()

    refuse_with(server, 200, JSON, body=lambda: LOST)
    hooks = {"response": [hook if driver.is_async else httpx.Response.read]}
    client = opened(driver, server, json_field("success", False), event_hooks=hooks)
    assert client.get(f"{server.url}/a").content == b"content"


def test_what_a_hook_has_streamed_away_is_no_signal(driver: Driver, server: Server) -> None:
    def hook(response: httpx.Response) -> None:
        for _ in response.iter_bytes():
            pass

    async def hook_async(response: httpx.Response) -> None:
        async for _ in response.aiter_bytes():
            pass

    refuse_with(server, 200, JSON, body=lambda: LOST)
    hooks = {"response": [hook_async if driver.is_async else hook]}
    client = opened(driver, server, json_field("success", False), event_hooks=hooks)
    assert client.send("GET", f"{server.url}/a").status_code == 200
    assert server.logins == 0


def test_head_has_no_body_to_look_at(driver: Driver, server: Server) -> None:
    server.routes["/a"] = lambda request: Answer(200, (JSON,), LOST)
    client = opened(driver, server, json_field("success", False))
    assert client.head(f"{server.url}/a").status_code == 200
    assert server.logins == 0


def test_an_answer_that_never_waits_can_be_closed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    async def get() -> int:  # trio would warn of the transport's own leftovers
        auth = SessionAuth(
            lambda context: None,
            "https://api.example.com",
            signals=[lambda answer: "y" in answer.text],
        )
        async with (
            httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(answer)) as client,
            client.stream("GET", "https://api.example.com/") as response,
        ):
            return response.status_code

    assert asyncio.run(get()) == 200


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_can_be_read_piece_by_piece_after_it_was_looked_into(
    server: Server, backend: str
) -> None:
    server.routes["/a"] = lambda request: Answer(200, (JSON,), pieces(b"[" + LONG))
    with drive(backend) as driver:
        client = opened(driver, server, json_field("success", False)).client

        async def read() -> list[bytes]:
            async with client.stream("GET", f"{server.url}/a") as response:
                iterator: AsyncIterator[bytes] = response.aiter_raw()
                return [piece async for piece in iterator]

        got = driver.run(read)
        assert b"".join(got) == b"[" + LONG
        assert len(got) > 1
