"""Whoever reads a body after a look into it gets every octet as it came on the wire."""

import gzip
import io
import random
import shutil
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from relogin.client.requests.lookahead import Lookahead
from tests.client.server import Answer, Server

CONTENT = random.Random(5).randbytes(30_000) * 3 + b"\nlast line"
ENCODED = {"": CONTENT, "gzip": gzip.compress(CONTENT, mtime=0), "deflate": zlib.compress(CONTENT)}


def copied(response: requests.Response) -> bytes:
    with io.BytesIO() as file:
        shutil.copyfileobj(response.raw, file)
        return file.getvalue()


def by_read1(response: requests.Response) -> bytes:
    return b"".join(iter(lambda: response.raw.read1(1000, decode_content=True), b""))


WAYS: dict[str, Callable[[requests.Response], bytes]] = {
    "content": lambda response: response.content,
    "iter_content": lambda response: b"".join(response.iter_content(777)),
    "iter_content(None)": lambda response: b"".join(response.iter_content(None)),
    "raw.read": lambda response: response.raw.read(),
    "raw.read(decoded)": lambda response: response.raw.read(decode_content=True),
    "raw.read1": by_read1,
    "raw.data": lambda response: response.raw.data,
    "copyfileobj": copied,
}


def pieces(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), 5_000):
        yield octets[start : start + 5_000]


@pytest.mark.parametrize("looks", [0, 1, 3, 50])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("encoding", list(ENCODED))
@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_to_read_a_body_reads_what_it_reads_without_the_look(
    server: Server, session: requests.Session, way: str, encoding: str, chunked: bool, looks: int
) -> None:
    octets = ENCODED[encoding]
    headers = (("Content-Encoding", encoding),) if encoding else ()
    server.routes["/a"] = lambda request: Answer(
        200, headers, pieces(octets) if chunked else octets
    )
    plain = session.get(f"{server.url}/a", stream=True)
    looked = session.get(f"{server.url}/a", stream=True)
    peek = Lookahead(looked, streamed=True)
    seen = b"".join(peek.more() for _ in range(looks))
    assert CONTENT.startswith(seen)
    assert bool(seen) == bool(looks)
    assert WAYS[way](looked) == WAYS[way](plain)
    assert looked.raw.closed


def test_the_connection_is_used_again_after_the_body_was_read(
    server: Server, session: requests.Session
) -> None:
    server.routes["/a"] = lambda request: Answer(200, (), pieces(CONTENT))
    for _ in range(2):
        response = session.get(f"{server.url}/a", stream=True)
        Lookahead(response, streamed=True).more()
        assert response.content == CONTENT
    assert len({request.connection for request in server.requests}) == 1


def test_a_response_that_is_closed_gives_its_place_in_the_pool_back(
    server: Server,
) -> None:
    server.routes["/a"] = lambda request: Answer(200, (), pieces(CONTENT))
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True))
        for _ in range(3):
            response = session.get(f"{server.url}/a", stream=True)
            Lookahead(response, streamed=True).more()
            response.close()
            assert response.content == b""


def test_what_comes_as_chunks_is_read_as_it_comes(
    server: Server, session: requests.Session
) -> None:
    go_on = threading.Event()

    def events() -> Iterator[bytes]:
        yield b"first\n"
        go_on.wait(10)
        yield b"second\n"
        yield b"third\n"

    server.routes["/a"] = lambda request: Answer(200, (), events())
    response = session.get(f"{server.url}/a", stream=True)
    assert Lookahead(response, streamed=True).more() == b"first\n"
    read = response.iter_lines()
    assert next(read) == b"first"
    go_on.set()
    assert list(read) == [b"second", b"third"]


def broken(request: Any) -> Answer:
    return Answer(200, (("Content-Encoding", "gzip"),), b"no gzip")


def test_a_body_that_cannot_be_decoded_fails_where_it_is_read(
    server: Server, session: requests.Session
) -> None:
    server.routes["/a"] = broken
    response = session.get(f"{server.url}/a", stream=True)
    peek = Lookahead(response, streamed=True)
    assert (peek.more(), peek.more()) == (b"", b"")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        _ = response.content


def test_a_body_that_breaks_off_fails_where_it_is_read(
    server: Server, session: requests.Session
) -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    server.routes["/a"] = lambda request: Answer(200, (), half())
    response = session.get(f"{server.url}/a", stream=True)
    peek = Lookahead(response, streamed=True)
    assert (peek.more(), peek.more(), peek.more()) == (b"half", b"", b"")
    read = response.iter_content(None)
    assert next(read) == b"half"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        next(read)


def test_a_body_that_is_shorter_than_it_said_fails_where_it_is_read(
    session: requests.Session,
) -> None:
    class Short(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with socketserver.TCPServer(("127.0.0.1", 0), Short) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        response = session.get(f"http://127.0.0.1:{server.server_address[1]}", stream=True)
        thread.join()
    assert Lookahead(response, streamed=True).more() == b"half"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = response.content


@pytest.mark.parametrize("status", [200, 204])
def test_a_body_that_is_none_has_nothing_to_see(
    server: Server, session: requests.Session, status: int
) -> None:
    server.routes["/a"] = lambda request: Answer(status)
    for method in ("GET", "HEAD"):
        response = session.request(method, f"{server.url}/a", stream=True)
        assert Lookahead(response, streamed=True).more() == b""
        assert response.content == b""


def test_a_body_that_nobody_streams_is_read_to_its_end(
    server: Server, session: requests.Session
) -> None:
    server.routes["/a"] = lambda request: Answer(200, (), CONTENT)
    response = session.get(f"{server.url}/a", stream=True)
    peek = Lookahead(response, streamed=False)
    assert (peek.more(), peek.more()) == (CONTENT, b"")
    assert response.content == CONTENT


def test_a_body_of_another_adapter_is_left_alone() -> None:
    response = requests.Response()
    response.raw = io.BytesIO(b"mine")
    assert Lookahead(response, streamed=True).more() == b""
    assert response.raw.read() == b"mine"
