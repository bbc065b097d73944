"""Rule 4 for httpx: a body goes out a second time whole, or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from relogin import errors
from relogin.client import Outcome, outcome
from relogin.client.httpx import BodyNotReplayable, SessionAuth
from tests.client.httpx_drivers import Caller, Driver, drive
from tests.client.httpx_shapes import (
    ASYNC,
    EITHER,
    SPENT_ASYNC,
    SPENT_SYNC,
    SYNC,
    AsyncAgain,
    AsyncIterating,
    StreamOfBoth,
    Unseekable,
)
from tests.client.libraries.shapes import (
    PARTS,
    WHOLE,
    Again,
    AgainAsync,
    Enveloped,
    EnvelopedAsync,
    FailingSeek,
    LyingSeek,
    produced_async,
)
from tests.client.server import Answer, Server


def each(
    sync: dict[str, Any], both: dict[str, Any], asynchronous: dict[str, Any]
) -> pytest.MarkDecorator:
    """Each shape with each driver that can send it at all."""
    pairs = [("sync", shape, make) for shape, make in {**both, **sync}.items()]
    for name in ("asyncio", "trio"):
        pairs += [(name, shape, make) for shape, make in {**both, **asynchronous}.items()]
    return pytest.mark.parametrize(
        ("driver", "make"),
        [pytest.param(name, make, id=f"{name}-{shape}") for name, shape, make in pairs],
        indirect=["driver"],
    )


@pytest.fixture
def dead(driver: Driver, server: Server) -> Caller:
    """A client that has logged in, and whose session on the server has ended."""
    return logged_out(driver, server)


def logged_out(driver: Driver, server: Server, **options: Any) -> Caller:
    client = driver.open(auth=SessionAuth(driver.login(server), server.url, **options))
    client.get(f"{server.url}/first")
    server.kill()
    return client


def uploads(server: Server) -> list[bytes]:
    return [request.body for request in server.seen("/upload")]


@pytest.mark.requirement("C-25")
@each(SYNC, EITHER, ASYNC)
def test_a_body_that_can_be_read_again_arrives_whole(
    dead: Caller, server: Server, make: Callable[[], Any]
) -> None:
    answer = dead.post(f"{server.url}/upload", content=make())
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert uploads(server) == [WHOLE, WHOLE]


@pytest.mark.requirement("C-25")
@each(SPENT_SYNC, {}, SPENT_ASYNC)
def test_a_body_that_cannot_be_read_again_is_not_sent_short(
    dead: Caller, server: Server, make: Callable[[], Any]
) -> None:
    answer = dead.post(f"{server.url}/upload", content=make())
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(uploads(server)) == 1
    assert dead.get(f"{server.url}/after").history == []  # the session was renewed all the same


@each(SPENT_SYNC, {}, SPENT_ASYNC)
def test_strict_raises_where_a_body_is_spent(
    driver: Driver, server: Server, make: Callable[[], Any]
) -> None:
    client = logged_out(driver, server, strict=True)
    with pytest.raises(BodyNotReplayable) as caught:
        client.post(f"{server.url}/upload", content=make())
    error: Any = caught.value
    assert isinstance(error, errors.BodyNotReplayable)
    assert isinstance(error, httpx.HTTPError)
    assert (error.response.status_code, str(error.request.url)) == (401, f"{server.url}/upload")


def test_a_body_that_ends_too_soon_the_second_time_is_broken_off(
    dead: Caller, driver: Driver, server: Server
) -> None:
    body: Any = (EnvelopedAsync if driver.is_async else Enveloped)(part for part in PARTS[1:])
    with pytest.raises(BodyNotReplayable) as caught:
        dead.post(f"{server.url}/upload", content=body)
    assert caught.value.response.status_code == 401
    assert uploads(server) == [WHOLE]


def test_a_body_that_ends_too_soon_is_broken_off_where_a_redirect_sends_it_again(
    dead: Caller, driver: Driver, server: Server
) -> None:
    server.routes["/moved"] = lambda _: Answer(307, (("Location", "/upload"),))
    body: Any = (AgainAsync if driver.is_async else Again)(part for part in PARTS)
    with pytest.raises(BodyNotReplayable):
        dead.post(f"{server.url}/moved", content=body, follow_redirects=True)
    assert uploads(server) == []


def test_a_body_of_the_users_own_for_both_clients_is_sent_once(
    dead: Caller, driver: Driver, server: Server
) -> None:
    headers = {"Transfer-Encoding": "chunked", "Host": server.url.removeprefix("http://")}
    request = httpx.Request(
        "POST",
        f"{server.url}/upload",
        headers=headers,
        stream=StreamOfBoth(),
        extensions={"timeout": {}},
    )
    answer = driver.run(dead.client.send, request)
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED


def test_a_body_that_a_hook_has_put_there_is_sent_again_if_it_is_plain(
    driver: Driver, server: Server
) -> None:
    def hook(request: httpx.Request) -> None:
        request.stream = httpx.ByteStream(b"7 octets")

    client = driver.open(
        auth=SessionAuth(driver.login(server), server.url),
        event_hooks={"request": [driver.hook(hook)]},
    )
    body: Any = produced_async() if driver.is_async else iter([b"8 octets"])
    answer = client.post(f"{server.url}/upload", content=body, headers={"Content-Length": "8"})
    assert answer.status_code == 200


def test_what_a_hook_has_put_there_is_not_sent_again_if_it_is_not_plain(
    driver: Driver, server: Server
) -> None:
    def hook(request: httpx.Request) -> None:
        parts: Any = produced_async() if driver.is_async else iter(PARTS)
        request.stream = httpx.Request("POST", "https://hook/", content=parts).stream

    client = driver.open(
        auth=SessionAuth(driver.login(server), server.url),
        event_hooks={"request": [driver.hook(hook)]},
    )
    headers = {"Content-Length": str(len(WHOLE))}
    answer = client.post(f"{server.url}/upload", content=b"", headers=headers)
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED


class Impatient(httpx.MockTransport):
    """Refuses a request when it has seen the beginning of its body, and admits it otherwise."""

    def __init__(self) -> None:
        super().__init__(lambda request: httpx.Response(200))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        if "Authorization" in request.headers:
            return super().handle_request(request)
        next(iter(request.stream))
        return httpx.Response(401, headers={"WWW-Authenticate": "Session"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        if "Authorization" in request.headers:
            return await super().handle_async_request(request)
        chunks = aiter(request.stream)
        while not await anext(chunks):
            pass
        return httpx.Response(401, headers={"WWW-Authenticate": "Session"})


class Alike(AsyncIterating):
    """A body of many equal chunks, so that nobody sees where it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = iter([b"alike"] * 9)


def upload_to_the_impatient(driver: Driver, body: Any) -> httpx.Response:
    auth = SessionAuth(lambda context: "token", "https://api.example.com")
    client = driver.open(auth=auth, transport=Impatient())
    return client.post("https://api.example.com/upload", content=body)


# trio would warn of what the transport leaves behind.
NOT_TRIO = pytest.mark.parametrize("driver", ["sync", "asyncio"], indirect=True)


@NOT_TRIO
def test_an_iterator_of_which_a_part_was_sent_is_not_sent_short(driver: Driver) -> None:
    answer = upload_to_the_impatient(driver, Alike() if driver.is_async else iter([b"alike"] * 9))
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED


@NOT_TRIO
def test_an_iterable_of_which_a_part_was_sent_arrives_whole(driver: Driver) -> None:
    answer = upload_to_the_impatient(driver, AsyncAgain() if driver.is_async else PARTS)
    assert (answer.status_code, answer.request.content) == (200, WHOLE)


def test_a_body_that_a_redirect_took_away_needs_no_replaying(
    dead: Caller, driver: Driver, server: Server
) -> None:
    server.routes["/form"] = lambda _: Answer(303, (("Location", "/upload"),))
    body: Any = produced_async() if driver.is_async else iter(PARTS)
    answer = dead.post(f"{server.url}/form", content=body, follow_redirects=True)
    assert (answer.status_code, uploads(server)) == (200, [b"", b""])


# Files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(WHOLE)
    return path


def test_a_file_arrives_whole(server: Server, path: Path) -> None:
    with drive("sync") as driver, path.open("rb") as file:
        client = logged_out(driver, server)
        assert client.put(f"{server.url}/upload", content=file).status_code == 200
    assert uploads(server) == [WHOLE, WHOLE]


def redirected(client: Caller, server: Server, body: Any) -> httpx.Response:
    server.routes["/moved"] = lambda _: Answer(307, (("Location", "/upload"),))
    return client.put(f"{server.url}/moved", content=body, follow_redirects=True)


def test_a_file_that_a_redirect_sends_again_arrives_whole(
    driver: Driver, dead: Caller, server: Server, path: Path
) -> None:
    with path.open("rb") as file:
        answer = redirected(dead, server, anyio.wrap_file(file) if driver.is_async else file)
    assert (answer.status_code, uploads(server)) == (200, [WHOLE, WHOLE])


def test_a_file_that_cannot_go_back_is_not_sent_empty_where_a_redirect_leads(
    driver: Driver, dead: Caller, server: Server
) -> None:
    body: Any = Unseekable(WHOLE)
    with pytest.raises(BodyNotReplayable):
        redirected(dead, server, anyio.wrap_file(body) if driver.is_async else body)
    assert uploads(server) == []


def test_a_file_is_rewound_to_where_it_was(server: Server, path: Path) -> None:
    with drive("sync") as driver, path.open("rb") as file:
        file.seek(4)
        client = logged_out(driver, server)
        headers = {"Content-Length": str(len(WHOLE) - 4)}
        client.put(f"{server.url}/upload", content=file, headers=headers)
    assert uploads(server) == [WHOLE[4:], WHOLE[4:]]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_asynchronous_file_arrives_whole(server: Server, path: Path, backend: str) -> None:
    with drive(backend) as driver:
        client = logged_out(driver, server)

        async def upload() -> int:
            async with await anyio.open_file(path, "rb") as file:
                answer = await client.client.put(f"{server.url}/upload", content=file)
                code: int = answer.status_code
                return code

        assert driver.run(upload) == 200
    assert uploads(server) == [WHOLE, WHOLE]


def test_a_pipe_is_not_sent_short(server: Server) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe")
    os.close(writing)
    with drive("sync") as driver, os.fdopen(reading, "rb") as pipe:
        client = logged_out(driver, server)
        headers = {"Content-Length": "11"}
        answer = client.post(f"{server.url}/upload", content=pipe, headers=headers)
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED
    assert uploads(server) == [b"from a pipe"]


# Forms


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"data": {"a": "1", "b": ["2", "3"]}}, b"a=1&b=2&b=3"),
        ({"json": ["a"]}, b'["a"]'),
        ({"content": b""}, b""),
        ({}, b""),
    ],
)
def test_what_httpx_encodes_arrives_as_it_was(
    dead: Caller, server: Server, form: dict[str, Any], expected: bytes
) -> None:
    assert dead.post(f"{server.url}/upload", **form).status_code == 200
    assert uploads(server) == [expected, expected]


@pytest.mark.parametrize("file", [WHOLE, WHOLE.decode(), io.BytesIO(WHOLE)])
def test_a_multipart_form_arrives_as_it_was(dead: Caller, server: Server, file: Any) -> None:
    answer = dead.post(f"{server.url}/upload", files={"file": file}, data={"a": "1"})
    first, second = uploads(server)
    assert answer.status_code == 200
    assert first == second
    assert WHOLE in first


@pytest.mark.parametrize("kind", [Unseekable, FailingSeek, LyingSeek])
def test_a_multipart_form_with_a_file_that_is_spent_is_not_sent_short(
    dead: Caller, server: Server, kind: type[io.BytesIO]
) -> None:
    answer = dead.post(f"{server.url}/upload", files={"file": kind(WHOLE)})
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED
    (once,) = uploads(server)
    assert WHOLE in once
