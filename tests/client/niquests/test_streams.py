"""niquests' own schemes for streams of events and WebSockets: `psse://`, `sse://`, `ws://`."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from weakref import ref

import niquests
import pytest

from relogin.client import Outcome, outcome
from relogin.client.niquests import SessionAuth
from relogin.client.signals import json_field
from tests.client.niquests.h2_server import a_server_that_breaks_off
from tests.client.niquests.ways import BOTH
from tests.client.server import Answer, Request, Server, serve
from tests.client.streaming import asked, goes_on, streaming


@pytest.fixture
def events(server: Server) -> str:
    """A stream of events without an end, for whoever has the living session."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"data: one\n\n"

    def answer(request: Request) -> Answer:
        admitted = server.protected(request)
        if admitted.status != 200:
            return admitted
        return Answer(200, (("Content-Type", "text/event-stream"),), endless())

    server.routes["/events"] = answer
    return server.url.replace("http:", "psse:") + "/events"


def first_event(auth: Any, url: str) -> tuple[str, Outcome]:
    with niquests.Session() as session:
        session.trust_env = False
        session.auth = auth
        answer: Any = session.get(url)
        event = answer.extension.next_payload()
        answer.extension.close()
        return event.data, outcome(answer)


async def first_event_async(auth: Any, url: str) -> tuple[str, Outcome]:
    async with niquests.AsyncSession() as session:
        session.trust_env = False
        session.auth = auth
        answer: Any = await session.get(url)
        event = await answer.extension.next_payload()
        await answer.extension.close()
        return event.data, outcome(answer)


FIRST = [first_event, lambda auth, url: asyncio.run(first_event_async(auth, url))]


@pytest.mark.parametrize("first", FIRST, ids=["called", "awaited"])
@pytest.mark.parametrize("named", ["http", "psse"])
def test_a_refused_stream_is_renewed_for_each_time_it_is_opened(
    server: Server, events: str, first: Callable[..., Any], named: str
) -> None:
    auth = SessionAuth(server.login, server.url.replace("http:", f"{named}:"))
    for _ in range(2):
        assert first(auth, events) == ("one", Outcome.REPLAYED)
        server.kill()
    assert server.logins == 2


@pytest.mark.timeout(20)
@pytest.mark.parametrize("first", FIRST, ids=["called", "awaited"])
def test_no_signal_reads_the_events_of_a_stream(
    server: Server, events: str, first: Callable[..., Any]
) -> None:
    auth = SessionAuth(server.login, server.url, signals=[json_field("success", False)])
    assert first(auth, events) == ("one", Outcome.REPLAYED)


# A stream that ends, perhaps because its session did


async def pieces(answer: Any, way: str) -> tuple[list[str], bool]:
    """Read an answer to its end in one of the ways of niquests; tell whether it broke off."""
    found: list[bytes] = []
    try:
        if way == "content":
            content = answer.content
            found.append(await content if hasattr(content, "__await__") else content)
            return [piece.decode() for piece in found], False
        reading = getattr(answer, way)(*([8] if way == "iter_raw" else []))
        if hasattr(reading, "__await__"):
            reading = await reading
        if hasattr(reading, "__aiter__"):
            found.extend([piece async for piece in reading])
        else:
            found.extend(reading)
    except (niquests.RequestException, niquests.packages.urllib3.exceptions.HTTPError):
        return [piece.decode() for piece in found], True
    return [piece.decode() for piece in found], False


async def events_of(answer: Any) -> tuple[list[str], bool]:
    found: list[str] = []
    try:
        while True:
            event = answer.extension.next_payload()
            event = await event if hasattr(event, "__await__") else event
            if event is None:
                return found, False
            found.append(event.data)
    except (niquests.RequestException, niquests.packages.urllib3.exceptions.HTTPError):
        return found, True


WAYS = ("iter_lines", "iter_content", "iter_raw", "content", "unstreamed", "events")


@pytest.fixture(params=BOTH)
def read(request: pytest.FixtureRequest, server: Server) -> Callable[..., Any]:
    """Open a stream and read it to its end; return what came, and what is said of it."""

    def reading(url: str, way: str, method: str = "GET", **options: Any) -> tuple[list[str], str]:
        async def main(send: Any, session: Any) -> tuple[list[str], str]:
            if way == "events":
                answer = await send(method, url.replace("http:", "psse:"))
                found, broke = await events_of(answer)
            elif way == "unstreamed":
                answer = await send(method, url)
                found, broke = [answer.text], False
            else:
                answer = await send(method, url, stream=True)
                found, broke = await pieces(answer, way)
            lines = "".join(found).replace("data: ", "").split()
            return [*lines, *(["broken"] if broke else [])], str(outcome(answer))

        auth = SessionAuth(server.login, server.url, **options)
        result: tuple[list[str], str] = BOTH[request.param](auth).run(main)
        return result

    return reading


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_ends_with_its_session_says_so_and_the_session_is_renewed(
    server: Server, read: Callable[..., Any], way: str
) -> None:
    found, said = read(streaming(server, server.kill), way)
    assert ("".join(found), said) == ("onetwo", "stream_ended")
    assert asked(server)[-2:] == ["HEAD /events", "POST /login"]


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_ends_while_its_session_lives_has_said_all(
    server: Server, read: Callable[..., Any], way: str
) -> None:
    found, said = read(streaming(server, goes_on), way)
    assert ("".join(found), said) == ("onetwo", "replayed")
    assert asked(server).count("HEAD /events") == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_that_breaks_off_with_its_session_says_so(
    server: Server, read: Callable[..., Any], way: str
) -> None:
    def breaks() -> None:
        server.kill()
        raise ConnectionAbortedError

    with suppress(niquests.RequestException):  # unless it is streamed
        found, said = read(streaming(server, breaks), way)
        assert (found[-1], said) == ("broken", "stream_ended")
    assert asked(server)[-2:] == ["HEAD /events", "POST /login"]


def test_neither_a_post_nor_another_kind_of_answer_is_asked_about(
    server: Server, read: Callable[..., Any]
) -> None:
    read(streaming(server, goes_on), "iter_lines", "POST")
    read(streaming(server, goes_on, "text/plain"), "iter_lines")
    assert not any("HEAD" in line for line in asked(server))


def test_check_false_asks_nothing_at_the_end_of_a_stream(
    server: Server, read: Callable[..., Any]
) -> None:
    url = streaming(server, server.kill)
    assert read(url, "iter_lines", check=False)[1] == "replayed"


def test_where_a_redirect_leads_to_another_server_nobody_is_asked(
    server: Server, read: Callable[..., Any]
) -> None:
    with serve() as other:
        other.routes["/events"] = lambda _: Answer(200, (("Content-Type", EVENTS),), b"data: x")
        server.routes["/moved"] = lambda _: Answer(302, (("Location", f"{other.url}/events"),))
        assert read(f"{server.url}/moved", "iter_lines")[0] == ["x"]
        assert asked(other) == ["GET /events"]


EVENTS = "text/event-stream"


@pytest.mark.parametrize("multiplexed", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", BOTH.values(), ids=BOTH)
def test_over_http2_too_a_stream_says_that_its_session_ended(
    kind: Any, multiplexed: bool, streamed: bool
) -> None:
    with a_server_that_breaks_off() as server:

        def log_in(_: object) -> str:
            server.living.add("t1")
            return "t1"

        async def main(send: Any, session: Any) -> tuple[list[str], str]:
            session.mount("http://", kind.plain(disable_http1=True))
            answer = await send("GET", f"{server.url}/events", stream=streamed)
            gathering = session.gather(answer)
            if gathering is not None:
                await gathering
            found, _ = await pieces(answer, "iter_content") if streamed else ([answer.text], False)
            return found, str(outcome(answer))

        auth = SessionAuth(log_in, server.url)
        found = kind(auth, multiplexed=multiplexed).run(main)
        assert found == (["/events"], "stream_ended")
        assert server.asked[-2:] == ["GET /events", "HEAD /events"]


@pytest.mark.parametrize("kind", BOTH.values(), ids=BOTH)
def test_what_its_reader_closes_has_not_ended(server: Server, kind: Any) -> None:
    async def main(send: Any, session: Any) -> None:
        answer = await send("GET", streaming(server, server.kill), stream=True)
        reading = answer.iter_content(4)
        reading = await reading if hasattr(reading, "__await__") else reading
        first = await anext(reading) if hasattr(reading, "__anext__") else next(reading)
        assert first == b"data"
        closing = answer.close()
        if closing is not None:
            await closing

    kind(SessionAuth(server.login, server.url)).run(main)
    assert not any("HEAD" in line for line in asked(server))


def test_a_stream_that_its_reader_drops_is_freed_at_once(server: Server) -> None:
    with niquests.Session() as session:
        session.trust_env = False
        session.auth = SessionAuth(server.login, server.url)
        session.get(f"{server.url}/first")
        answer = session.get(streaming(server, goes_on), stream=True)
        raw = ref(answer.raw)
        gc.disable()
        try:
            del answer
            assert raw() is None
        finally:
            gc.enable()


@pytest.mark.parametrize("kind", BOTH.values(), ids=BOTH)
def test_nobody_is_asked_about_a_stream_that_nobody_holds(server: Server, kind: Any) -> None:
    async def main(send: Any, session: Any) -> None:
        answer = await send("GET", streaming(server, server.kill), stream=True)
        raw = answer.raw
        del answer
        gc.collect()
        octets = raw.read()
        assert b"two" in (await octets if hasattr(octets, "__await__") else octets)

    kind(SessionAuth(server.login, server.url)).run(main)
    assert not any("HEAD" in line for line in asked(server))
