"""A stream of events is opened by a request, and ends when its session does: both are answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import anyio
import httpx2
import pytest

from relogin.client import outcome
from relogin.client.httpx2 import SessionAuth
from tests.client.server import Server
from tests.client.streaming import asked, goes_on, streaming


def read(auth: SessionAuth, url: str, method: str = "GET") -> tuple[list[str], str]:
    """Read a stream to its end, broken off or not; tell what is said of it then."""
    found: list[str] = []
    with httpx2.Client(auth=auth, trust_env=False) as client:
        with client.sse(url, method=method) as stream:
            try:
                found += (event.data for event in stream)
            except httpx2.RemoteProtocolError:
                found.append("broken")
        assert stream.response.elapsed.total_seconds() > 0
        return found, str(outcome(stream.response))


async def read_async(auth: SessionAuth, url: str) -> tuple[list[str], str]:
    found: list[str] = []
    async with httpx2.AsyncClient(auth=auth, trust_env=False) as client:
        async with client.sse(url) as stream:
            try:
                async for event in stream:
                    found += [event.data]
            except httpx2.RemoteProtocolError:
                found.append("broken")
        return found, str(outcome(stream.response))


READ = {
    "a thread": read,
    "asyncio": lambda auth, url: anyio.run(read_async, auth, url),
    "trio": lambda auth, url: anyio.run(read_async, auth, url, backend="trio"),
}


@pytest.fixture(params=READ)
def reading(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return READ[request.param]


@pytest.fixture
def auth(server: Server) -> SessionAuth:
    return SessionAuth(server.login, server.url)


def test_a_stream_that_ends_with_its_session_says_so_and_the_next_one_opens_at_once(
    server: Server, auth: SessionAuth, reading: Callable[..., Any]
) -> None:
    url = streaming(server, server.kill)
    assert reading(auth, url) == (["one", "two"], "stream_ended")
    assert asked(server)[-2:] == ["HEAD /events", "POST /login"]
    assert reading(auth, url) == (["one", "two"], "stream_ended")
    assert asked(server)[-3:] == ["GET /events", "HEAD /events", "POST /login"]


def test_a_stream_that_breaks_off_with_its_session_says_so(
    server: Server, auth: SessionAuth, reading: Callable[..., Any]
) -> None:
    def breaks() -> None:
        server.kill()
        raise ConnectionAbortedError

    url = streaming(server, breaks)
    assert reading(auth, url) == (["one", "two", "broken"], "stream_ended")
    assert server.logins == 2


def test_a_stream_that_ends_while_its_session_lives_has_said_all(
    server: Server, auth: SessionAuth, reading: Callable[..., Any]
) -> None:
    assert reading(auth, streaming(server, goes_on)) == (["one", "two"], "replayed")
    assert asked(server)[-1] == "HEAD /events"
    assert server.logins == 1


def test_a_stream_whose_session_was_ended_on_purpose_says_so_and_nobody_logs_in(
    server: Server, auth: SessionAuth, reading: Callable[..., Any]
) -> None:
    url = streaming(server, lambda: server.kill("session_revoked"))
    assert reading(auth, url) == (["one", "two"], "stream_ended")
    assert server.logins == 1


def test_what_its_reader_closes_has_not_ended(server: Server, auth: SessionAuth) -> None:
    url = streaming(server, server.kill)
    with httpx2.Client(auth=auth, trust_env=False) as client, client.sse(url) as stream:
        next(iter(stream))

    async def main() -> None:
        async with (
            httpx2.AsyncClient(auth=auth, trust_env=False) as client,
            client.sse(url) as stream,
        ):
            events: Any = aiter(stream)
            async with aclosing(events):
                await anext(events)

    anyio.run(main)
    assert not any("HEAD" in line for line in asked(server))


def test_what_answers_a_post_is_not_asked_about(server: Server, auth: SessionAuth) -> None:
    read(auth, streaming(server, goes_on), "POST")
    assert not any("HEAD" in line for line in asked(server))


def test_a_stream_of_anything_but_events_is_not_asked_about(
    server: Server, auth: SessionAuth
) -> None:
    url = streaming(server, goes_on, "text/plain")
    with httpx2.Client(auth=auth, trust_env=False) as client:
        assert client.get(url).text == "data: one\n\ndata: two\n\n"
    assert not any("HEAD" in line for line in asked(server))


def test_check_false_asks_nothing_at_the_end_of_a_stream(server: Server) -> None:
    auth = SessionAuth(server.login, server.url, check=False)
    assert read(auth, streaming(server, server.kill)) == (["one", "two"], "replayed")
    assert server.logins == 1


def test_for_many_streams_one_asks_and_logs_in(server: Server, auth: SessionAuth) -> None:
    together = threading.Barrier(10, server.kill, timeout=10)
    url = streaming(server, together.wait)
    with ThreadPoolExecutor(10) as pool:
        ends = {said for _, said in pool.map(lambda _: read(auth, url), range(10))}
    assert ends == {"stream_ended"}
    assert (asked(server).count("HEAD /events"), server.logins) == (1, 2)


def test_the_question_has_the_time_of_a_login_though_the_stream_has_for_ever(
    server: Server,
) -> None:
    auth = SessionAuth(server.login, server.url, login_timeout=7.0)
    url, given = streaming(server, server.kill), list[dict[str, float]]()

    class Noting(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            given.append(request.extensions["timeout"])
            return super().handle_request(request)

    http = httpx2.Client(transport=Noting(), trust_env=False)
    asking = SessionAuth(server.login, server.url, login_timeout=7.0, http=http)
    read(auth, url)
    with httpx2.Client(auth=asking, timeout=None, trust_env=False) as client:
        with client.sse(url) as stream:
            list(stream)
        assert outcome(stream.response) == "stream_ended"
    http.close()
    assert given[-2] == dict.fromkeys(("connect", "read", "write", "pool"), 7.0)


def test_the_small_request_and_the_login_may_go_over_the_only_connection(server: Server) -> None:
    limits = httpx2.Limits(max_connections=1)
    with httpx2.Client(trust_env=False, limits=limits, timeout=3) as client:
        client.auth = SessionAuth(server.login, server.url, http=client)
        client.get(server.url)
        with client.stream("GET", streaming(server, server.kill)) as answer:
            assert list(answer.iter_lines())
    assert outcome(answer) == "stream_ended"
    assert server.logins == 2
