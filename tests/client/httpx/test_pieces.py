"""Long bytes are sent in pieces: over HTTP/2, httpx would copy what is left for each frame."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from relogin.client.httpx import AsyncUploadTransport, SessionAuth, UploadTransport
from tests.client.httpx_drivers import Driver
from tests.client.server import Server

LONG = bytes(range(256)) * 1000
SHORT = LONG[: 64 * 1024]


class Sent(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Refuses the first request, and keeps the pieces of each."""

    def __init__(self) -> None:
        self.pieces: list[list[bytes]] = []

    def _answer(self, pieces: list[bytes]) -> httpx.Response:
        self.pieces.append(pieces)
        return httpx.Response(401 if len(self.pieces) == 1 else 200)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        stream: Any = request.stream
        return self._answer(list(stream))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stream: Any = request.stream
        return self._answer([piece async for piece in stream])


def sent(driver: Driver, server: Server, body: bytes) -> list[list[bytes]]:
    inner = Sent()
    transport: Any = AsyncUploadTransport(inner) if driver.is_async else UploadTransport(inner)
    auth = SessionAuth(lambda _: "new", server.url)
    client = driver.open(auth=auth, transport=transport)
    assert client.post(f"{server.url}/upload", content=body).status_code == 200
    return inner.pieces


def test_long_bytes_go_in_pieces_and_whole_each_time(driver: Driver, server: Server) -> None:
    first, second = sent(driver, server, LONG)
    assert b"".join(first) == LONG
    assert max(map(len, first)) == len(SHORT)
    assert first == second


@pytest.mark.parametrize("body", [SHORT, b"x", b""])
def test_short_bytes_go_at_once(driver: Driver, server: Server, body: bytes) -> None:
    assert sent(driver, server, body) == [[body], [body]]


def test_a_stream_of_the_users_own_is_sent_as_it_is(driver: Driver, server: Server) -> None:
    class Own(httpx.ByteStream):
        """Bytes that tell how far they are sent, say."""

    inner = Sent()
    transport: Any = AsyncUploadTransport(inner) if driver.is_async else UploadTransport(inner)
    request = httpx.Request("POST", f"{server.url}/upload", stream=Own(LONG))
    driver.run(driver.open(transport=transport).client.send, request)
    assert inner.pieces == [[LONG]]
