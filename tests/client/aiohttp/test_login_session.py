"""What a login gets over aiohttp: connections, cookies and timeouts of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import aiohttp
import pytest
import requests

import relogin
from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.aiohttp import LoginUnavailable, SessionAuth
from relogin.client.logins import JSONLogin
from tests.client.aiohttp.sessions import JSON, an_auth, got, login_of, run
from tests.client.server import PASSWORD, Answer, Server


def test_a_client_that_the_user_gives_is_the_login_s(server: Server) -> None:
    async def main() -> tuple[int, bytes, str]:
        async with aiohttp.ClientSession(headers={"X-Mine": "yes"}) as mine:
            auth = an_auth(server, http=mine)
            async with aiohttp.ClientSession(middlewares=[auth]) as session:
                return await got(session, f"{server.url}/orders")

    assert asyncio.run(main())[0] == 200
    assert server.seen("/login")[0].headers["X-Mine"] == "yes"


def test_a_ready_made_login_takes_the_client_that_it_is_given(server: Server) -> None:
    token = b'{"access_token": "s3cret"}'
    server.routes["/token"] = lambda _: Answer(200, (JSON,), token)
    server.living = "s3cret"

    async def main() -> tuple[int, bytes, str]:
        login = JSONLogin(f"{server.url}/token", {"user": "ada", "password": PASSWORD})
        async with aiohttp.ClientSession(headers={"X-Mine": "yes"}) as mine:
            auth = SessionAuth(login, http=mine)
            async with aiohttp.ClientSession(middlewares=[auth]) as session:
                return await got(session, f"{server.url}/orders")

    assert asyncio.run(main()) == (200, b"content", "replayed")
    assert server.seen("/token")[0].headers["X-Mine"] == "yes"


def test_a_session_of_requests_goes_with_a_login_that_is_called(server: Server) -> None:
    with requests.Session() as mine:
        mine.headers["X-Mine"] = "yes"
        auth = an_auth(server, server.login, http=mine)
        assert run(auth, lambda s: got(s, f"{server.url}/orders"))[0] == 200
    assert server.seen("/login")[0].headers["X-Mine"] == "yes"


def test_a_client_of_the_wrong_kind_is_named(server: Server) -> None:
    async def main() -> list[str]:
        texts = []
        async with aiohttp.ClientSession() as awaited:
            with requests.Session() as called:
                for http, login in ((called, login_of(server)), (awaited, server.login)):
                    auth = an_auth(server, login, http=http)
                    async with aiohttp.ClientSession(middlewares=[auth]) as session:
                        with pytest.raises(LoginUnavailable) as caught:
                            await got(session, f"{server.url}/orders")
                        texts.append(str(caught.value.__cause__))
        return texts

    assert asyncio.run(main()) == [
        "http= is of requests.Session; this login needs ClientSession",
        "http= is of aiohttp.ClientSession; this login needs Session",
    ]


def test_a_grant_may_hold_the_jar_or_the_cookies_of_an_answer(server: Server) -> None:
    server.binding = "cookie"

    async def with_jar(context: Any) -> Grant:
        async with context.http.post(f"{server.url}/login"):
            return Grant(cookies=context.http.cookie_jar)

    async def with_cookies(context: Any) -> Grant:
        async with context.http.post(f"{server.url}/login") as answer:
            return Grant(cookies=answer.cookies)

    for login in (with_jar, with_cookies):
        auth = an_auth(server, login)
        assert run(auth, lambda s: got(s, f"{server.url}/orders"))[0] == 200


def test_a_client_that_is_closed_while_it_logs_in_fails_no_other(server: Server) -> None:
    given_up, repeated = threading.Event(), threading.Event()
    server.login_gates.extend([given_up, repeated])
    auth = an_auth(server)

    async def main() -> tuple[int, bytes, str]:
        leading = aiohttp.ClientSession(middlewares=[auth])
        leader = asyncio.create_task(got(leading, f"{server.url}/lead"))
        await asyncio.to_thread(server.login_began.acquire)
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            waiter = asyncio.create_task(got(session, f"{server.url}/wait"))
            await asyncio.to_thread(server.wait_for, "/wait", 1)
            await leading.close()
            with pytest.raises(aiohttp.ClientConnectionError, match="Session is closed"):
                await leader
            given_up.set()  # first: it would end the session of a login before it
            await asyncio.to_thread(server.wait_until, lambda: server.logins == 1)
            repeated.set()
            return await waiter

    assert asyncio.run(main())[0] == 200
    assert not server.seen("/lead")[1:]


def test_the_outcome_is_told_of_an_error_s_response_too(server: Server) -> None:
    def refuse(_: object) -> str:
        raise relogin.LoginRefused("no")

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(relogin.LoginRefused) as caught:
            await got(session, f"{server.url}/orders")
        assert outcome(caught.value.response) is Outcome.REFUSED

    run(an_auth(server, refuse), main)
