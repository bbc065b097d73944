"""What a client keeps open, and which errors say that a kept connection was closed already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from relogin import LoginUnavailable
from relogin.client.aiohttp import SessionAuth as AiohttpAuth
from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.httpx import UploadTransport
from relogin.client.logins import JSONLogin
from relogin.client.logins.sending.connections import is_broken, kept_by, leave_broken
from relogin.client.requests import SessionAuth
from tests.client.breaking import dropping
from tests.client.log_in import context
from tests.client.server import Server, serve


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


def test_our_transport_of_httpx_keeps_the_connection_of_its_last_request(server: Server) -> None:
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


def test_a_host_that_other_threads_push_out_meanwhile_keeps_nothing(
    server: Server, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter: Any = session.get_adapter(server.url)
    adapter.poolmanager.connection_from_host("closed.example").close()
    session.get(server.url)
    there = adapter.poolmanager.pools.keys()
    monkeypatch.setattr(adapter.poolmanager.pools, "keys", lambda: ["pushed out", *there])
    assert len(kept_by(session)) == 1


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
        assert [one.is_gone() for one in kept] == [False, False]
    session.close()
    assert [one.is_gone() for one in kept] == [True, True]


def connections(server: Server) -> set[Any]:
    return {request.connection for request in server.requests}


def test_a_login_that_goes_again_closes_nothing_of_the_users_session_but_what_broke(
    server: Server, session: requests.Session
) -> None:
    closed: list[Own] = []

    class Counting(Own):
        def close(self) -> None:
            closed.append(self)

    session.mount("sqlite://", Counting())
    dropped = dropping(server, 1)
    with serve() as other, requests.Session() as asking:
        for url in (server.url, other.url):
            session.get(url)
        asking.auth = SessionAuth(server.login, server.url, http=session)
        assert asking.get(f"{server.url}/me").status_code == 200
        session.get(other.url)
        assert len(connections(other)) == 1
    assert (len(dropped), closed) == (1, [])


def test_all_idle_connections_to_the_server_that_broke_one_are_left(
    server: Server, session: requests.Session
) -> None:
    for answer in [session.get(server.url, stream=True) for _ in range(3)]:
        assert answer.content is not None
    kept = kept_by(session)
    assert not leave_broken(kept)
    assert not any(one.is_gone() for one in kept)
    adapter: Any = session.get_adapter(server.url)
    (pool_of_three,) = adapter.poolmanager.pools._container.values()
    broken = pool_of_three.pool.get_nowait()
    broken.close()
    assert leave_broken(kept)
    assert all(one.is_gone() for one in kept)
    assert pool_of_three.pool.qsize() == 99  # room for the one that is out, and no more
    pool_of_three.close()
    leave_broken(kept)


def test_aiohttp_keeps_its_connections_to_other_servers(server: Server) -> None:
    async def main(other: Server) -> None:
        async with aiohttp.ClientSession() as session:
            for url in (server.url, other.url):
                async with session.get(url) as answer:
                    await answer.read()
            kept = kept_by(session)
            connector: Any = session.connector
            (protocol, _), *_ = next(iter(connector._conns.values()))
            protocol.close()
            assert leave_broken(kept)
            assert [one.is_gone() for one in kept] == [True, False]
            assert len(kept_by(session)) == 1

    with serve() as other:
        asyncio.run(main(other))


def test_a_client_that_sends_again_by_itself_shows_no_connections(server: Server) -> None:
    auth = SessionAuth(server.login, server.url)
    with auth._open_http([], "") as ours:
        ours.get(server.url)
        assert not kept_by(ours)
    with ExitStack() as opened:
        client = HttpxAuth(server.login, server.url)._open_http(opened, None)
        client.get(server.url)
        assert not kept_by(client)

    async def main() -> None:
        async with AsyncExitStack() as opened:
            client = AiohttpAuth(server.login, server.url)._own(opened, None)
            async with client.get(server.url) as answer:
                await answer.read()
            assert not kept_by(client)

    asyncio.run(main())


@pytest.mark.parametrize("what", ["breaks while none is gone", "fails while one is gone"])
def test_a_request_goes_again_only_if_it_broke_and_a_kept_connection_is_gone(
    server: Server, session: requests.Session, what: str
) -> None:
    login = JSONLogin(f"{server.url}/login", {"user": "ada"})
    session.get(server.url)
    tried: list[str] = []

    class Failing(requests.adapters.HTTPAdapter):
        def send(self, request: Any, *args: Any, **sending: Any) -> Any:
            tried.append(request.url)
            if what == "fails while one is gone":
                session.get_adapter(server.other_host).close()
                raise requests.exceptions.InvalidHeader
            raise requests.ConnectionError from ConnectionResetError()

    session.get(server.other_host)
    session.mount(f"{server.url}/login", Failing())
    with pytest.raises(LoginUnavailable):
        login(context(session))
    assert len(tried) == 1


def test_a_function_is_called_again_only_if_a_connection_broke(
    server: Server, session: requests.Session
) -> None:
    called: list[object] = []

    def login(context: Any) -> None:
        called.append(context)
        session.get_adapter(server.url).close()
        raise ValueError

    session.get(server.url)
    with requests.Session() as asking:
        asking.auth = SessionAuth(login, server.url, http=session)
        with pytest.raises(LoginUnavailable):
            asking.get(server.url)
    assert len(called) == 1


class Cached(requests.adapters.HTTPAdapter):
    """An adapter that keeps something of the user's until it is closed."""

    closed: bool = False

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.mark.parametrize("path", ["/login", "/upload"])
def test_neither_a_login_nor_a_small_request_closes_the_adapter_that_it_shares(
    server: Server, session: requests.Session, path: str
) -> None:
    adapter = Cached()
    session.mount("http://", adapter)
    session.auth = SessionAuth(server.login, server.url)
    session.get(server.url)
    if path == "/login":
        server.kill()
        dropped = dropping(server, 1)
        assert session.get(server.url).status_code == 200
    else:
        for answer in [session.get(server.url, stream=True) for _ in range(2)]:
            assert answer.content is not None
        dropped = dropping(server, 2, path)
        with pytest.raises(requests.ConnectionError):
            session.put(f"{server.url}/upload", data=b"1")
        assert session.put(f"{server.url}/upload", data=b"2").status_code == 200
    assert (len(dropped), adapter.closed) == (1 if path == "/login" else 2, False)
