"""Bodies over aiohttp: sent again whole, or not at all."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import relogin
from relogin.client import outcome
from relogin.client.aiohttp import BodyNotReplayable, SessionAuth
from relogin.client.logins import DigestLogin
from tests.client.aiohttp.sessions import an_auth, got, run
from tests.client.digest_site import PASSWORD as DIGEST_PASSWORD
from tests.client.digest_site import DigestSite
from tests.client.libraries.shapes import (
    PARTS,
    WHOLE,
    AgainAsync,
    EnvelopedAsync,
    LyingSeek,
    produced,
)
from tests.client.server import Answer, Request, Server, flood


async def posted(session: aiohttp.ClientSession, url: str, data: Any, **options: Any) -> Any:
    async with session.post(url, data=data, **options) as answer:
        return answer.status, await answer.read(), str(outcome(answer))


def test_a_second_pass_that_is_short_is_cut_off_and_told(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> Any:
        return await posted(session, f"{server.url}/orders", EnvelopedAsync(iter(PARTS[1:])))

    assert run(an_auth(server), main) == (401, b"refused", "renewed_not_replayed")
    assert [request.body for request in server.seen("/orders")] == [WHOLE]


def test_a_body_that_cannot_go_again_raises_where_that_is_asked_for(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(BodyNotReplayable) as caught:
            await posted(session, f"{server.url}/orders", AgainAsync(produced()))
        assert await caught.value.response.read() == b"refused"

    run(an_auth(server, strict=True), main)


def test_a_body_that_is_read_in_tasks_only_is_not_signed_and_so_not_sent(server: Server) -> None:
    site = DigestSite(server, "SHA-256", "auth-int")
    auth = SessionAuth(DigestLogin(site.user, DIGEST_PASSWORD), server.url)

    async def main(session: aiohttp.ClientSession) -> Any:
        return await posted(session, f"{server.url}/orders", AgainAsync())

    status_code, _, done = run(auth, main)
    assert (status_code, done) == (401, "renewed_not_replayed")


def test_a_file_that_was_read_to_be_signed_and_cannot_go_back_is_not_sent(server: Server) -> None:
    site = DigestSite(server, "SHA-256", "auth-int")
    auth = SessionAuth(DigestLogin(site.user, DIGEST_PASSWORD), server.url)

    async def main(session: aiohttp.ClientSession) -> Any:
        await got(session, f"{server.url}/orders")
        with pytest.raises(relogin.BodyNotReplayable, match="read to sign it"):
            await posted(session, f"{server.url}/orders", LyingSeek(WHOLE))

    run(auth, main)


def test_a_length_that_the_user_gave_is_kept(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> Any:
        options = {"headers": {"Content-Length": str(len(WHOLE))}}
        return await posted(session, f"{server.url}/orders", AgainAsync(), **options)

    assert run(an_auth(server), main) == (200, WHOLE, "replayed")


def posted_through(middleware: Any, server: Server) -> Any:
    """Post a body that can be repeated, past a middleware of the user's below ours."""

    async def main() -> Any:
        auth = an_auth(server)
        async with aiohttp.ClientSession(middlewares=[auth, middleware]) as session:
            return await posted(session, f"{server.url}/orders", AgainAsync())

    return asyncio.run(main())


def test_a_repeated_body_shows_nothing_of_itself(server: Server) -> None:
    async def spying(request: Any, handler: Any) -> Any:
        with pytest.raises(TypeError):
            request.body.decode()
        return await handler(request)

    assert posted_through(spying, server) == (200, WHOLE, "replayed")


def test_a_repeated_body_can_be_written_whole(server: Server) -> None:
    class Writer:
        octets = b""

        async def write(self, piece: bytes) -> None:
            self.octets += piece

    async def reading(request: Any, handler: Any) -> Any:
        writer = Writer()
        await request.body.write(writer)
        assert writer.octets == WHOLE
        return await handler(request)

    assert posted_through(reading, server) == (200, WHOLE, "replayed")


def test_an_upload_that_is_still_under_way_is_ended_before_it_goes_again(server: Server) -> None:
    server.early = True
    huge = b"x" * 20_000_000

    async def main(session: aiohttp.ClientSession) -> Any:
        return await posted(session, f"{server.url}/orders", io.BytesIO(huge))

    code, body, done = run(an_auth(server), main)
    assert (code, len(body), done) == (200, len(huge), "replayed")


def test_a_failure_of_the_replay_itself_is_passed_on(server: Server) -> None:
    async def broken(request: Any, handler: Any) -> Any:
        if "Authorization" in request.headers:
            raise aiohttp.ClientError("broken")
        return await handler(request)

    async def main() -> None:
        auth = an_auth(server)
        async with aiohttp.ClientSession(middlewares=[auth, broken]) as session:
            with pytest.raises(aiohttp.ClientError, match="broken"):
                await got(session, f"{server.url}/orders")

    asyncio.run(main())


async def refusing(context: object) -> None:
    raise relogin.LoginRefused("wrong")


def test_a_401_that_ends_in_an_exception_gives_its_connection_back(server: Server) -> None:
    server.refusal_body = flood

    async def main() -> None:
        auth, kept = an_auth(server, refusing), []
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(middlewares=[auth], connector=connector) as session:
            for _ in range(3):
                with pytest.raises(relogin.LoginRefused) as caught:
                    await got(session, f"{server.url}/orders", timeout=aiohttp.ClientTimeout(5))
                kept.append(caught.value)

    asyncio.run(main())
    assert len(server.seen("/orders")) == 3


def test_a_response_that_is_not_believed_gives_its_connection_back(server: Server) -> None:
    site = DigestSite(server, proves=False)
    auth = SessionAuth(DigestLogin(site.user, DIGEST_PASSWORD), server.url)

    def endless(request: Request) -> Answer:
        given = site.answer(request)
        return replace(given, body=flood()) if given.status == 200 else given

    async def main() -> None:
        connector, kept = aiohttp.TCPConnector(limit=1), []
        async with aiohttp.ClientSession(middlewares=[auth], connector=connector) as session:
            for _ in range(2):
                with pytest.raises(relogin.LoginUnavailable) as caught:
                    await got(session, f"{server.url}/orders", timeout=aiohttp.ClientTimeout(5))
                kept.append(caught.value)

    server.answers = endless
    asyncio.run(main())


def test_a_body_waits_for_100_each_time_it_is_sent() -> None:
    asked = []

    async def orders(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Expect"))
        body = await request.read()
        if request.headers.get("Authorization") != 'Session token="t"':
            return web.Response(status=401, headers={"WWW-Authenticate": 'Session realm="api"'})
        return web.Response(body=body)

    async def main() -> Any:
        app = web.Application()
        app.router.add_post("/orders", orders)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        auth = SessionAuth(lambda _: "t", f"http://127.0.0.1:{port}")
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            url = f"http://127.0.0.1:{port}/orders"
            answer = await posted(session, url, WHOLE, expect100=True)
        await runner.cleanup()
        return answer

    assert asyncio.run(main()) == (200, WHOLE, "replayed")
    assert asked == ["100-continue", "100-continue"]
