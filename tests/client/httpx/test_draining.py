"""A refused answer is read to its end within bounds, so that its connection is free again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from relogin import Grant, LoginRefused
from relogin.client.httpx import SessionAuth
from relogin.client.httpx_family import body as httpx_body
from tests.client.httpx_drivers import Caller, Driver
from tests.client.httpx_shapes import Endless
from tests.client.server import PATIENCE, Server, dribble, flood


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience with a slow answer than there is outside tests."""
    monkeypatch.setattr(httpx_body, "MOST_SECONDS", 0.2)


def test_an_answer_without_end_is_cut_off(driver: Driver, server: Server) -> None:
    server.refusal_body = flood
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders")
    assert answer.status_code == 200
    assert 0 < len(answer.history[0].content) < 256 * 1024


@pytest.mark.usefixtures("hurried")
def test_an_answer_that_dribbles_is_cut_off(driver: Driver, server: Server) -> None:
    go_on = threading.Event()
    server.refusal_body = dribble(go_on)
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    try:
        assert client.get(f"{server.url}/orders").status_code == 200
    finally:
        go_on.set()


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("timeout", [None, 30.0])
def test_an_answer_that_stops_is_cut_off(
    driver: Driver, server: Server, timeout: float | None
) -> None:
    go_on = threading.Event()

    def stopping() -> Iterator[bytes]:
        yield b"it begins"
        go_on.wait(PATIENCE)

    server.refusal_body = stopping
    client = driver.open(auth=SessionAuth(driver.login(server), server.url), timeout=timeout)
    try:
        answer = client.get(f"{server.url}/orders")
        assert (answer.status_code, answer.history[0].content) == (200, b"it begins")
    finally:
        go_on.set()
    assert answer.history[0].request.extensions["timeout"]["read"] == timeout


def through_itself(driver: Driver, server: Server, **options: Any) -> Caller:
    """A client whose login goes through the client itself."""

    def login(context: Any) -> Grant:
        return server.grant(client.client.post(f"{server.url}/login"))

    async def login_async(context: Any) -> Grant:
        return server.grant(await client.client.post(f"{server.url}/login"))

    auth = SessionAuth(login_async if driver.is_async else login, server.url)
    client = driver.open(auth=auth, **options)
    return client


def test_a_login_over_the_only_connection_does_not_wait_for_itself(
    driver: Driver, server: Server
) -> None:
    server.refusal_body = lambda: b"x" * 10_000
    limits = httpx.Limits(max_connections=1)
    client = through_itself(driver, server, limits=limits, timeout=3.0)
    assert client.get(f"{server.url}/orders").status_code == 200
    assert len({request.connection for request in server.requests}) == 1


def test_a_login_through_the_same_client_is_neither_signed_nor_renewed_for(
    driver: Driver, server: Server
) -> None:
    client = through_itself(driver, server)
    client.get(f"{server.url}/first")
    server.kill()
    assert client.get(f"{server.url}/orders").status_code == 200
    assert [request.token for request in server.seen("/login")] == [None, None]


def test_an_answer_that_cannot_be_decoded_does_not_stand_in_the_way(
    driver: Driver, server: Server
) -> None:
    server.refusal_headers = (("Content-Encoding", "gzip"),)
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders")
    assert (answer.status_code, answer.history[0].content) == (200, b"")


def test_an_answer_that_a_hook_has_read_is_no_trouble(driver: Driver, server: Server) -> None:
    read: list[bytes] = []

    def hook(response: httpx.Response) -> None:
        read.append(response.read())

    async def hook_async(response: httpx.Response) -> None:
        read.append(await response.aread())

    client = driver.open(
        auth=SessionAuth(driver.login(server), server.url),
        event_hooks={"response": [hook_async if driver.is_async else hook]},
    )
    answer = client.get(f"{server.url}/orders")
    assert (answer.status_code, answer.history[0].content) == (200, b"refused")
    assert read == [b"refused", b"content"]


def test_an_answer_that_a_hook_has_streamed_away_is_carried_by_the_failure(
    driver: Driver, server: Server
) -> None:
    def hook(response: httpx.Response) -> None:
        for _ in response.iter_bytes():
            pass

    async def hook_async(response: httpx.Response) -> None:
        async for _ in response.aiter_bytes():
            pass

    def login(context: Any) -> None:
        raise LoginRefused

    client = driver.open(
        auth=SessionAuth(login, server.url),
        event_hooks={"response": [hook_async if driver.is_async else hook]},
    )
    with pytest.raises(LoginRefused) as caught:
        client.get(f"{server.url}/orders")
    assert caught.value.response.status_code == 401


def test_an_answer_that_breaks_off_does_not_stand_in_the_way(
    driver: Driver, server: Server
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"it begins"
        raise ConnectionAbortedError

    server.refusal_body = broken
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    answer = client.get(f"{server.url}/orders")
    assert (answer.status_code, answer.history[0].content) == (200, b"it begins")


def test_an_answer_without_end_that_never_waits_is_cut_off() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "Authorization" in request.headers:
            return httpx.Response(200)
        return httpx.Response(401, headers={"WWW-Authenticate": "Session"}, stream=Endless())

    async def login(context: Any) -> str:
        return "token"

    async def get() -> int:  # trio would warn of the transport's own leftovers
        auth = SessionAuth(login, "https://api.example.com")
        async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(answer)) as client:
            return (await client.get("https://api.example.com/")).status_code

    assert asyncio.run(get()) == 200


# Hooks run below auth


def test_a_hook_that_raises_on_the_401_is_warned_about(driver: Driver, server: Server) -> None:
    hook = driver.hook(httpx.Response.raise_for_status)
    client = driver.open(
        auth=SessionAuth(driver.login(server), server.url), event_hooks={"response": [hook]}
    )
    with (
        pytest.warns(UserWarning, match="Hooks run below auth"),
        pytest.raises(httpx.HTTPStatusError),
    ):
        client.get(f"{server.url}/orders")
    assert server.logins == 0


@pytest.mark.parametrize("status", [401, 500])
def test_a_hook_that_raises_on_anything_else_is_not(
    driver: Driver, server: Server, status: int
) -> None:
    server.challenges = lambda _: ["Basic"]
    server.refusal_status = status
    hook = driver.hook(httpx.Response.raise_for_status)
    client = driver.open(
        auth=SessionAuth(driver.login(server), server.url), event_hooks={"response": [hook]}
    )
    with pytest.raises(httpx.HTTPStatusError):
        client.get(f"{server.url}/orders")


def test_a_request_that_cannot_be_sent_fails_as_it_does_without_auth(
    driver: Driver, server: Server
) -> None:
    client = driver.open(auth=SessionAuth(driver.login(server), "http://127.0.0.1:1"))
    with pytest.raises(httpx.ConnectError):
        client.get("http://127.0.0.1:1/")


@pytest.mark.parametrize("content", [b"refused", b""])
def test_a_connection_that_has_refused_an_upload_is_never_offered_to_another_thread(
    server: Server, content: bytes
) -> None:
    """Its server may close it: whoever takes it in that moment gets no response."""
    offered: list[bool] = []
    server.refusal_body = lambda: content

    def look(event: str, _: object) -> None:
        if event == "http11.response_closed.complete":
            transport: Any = client._transport
            offered.extend(connection.is_idle() for connection in transport._pool.connections)

    with httpx.Client(auth=SessionAuth(server.login, server.url), trust_env=False) as client:
        answer = client.post(server.url, content=b"order", extensions={"trace": look})
    assert (answer.status_code, answer.history[0].content) == (200, content)
    assert offered == [False, True]  # the one that refused it, and the one that answered


@pytest.mark.parametrize(("version", "doubtful"), [(b"HTTP/1.1", True), (b"HTTP/2", False)])
def test_a_connection_of_http_2_that_has_refused_an_upload_goes_on_with_its_other_streams(
    version: bytes, doubtful: bool
) -> None:
    response: Any = httpx.Response(
        401,
        headers={"Content-Length": "7"},
        extensions={"http_version": version, "network_stream": object()},
        request=httpx.Request("PUT", "https://api.example.com/", content=b"order"),
    )
    assert httpx_body._Doubtful(response).is_whole(7) is doubtful
