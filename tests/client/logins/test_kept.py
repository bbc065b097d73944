"""What a client keeps open, and which errors say that a kept connection was closed already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from relogin.client.httpx import UploadTransport
from relogin.client.logins.kept import is_broken, kept_by
from tests.client.server import Server


class Own(requests.adapters.BaseAdapter):
    """An adapter that shows no connections."""

    def send(self, *args: Any, **sending: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        pass


def test_a_session_of_requests_keeps_the_connection_of_its_last_request(
    server: Server, session: requests.Session
) -> None:
    assert not kept_by(session)
    session.get(server.url)
    assert kept_by(session)


def test_a_client_of_httpx_does_through_our_transport_too(server: Server) -> None:
    with httpx.Client(transport=UploadTransport()) as client:
        assert not kept_by(client)
        client.get(server.url)
        assert kept_by(client)


def test_of_what_shows_no_connections_nobody_can_tell(session: requests.Session) -> None:
    session.mount("http://", Own())
    assert not kept_by(session)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("http://a.example")
        assert not kept_by(client)
    assert not kept_by(None)


def test_an_answer_that_broke_off_had_begun() -> None:
    begun: Any = object()  # where aiohttp puts what it has read
    assert is_broken(aiohttp.ServerDisconnectedError())
    assert not is_broken(aiohttp.ServerDisconnectedError(begun))
    assert not is_broken(httpx.RemoteProtocolError("illegal status line"))


def test_an_answer_of_httpx_or_requests_that_broke_off_had_begun() -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("reset")

    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=half()))
    with httpx.Client(transport=answer) as client, pytest.raises(httpx.ReadError) as broke:
        client.get("http://a.example")
    assert not is_broken(broke.value)
    assert is_broken(httpx.ReadError("reset"))
    reset = requests.exceptions.ChunkedEncodingError(ConnectionResetError())
    reset.__cause__ = ConnectionResetError()
    assert not is_broken(reset)


def test_a_kept_connection_is_gone_once_it_is_closed(
    server: Server, session: requests.Session
) -> None:
    session.get(server.url)
    with httpx.Client() as client:
        client.get(server.url)
        kept = [*kept_by(session), *kept_by(client)]
        assert [gone() for gone in kept] == [False, False]
    session.close()
    assert [gone() for gone in kept] == [True, True]
