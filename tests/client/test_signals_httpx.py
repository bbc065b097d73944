"""Signals in httpx: what they start, and what they leave as it was."""

from __future__ import annotations

import asyncio
import gc
import gzip
import random
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from reauth import LoginRefused
from reauth.client import Outcome, httpx_body, outcome
from reauth.client.httpx import SessionAuth
from reauth.client.signals import html_form, json_field, redirect_to, status
from tests.client.httpx_drivers import Caller, Driver, drive
from tests.client.server import Answer, Server, flood, serve

JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html")
LOST = b'{"success": false, "message": "please log in"}'
LONG = b"<form><input name=user><input name=password></form>" + random.Random(7).randbytes(300_000)


def refuse_with(
    server: Server,
    code: int,
    *headers: tuple[str, str],
    body: Callable[[], Any] = lambda: b"refused",
) -> None:
    """Have a dead session answered like this, and without a challenge."""
    server.challenges = lambda error: ()
    server.refusal_status, server.refusal_headers, server.refusal_body = code, headers, body


def opened(driver: Driver, server: Server, *signals: Any, **options: Any) -> Caller:
    login = options.pop("login", None) or driver.login(server)
    words = {name: options.pop(name) for name in ["replay_any_method"] if name in options}
    return driver.open(auth=SessionAuth(login, server.url, signals=signals, **words), **options)


def test_no_answer_is_a_signal_unless_it_is_asked_for(driver: Driver, server: Server) -> None:
    client = opened(driver, server)
    for code in (419, 440, 599):
        refuse_with(server, code)
        assert client.get(f"{server.url}/a").status_code == code
    assert server.logins == 0


def test_a_signal_renews_the_session_and_the_request_is_sent_again(
    driver: Driver, server: Server
) -> None:
    refuse_with(server, 440)
    response = opened(driver, server, status(440)).get(f"{server.url}/a")
    assert (response.status_code, outcome(response)) == (200, Outcome.REPLAYED)
    assert [past.status_code for past in response.history] == [440]


def test_what_is_not_idempotent_is_not_sent_again(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    client = opened(driver, server, status(440))
    response = client.post(f"{server.url}/a", content=b"x")
    assert (response.status_code, response.content) == (440, b"refused")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED
    assert client.post(f"{server.url}/a", content=b"x").content == b"x"
    assert len(server.seen("/a")) == 2


def test_it_is_sent_again_where_the_user_says_so(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    client = opened(driver, server, status(440), replay_any_method=True)
    assert client.post(f"{server.url}/a", content=b"x").content == b"x"


def test_a_signal_that_comes_again_at_once_is_the_answer(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    server.refuse_all = True
    assert opened(driver, server, status(440)).get(f"{server.url}/a").status_code == 440
    assert server.logins == 1


def test_thirty_that_meet_a_signal_need_one_login(driver: Driver, server: Server) -> None:
    refuse_with(server, 200, JSON, body=lambda: LOST)
    client = opened(driver, server, json_field("success", False))
    answers = client.at_once(30, lambda _: f"{server.url}/a")
    assert {answer.content for answer in answers} == {b"content"}
    assert server.logins == 1


def test_another_origin_signals_nothing(driver: Driver, server: Server) -> None:
    refuse_with(server, 440)
    asked: list[str] = []
    client = opened(driver, server, lambda answer: asked.append(answer.url), status(440))
    assert client.get(f"{server.other_host}/a").status_code == 440
    assert (asked, server.logins) == ([], 0)


def test_a_cookie_that_a_signalled_answer_sets_is_not_taken_for_the_session(
    driver: Driver, server: Server
) -> None:
    server.binding = "cookie"
    client = opened(driver, server, status(440))
    client.get(f"{server.url}/a")
    server.kill()
    refuse_with(server, 440, ("Set-Cookie", "sid=anonymous; Path=/"))
    client.post(f"{server.url}/a")
    server.kill()
    client.post(f"{server.url}/b")
    assert server.seen("/b")[0].cookies == {"sid": "s3cret-2"}


# Redirects


@pytest.mark.parametrize("follow", [False, True])
def test_a_redirect_to_the_login_page_renews_the_session(
    driver: Driver, server: Server, follow: bool
) -> None:
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    client = opened(driver, server, redirect_to("/in"), follow_redirects=follow)
    response = client.get(f"{server.url}/a")
    assert (response.content, response.url.path) == (b"content", "/a")
    assert [past.status_code for past in response.history] == [302, 200][: 1 + follow]


def test_a_redirect_to_the_login_page_renews_a_session_that_is_a_cookie(
    driver: Driver, server: Server
) -> None:
    """What httpx follows without the cookie leads to the login page too, and does not count."""
    server.binding = "cookie"
    client = opened(driver, server, redirect_to("/in"), follow_redirects=True)
    client.get(f"{server.url}/first")
    server.kill()
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    server.routes["/old"] = lambda request: Answer(302, (("Location", "/a"),))
    response = client.get(f"{server.url}/old")
    assert (response.content, server.logins) == (b"content", 2)


def test_the_login_page_may_be_of_another_origin(driver: Driver, server: Server) -> None:
    with serve() as other:
        refuse_with(server, 302, ("Location", f"{other.url}/in?next=/a"))
        client = opened(driver, server, redirect_to(f"{other.url}/in"), follow_redirects=True)
        assert client.get(f"{server.url}/a").status_code == 200
        assert [request.token for request in other.requests] == [None]


def test_a_redirect_that_stays_the_answer_is_followed_as_ever(
    driver: Driver, server: Server
) -> None:
    refuse_with(server, 302, ("Location", "/in"))
    server.routes["/in"] = lambda request: Answer(200, (), b"log in")
    client = opened(driver, server, redirect_to("/in"), follow_redirects=True)
    response = client.post(f"{server.url}/a", content=b"x")
    assert (response.status_code, response.content) == (200, b"log in")
    assert outcome(response) is Outcome.RENEWED_NOT_REPLAYED


# Bodies


def pieces(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), 50_000):
        yield octets[start : start + 50_000]


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


class Endless(httpx.AsyncByteStream):
    """An answer of the user's own transport, which never lets anybody else run."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 8192


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
