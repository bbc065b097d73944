"""A login of aiohttp whose connection breaks: what was kept may be closed, and is tried once more.

It goes over the connections of the session that it is for, so its connection is mostly a kept one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from relogin.client.aiohttp import LoginUnavailable, SessionAuth
from relogin.client.logins import OAuth2Login
from tests.client.aiohttp.sessions import an_auth, got, run
from tests.client.breaking import dropping
from tests.client.server import Server


async def me(session: aiohttp.ClientSession, server: Server) -> int:
    return (await got(session, f"{server.url}/me"))[0]


@pytest.mark.parametrize("users_own", [False, True])
def test_a_login_whose_kept_connection_breaks_is_tried_once_more_on_a_new_one(
    server: Server, users_own: bool
) -> None:
    dropped = dropping(server, 1)

    async def main() -> None:
        async with aiohttp.ClientSession() as own:
            auth = an_auth(server, http=own if users_own else None)
            async with aiohttp.ClientSession(middlewares=[auth]) as session:
                keeping = own if users_own else session
                asking = [got(keeping, f"{server.url}/early", middlewares=()) for _ in range(3)]
                await asyncio.gather(*asking)  # so that others are kept beside the one that breaks
                assert await me(session, server) == 200

    asyncio.run(main())
    *before, first, second, _ = server.requests
    assert first is dropped[0]
    assert first.connection in {request.connection for request in before}
    assert second.connection not in {request.connection for request in before}
    assert (second.body, server.logins) == (first.body, 1)


def test_a_login_is_not_tried_a_third_time(server: Server) -> None:
    dropped = dropping(server, 3)

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(LoginUnavailable):
            await me(session, server)

    run(an_auth(server), main)
    assert len(dropped) == 2


def test_a_login_whose_new_connection_breaks_is_not_tried_again(server: Server) -> None:
    dropped = dropping(server, 3)

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(LoginUnavailable):
            async with session.post(f"{server.url}/upload", data=b"body"):
                pass  # that connection is closed

    run(an_auth(server), main)
    assert len(dropped) == 1


def test_a_login_whose_body_is_spent_is_not_tried_again(server: Server) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"secret"

    async def login(context: Any) -> str:
        async with context.http.post(f"{server.url}/login", data=pieces()) as answer:
            return str(await answer.text())

    dropped = dropping(server, 3)

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(LoginUnavailable):
            await me(session, server)

    run(an_auth(server, login), main)
    assert len(dropped) == 1


def test_a_refresh_token_is_not_sent_again_over_any_connection(server: Server) -> None:
    """The server may have spent it, and would take a second use for a theft."""
    dropped = dropping(server, 3)
    login = OAuth2Login(f"{server.url}/login", "me", refresh_token="r1")

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(LoginUnavailable):
            await me(session, server)

    run(SessionAuth(login), main)
    assert len(dropped) == 1


def test_a_login_whose_answer_breaks_off_is_not_tried_again() -> None:
    logins = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal logins
        while line := await reader.readline():
            while await reader.readline() > b"\r\n":
                pass
            if line.startswith(b"POST"):
                logins += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-")
                break
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as running:
            url = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"

            async def login(context: Any) -> str:
                async with context.http.post(f"{url}/login") as answer:
                    return str(await answer.text())

            auth = SessionAuth(login, url)
            async with aiohttp.ClientSession(middlewares=[auth]) as session:
                with pytest.raises(LoginUnavailable):
                    await got(session, url)

    asyncio.run(main())
    assert logins == 1
