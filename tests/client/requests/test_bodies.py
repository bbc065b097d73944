"""Rule 4: a body goes out a second time whole, or not at all."""

from __future__ import annotations

import array
import io
import itertools
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests_toolbelt import MultipartEncoder  # type: ignore[import-untyped]

from relogin import errors
from relogin.client import Outcome, outcome
from relogin.client.requests import BodyNotReplayable, SessionAuth
from relogin.client.requests.body import rewind, watch
from tests.client.libraries.shapes import (
    PARTS,
    WHOLE,
    Again,
    Enveloped,
    FailingSeek,
    LyingSeek,
)
from tests.client.server import Answer, Server

ORIGIN = "http://127.0.0.1/"


class Sized(Again):
    def __len__(self) -> int:
        return len(WHOLE)


class BeginsEmpty(Again):
    def __iter__(self) -> Iterator[bytes]:
        return iter([b"", *PARTS])


class OneIterator(Again):
    def __iter__(self) -> Iterator[bytes]:
        return iter(self.around)


class Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("no position")

    def seek(self, *_: object) -> int:
        raise OSError("no position")


class FailingTell:
    """A body that can be read, but not iterated over, and that does not know its position."""

    def __init__(self) -> None:
        self.inner = io.BytesIO(WHOLE)

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(size)

    def tell(self) -> int:
        raise OSError("no position")


class ClosesItself(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        octets = super().read(size)
        if not octets:
            self.close()
        return octets


def at(body: Any, position: int) -> Any:
    body.seek(position)
    return body


def mapped() -> mmap.mmap:
    memory = mmap.mmap(-1, len(WHOLE))
    memory.write(WHOLE)
    memory.seek(0)
    return memory


REPLAYED: dict[str, Callable[[], Any]] = {
    "bytes": lambda: WHOLE,
    "str": WHOLE.decode,
    "bytearray": lambda: bytearray(WHOLE),
    "memoryview": lambda: memoryview(WHOLE),
    "array": lambda: array.array("b", WHOLE),
    "BytesIO": lambda: io.BytesIO(WHOLE),
    "BytesIO at an offset": lambda: at(io.BytesIO(b"head" + WHOLE), 4),
    "StringIO": lambda: io.StringIO(WHOLE.decode()),
    "mmap": mapped,
    "iterable": Again,
    "iterable with a length": Sized,
    "iterable that begins with nothing": BeginsEmpty,
}

NOT_REPLAYED: dict[str, Callable[[], Any]] = {
    "generator": lambda: (part for part in PARTS),
    "iterator": lambda: iter(PARTS),
    "chain": lambda: itertools.chain(PARTS),
    "progress bar around a generator": lambda: Again(part for part in PARTS),
    "envelope around a generator": lambda: Enveloped(part for part in PARTS[1:]),
    "iterable over one iterator": lambda: OneIterator(iter(PARTS)),
    "no position": lambda: Unseekable(WHOLE),
    "failing seek": lambda: FailingSeek(WHOLE),
    "lying seek": lambda: LyingSeek(WHOLE),
    "failing tell": FailingTell,
    "file that closes itself": lambda: ClosesItself(WHOLE),
    "multipart encoder": lambda: MultipartEncoder({"file": ("name", WHOLE, "text/plain")}),
}


def uploads(server: Server) -> list[bytes]:
    return [request.body for request in server.seen("/upload")]


@pytest.mark.requirement("C-25")
@pytest.mark.parametrize("shape", REPLAYED)
def test_a_body_that_can_be_read_again_arrives_whole(
    server: Server, dead: requests.Session, shape: str
) -> None:
    answer = dead.post(f"{server.url}/upload", data=REPLAYED[shape]())
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert uploads(server) == [WHOLE, WHOLE]


@pytest.mark.requirement("C-25")
@pytest.mark.parametrize("shape", NOT_REPLAYED)
def test_a_body_that_cannot_be_read_again_is_not_sent_short(
    server: Server, dead: requests.Session, shape: str
) -> None:
    answer = dead.post(f"{server.url}/upload", data=NOT_REPLAYED[shape]())
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(uploads(server)) == 1
    assert dead.get(f"{server.url}/after").history == []  # the session was renewed all the same


@pytest.mark.parametrize("shape", NOT_REPLAYED)
def test_strict_raises_where_a_body_is_spent(
    server: Server, session: requests.Session, shape: str
) -> None:
    session.auth = SessionAuth(server.login, server.url, strict=True)
    with pytest.raises(BodyNotReplayable) as caught:
        session.post(f"{server.url}/upload", data=NOT_REPLAYED[shape]())
    assert isinstance(caught.value, errors.BodyNotReplayable)
    assert isinstance(caught.value, requests.RequestException)
    error: Any = caught.value
    assert (error.response.status_code, error.request.url) == (401, f"{server.url}/upload")
    assert server.logins == 1


@pytest.mark.parametrize("offset", [0, 4])
def test_a_file_is_rewound_to_where_it_was(
    server: Server, dead: requests.Session, tmp_path: Path, offset: int
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"head"[:offset] + WHOLE)
    with path.open("rb") as file:
        file.seek(offset)
        assert dead.put(f"{server.url}/upload", data=file).status_code == 200
    assert uploads(server) == [WHOLE, WHOLE]


def test_a_pipe_is_not_sent_short(server: Server, dead: requests.Session) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = dead.post(f"{server.url}/upload", data=pipe)
    assert outcome(answer) is Outcome.RENEWED_NOT_REPLAYED
    assert uploads(server) == [b"from a pipe"]


def test_a_second_pass_that_begins_elsewhere_sends_nothing() -> None:
    prepared = requests.Request(
        "POST", "http://127.0.0.1/", data=Again(iter(PARTS)), auth=SessionAuth(_never, ORIGIN)
    ).prepare()
    body: Any = prepared.body
    assert next(iter(body)) == PARTS[0]  # refused before more of it was sent
    with pytest.raises(errors.BodyNotReplayable):
        next(iter(body))


def test_a_body_is_watched_once() -> None:
    auth = SessionAuth(_never, ORIGIN)
    prepared = requests.Request("POST", ORIGIN, data=Again(), auth=auth).prepare()
    body = prepared.body
    assert auth(prepared).body is body


def test_a_file_that_is_watched_again_after_it_was_sent_begins_where_it_began() -> None:
    prepared = requests.Request("POST", ORIGIN, data=at(io.BytesIO(b"head" + WHOLE), 4)).prepare()
    watch(prepared)
    body: Any = prepared.body
    body.read()
    watch(prepared)
    assert rewind(prepared)
    assert body.read() == WHOLE


def _never(_: object) -> None:
    raise AssertionError("no login is needed")


FORMS: dict[str, tuple[dict[str, Any], bytes]] = {
    "mapping": ({"data": {"a": "1", "b": ["2", "3"]}}, b"a=1&b=2&b=3"),
    "pairs": ({"data": [("a", "1"), ("a", "2")]}, b"a=1&a=2"),
    "json": ({"json": {"a": 1}}, b'{"a": 1}'),
    "nothing": ({}, b""),
    "empty bytes": ({"data": b""}, b""),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_requests_encodes_arrives_as_it_was(
    server: Server, dead: requests.Session, form: str
) -> None:
    sent, expected = FORMS[form]
    assert dead.post(f"{server.url}/upload", **sent).status_code == 200
    assert uploads(server) == [expected, expected]


def test_a_multipart_form_with_files_arrives_as_it_was(
    server: Server, dead: requests.Session
) -> None:
    files = {"file": ("name", io.BytesIO(WHOLE))}
    assert dead.post(f"{server.url}/upload", files=files, data={"a": "1"}).status_code == 200
    first, second = uploads(server)
    assert first == second
    assert WHOLE in first


def test_the_fields_that_tell_the_length_stay_as_they_were(
    server: Server, dead: requests.Session
) -> None:
    dead.post(f"{server.url}/upload", data=Sized())
    dead.post(f"{server.url}/upload", data=Again())
    fields = [
        (r.headers["Content-Length"], r.headers["Transfer-Encoding"])
        for r in server.seen("/upload")
    ]
    assert fields == [(str(len(WHOLE)), None)] * 2 + [(None, "chunked")]


@pytest.mark.parametrize("shape", ["iterable", "BytesIO", "bytes"])
def test_a_body_refused_before_it_was_read_arrives_whole(
    server: Server, dead: requests.Session, shape: str
) -> None:
    server.early = True  # and closes the connection, as a server does that decides on the fields
    answer = dead.post(f"{server.url}/upload", data=REPLAYED[shape]())
    assert answer.status_code == 200
    assert uploads(server) == [b"", WHOLE]


def test_a_redirected_iterable_is_not_sent_empty_either(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    server.routes["/moved"] = lambda _: Answer(307, (("Location", "/upload"),))
    with pytest.raises(errors.BodyNotReplayable):
        session.post(f"{server.url}/moved", data=(part for part in PARTS))
    assert uploads(server) == []
