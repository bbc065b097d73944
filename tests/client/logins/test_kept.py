"""What a client keeps open, and which errors say that a kept connection was closed already."""

from __future__ import annotations

from typing import Any

import aiohttp
import httpx
import requests

from relogin.client.httpx import UploadTransport
from relogin.client.logins.kept import is_broken, keeps_a_connection
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
    assert not keeps_a_connection(session)
    session.get(server.url)
    assert keeps_a_connection(session)


def test_a_client_of_httpx_does_through_our_transport_too(server: Server) -> None:
    with httpx.Client(transport=UploadTransport()) as client:
        assert not keeps_a_connection(client)
        client.get(server.url)
        assert keeps_a_connection(client)


def test_of_what_shows_no_connections_nobody_can_tell(session: requests.Session) -> None:
    session.mount("http://", Own())
    assert not keeps_a_connection(session)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("http://a.example")
        assert not keeps_a_connection(client)
    assert not keeps_a_connection(None)


def test_an_answer_that_broke_off_had_begun() -> None:
    begun: Any = object()  # where aiohttp puts what it has read
    assert is_broken(aiohttp.ServerDisconnectedError())
    assert not is_broken(aiohttp.ServerDisconnectedError(begun))
    assert not is_broken(httpx.RemoteProtocolError("illegal status line"))
