"""A stream of events that requests or aiohttp reads ends, perhaps because its session did."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any
from weakref import ref

import aiohttp
import pytest
import requests

from relogin.client import outcome
from relogin.client.requests import SessionAuth
from tests.client.aiohttp.sessions import an_auth, run
from tests.client.server import Answer, Server, serve
from tests.client.streaming import asked, goes_on, streaming

Read = Callable[..., tuple[list[str], str]]
WAYS = ("iter_lines", "iter_content", "content", "lines", "read", "readany", "readchunk")


def with_requests(
    server: Server, url: str, way: str, method: str = "GET", **options: Any
) -> tuple[list[str], str]:
    found: list[str] = []
    with requests.Session() as session:
        session.trust_env = False
        session.auth = SessionAuth(server.login, server.url, **options)
        answer = session.request(method, url, stream=way != "content")
        try:
            if way == "content":
                found += answer.text.split("\n\n")
            else:
                size = [64] if way == "iter_content" else []
                found += [piece.decode().strip() for piece in getattr(answer, way)(*size)]
        except requests.exceptions.ChunkedEncodingError:
            found.append("broken")
        return events(found), str(outcome(answer))


def with_aiohttp(
    server: Server, url: str, way: str, method: str = "GET", **options: Any
) -> tuple[list[str], str]:
    found: list[str] = []

    async def main(session: aiohttp.ClientSession) -> str:
        async with session.request(method, url) as answer:
            try:
                found.extend([piece.decode() async for piece in pieces(answer.content, way)])
            except aiohttp.ClientPayloadError:
                found.append("broken")
            return str(outcome(answer))

    said: Any = run(an_auth(server, **options), main)
    return events(found), said


async def pieces(content: aiohttp.StreamReader, way: str) -> Any:
    if way == "lines":
        async for line in content:
            yield line
    elif way == "readchunk":
        async for piece, _ in content.iter_chunks():
            yield piece
    else:
        while piece := await getattr(content, way)():
            yield piece


def events(found: list[str]) -> list[str]:
    lines = "\n".join(found).splitlines()
    return [line.removeprefix("data: ") for line in lines if line.strip()]


@pytest.fixture(params=WAYS)
def read(request: pytest.FixtureRequest, server: Server) -> Read:
    way: str = request.param
    reading = with_requests if "content" in way or way == "iter_lines" else with_aiohttp

    def read(url: str, *args: Any, **options: Any) -> tuple[list[str], str]:
        return reading(server, url, way, *args, **options)

    return read


def test_a_stream_that_ends_with_its_session_says_so_and_the_session_is_renewed(
    server: Server, read: Read
) -> None:
    assert read(streaming(server, server.kill)) == (["one", "two"], "stream_ended")
    assert asked(server)[-2:] == ["HEAD /events", "POST /login"]


def test_a_stream_that_ends_while_its_session_lives_has_said_all(
    server: Server, read: Read
) -> None:
    assert read(streaming(server, goes_on)) == (["one", "two"], "replayed")
    assert asked(server)[-1] == "HEAD /events"


def test_a_stream_that_breaks_off_with_its_session_says_so(server: Server, read: Read) -> None:
    def breaks() -> None:
        server.kill()
        raise ConnectionAbortedError

    with suppress(requests.exceptions.ChunkedEncodingError):  # with `stream=False`
        found, said = read(streaming(server, breaks))
        assert (found[-1], said) == ("broken", "stream_ended")
    assert asked(server)[-2:] == ["HEAD /events", "POST /login"]


def test_neither_a_post_nor_another_kind_of_answer_is_asked_about(
    server: Server, read: Read
) -> None:
    read(streaming(server, goes_on), "POST")
    read(streaming(server, goes_on, "text/plain"))
    assert not any("HEAD" in line for line in asked(server))


def test_check_false_asks_nothing_at_the_end_of_a_stream(server: Server, read: Read) -> None:
    assert read(streaming(server, server.kill), check=False)[1] == "replayed"
    assert server.logins == 1


def test_what_its_reader_closes_has_not_ended(server: Server, session: requests.Session) -> None:
    url = streaming(server, server.kill)
    session.auth = SessionAuth(server.login, server.url)
    with session.get(url, stream=True) as answer:
        next(answer.iter_lines())

    async def main(asynchronous: aiohttp.ClientSession) -> None:
        async with asynchronous.get(url) as answer:
            await answer.content.readline()

    run(an_auth(server), main)
    assert not any("HEAD" in line for line in asked(server))


def test_a_stream_that_its_reader_drops_is_freed_at_once(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(server.url)
    gc.disable()
    try:
        answer = session.get(streaming(server, goes_on), stream=True)
        dropped, rest, raw = ref(answer), answer.raw.stream(), ref(answer.raw)
        del answer
        assert dropped() is None
        assert b"".join(rest) == b"data: one\n\ndata: two\n\n"
        del rest
        assert raw() is None
    finally:
        gc.enable()
    assert not any("HEAD" in line for line in asked(server))


def test_for_many_streams_one_asks_and_logs_in(server: Server, session: requests.Session) -> None:
    together = Barrier(5, server.kill, timeout=10)
    url = streaming(server, together.wait)
    session.auth = SessionAuth(server.login, server.url)

    def follow(_: int) -> str:
        answer = session.get(url, stream=True, timeout=(5, None))
        list(answer.iter_lines())
        return str(outcome(answer))

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(follow, range(5))) == {"stream_ended"}
    assert (asked(server).count("HEAD /events"), server.logins) == (1, 2)


EVENTS = (("Content-Type", "text/event-stream"),)


def test_where_a_redirect_leads_to_another_server_nobody_is_asked(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(server.url)
    with serve() as other:
        other.routes["/events"] = lambda _: Answer(200, EVENTS, b"data: one\n\n")
        server.routes["/go"] = lambda _: Answer(302, (("Location", f"{other.url}/events"),))
        assert session.get(f"{server.url}/go").text == "data: one\n\n"
        assert asked(other) == ["GET /events"]
    assert not any("HEAD" in line for line in asked(server))


def test_a_stream_without_a_body_has_nothing_to_end(
    server: Server, session: requests.Session
) -> None:
    server.routes["/events"] = lambda _: Answer(200, EVENTS)
    url = f"{server.url}/events"

    async def main(asynchronous: aiohttp.ClientSession) -> None:
        await asynchronous.get(f"{server.url}/first")
        async with asynchronous.get(url) as answer:
            assert await answer.read() == b""

    run(an_auth(server), main)


def test_a_body_that_another_middleware_has_replaced_is_left_as_it_is(server: Server) -> None:
    class Own(aiohttp.StreamReader):
        __slots__ = ()

    async def replaced(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
        answer: aiohttp.ClientResponse = await handler(request)
        answer.content.__class__ = Own
        return answer

    async def main(session: aiohttp.ClientSession) -> None:
        auth = an_auth(server)
        url = streaming(server, goes_on)
        async with session.get(url, middlewares=(auth, replaced)) as answer:
            assert await answer.read() == b"data: one\n\ndata: two\n\n"
            assert type(answer.content) is Own

    run(an_auth(server), main)
    assert not any("HEAD" in line for line in asked(server))


def test_the_body_of_a_special_adapter_is_left_as_it_is(
    server: Server, session: requests.Session
) -> None:
    class Special(requests.adapters.HTTPAdapter):
        def build_response(self, req: Any, resp: Any) -> requests.Response:
            response = super().build_response(req, resp)
            response.raw = io.BytesIO(resp.data)
            del response.connection
            return response

    session.auth = SessionAuth(server.login, server.url)
    session.get(server.url)
    session.mount("http://", Special())
    answer = session.get(streaming(server, goes_on), stream=True)
    assert list(answer.iter_lines()) == [b"data: one", b"", b"data: two", b""]


def test_the_small_request_and_the_login_go_over_the_adapter_of_the_stream(
    server: Server, session: requests.Session
) -> None:
    sent: list[tuple[str | None, Any]] = []

    class Own(requests.adapters.HTTPAdapter):
        def send(self, request: Any, **options: Any) -> requests.Response:  # type: ignore[override]
            sent.append((request.method, options["timeout"]))
            return super().send(request, **options)

    session.auth = SessionAuth(server.login, server.url, login_timeout=7)
    session.get(server.url)
    url = streaming(server, server.kill)
    session.mount(url, Own())
    assert list(session.get(url, stream=True, timeout=(5, 600)).iter_lines())
    # A stream may be silent for long; the small request and the login take their own time.
    assert sent == [("GET", (5, 600)), ("HEAD", 7), ("POST", 7)]


def test_without_an_adapter_the_small_request_goes_over_a_new_one(
    server: Server, session: requests.Session
) -> None:
    class Hidden(requests.adapters.HTTPAdapter):
        def build_response(self, req: Any, resp: Any) -> requests.Response:
            response = super().build_response(req, resp)
            del response.connection
            return response

    session.auth = SessionAuth(server.login, server.url)
    session.get(server.url)
    session.mount("http://", Hidden())
    answer = session.get(streaming(server, server.kill), stream=True)
    assert list(answer.iter_lines())
    assert outcome(answer) == "stream_ended"
