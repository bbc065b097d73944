"""What is aiohttp's own: its timeouts, traces, hooks, WebSockets and connectors."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from relogin import Grant
from relogin.client.aiohttp import SessionAuth
from relogin.client.carry import Header, Query
from relogin.client.events import Event, EventKind
from relogin.client.signals import status
from relogin.client.stores.memory import MemoryStore
from relogin.client.terms.answer import Answer as SignalAnswer
from tests.client.aiohttp.sessions import an_auth, got, login_of, run
from tests.client.server import Answer, Request, Server, serve


def test_a_401_that_outlasted_a_login_is_forgotten_once_such_a_request_is_accepted(
    server: Server,
) -> None:
    right = threading.Event()

    def change_password(request: Request) -> Answer:
        alive = (server.living or "nobody") in (request.headers.get("Authorization") or "")
        return Answer(200 if alive and right.is_set() else 401)

    async def main(session: aiohttp.ClientSession) -> list[str]:
        told = [(await got(session, f"{server.url}/password"))[2]]
        right.set()
        told.append((await got(session, f"{server.url}/password"))[2])
        server.living = None
        return [*told, (await got(session, f"{server.url}/password"))[2]]

    server.routes["/password"] = change_password
    assert run(an_auth(server), main) == ["refused_again", "untouched", "replayed"]


# Timeouts, traces, hooks


def test_raise_for_status_sees_only_the_answer_to_the_replay(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> None:
        assert (await got(session, f"{server.url}/orders"))[0] == 200
        server.refuse_all = True
        with pytest.raises(aiohttp.ClientResponseError, match="401"):
            await got(session, f"{server.url}/orders")

    run(an_auth(server), main, raise_for_status=True)


def test_the_total_timeout_counts_the_login_and_leaves_no_renewal_behind(server: Server) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(TimeoutError):
            await got(session, f"{server.url}/orders", timeout=aiohttp.ClientTimeout(total=0.3))
        gate.set()
        assert (await got(session, f"{server.url}/orders"))[0] == 200

    run(an_auth(server), main)


def test_traces_see_each_transmission(server: Server) -> None:
    seen = []
    trace = aiohttp.TraceConfig()

    async def note(_: object, __: object, sent: aiohttp.TraceRequestHeadersSentParams) -> None:
        seen.append(sent.headers.get("Authorization"))

    trace.on_request_headers_sent.append(note)
    run(an_auth(server), lambda s: got(s, f"{server.url}/orders"), trace_configs=[trace])
    assert seen == [None, 'Session token="s3cret-1"']


def test_a_connector_with_room_for_one_serves_the_login_too(server: Server) -> None:
    async def main() -> tuple[int, bytes, str]:
        connector = aiohttp.TCPConnector(limit=1)
        auth = an_auth(server)
        async with aiohttp.ClientSession(middlewares=[auth], connector=connector) as session:
            return await got(session, f"{server.url}/orders")

    assert asyncio.run(main()) == (200, b"content", "replayed")
    assert len({request.connection for request in server.requests}) == 1


def test_a_middleware_beneath_may_read_the_401(server: Server) -> None:
    async def reading(request: Any, handler: Any) -> Any:
        answer = await handler(request)
        await answer.read()
        return answer

    async def main() -> tuple[int, bytes, str]:
        auth = an_auth(server, signals=[status(440)])
        async with aiohttp.ClientSession(middlewares=[auth, reading]) as session:
            return await got(session, f"{server.url}/orders")

    assert asyncio.run(main()) == (200, b"content", "replayed")


# WebSockets


def empty(answer: SignalAnswer) -> str | None:
    """A signal for servers that have nothing to say to a dead session."""
    return None if answer.text else "session_expired"


def test_a_refused_handshake_is_renewed_for_and_tried_again() -> None:
    living: list[str] = []

    async def log_in(_: web.Request) -> web.Response:
        living.append("t")
        return web.Response(text="t")

    async def chat(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != 'Session token="t"' or not living:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Session realm="api"'})
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("hello")
        await ws.close()
        return ws

    async def main() -> list[str]:
        app, heard = web.Application(), list[str]()
        app.router.add_get("/chat", chat)
        app.router.add_post("/login", log_in)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"

        async def login(context: Any) -> str:
            async with context.http.post(f"{url}/login") as answer:
                return str(await answer.text())

        auth = SessionAuth(login, url, signals=[empty])
        async with aiohttp.ClientSession(middlewares=[auth]) as session:
            for _ in range(2):  # the second time with a living session
                async with session.ws_connect(url.replace("http:", "ws:") + "/chat") as ws:
                    heard.append(await ws.receive_str())
        await runner.cleanup()
        return heard

    assert asyncio.run(main()) == ["hello", "hello"]
    assert living == ["t"]


# Ahead of time, in stores, other places


def test_a_session_is_renewed_ahead_of_its_end(server: Server) -> None:
    async def login(context: Any) -> Grant:
        grant = await login_of(server)(context)
        return Grant(token=grant.token, expires_in=0.001)

    async def main(session: aiohttp.ClientSession) -> None:
        await got(session, f"{server.url}/orders")
        await asyncio.sleep(0.01)
        assert (await got(session, f"{server.url}/orders"))[2] == "untouched"

    run(an_auth(server, login), main)
    assert server.logins == 2


def test_a_store_is_asked_before_each_request_where_that_is_wanted(server: Server) -> None:
    store = MemoryStore()
    first, second = (an_auth(server, store=store, fresh="always") for _ in range(2))
    for auth in (first, second):
        assert run(auth, lambda s: got(s, f"{server.url}/orders"))[0] == 200
    assert server.logins == 1


def test_who_listens_hears_of_a_challenge_beside_a_200(server: Server) -> None:
    told: list[Event] = []
    lapsed = ("WWW-Authenticate", 'Session realm="api", error="session_expired"')
    server.answers = lambda _: Answer(200, (lapsed,), b"public")
    auth = an_auth(server, on_event=told.append)
    run(auth, lambda s: got(s, f"{server.url}/news"))
    assert [event.kind for event in told] == [EventKind.LAPSED]


@pytest.mark.parametrize("carry", [Header("X-Auth-Token"), Query("token")])
def test_a_token_travels_as_it_is_told_to(server: Server, carry: Any) -> None:
    def check(request: Any) -> Answer:
        given = request.headers.get("X-Auth-Token") or request.path.partition("token=")[2]
        if given == server.living is not None:
            return Answer(200, body=b"content")
        return Answer(401)

    async def main(session: aiohttp.ClientSession) -> None:
        server.answers = lambda r: server._log_in() if r.path == "/login" else check(r)
        for _ in range(2):
            assert (await got(session, f"{server.url}/orders"))[0] == 200
            server.kill()

    run(an_auth(server, carry=carry), main)
    assert server.logins == 2


def test_a_carried_header_goes_to_no_other_origin(server: Server) -> None:
    with serve() as foreign:
        server.routes["/away"] = lambda _: Answer(302, (("Location", f"{foreign.url}/caught"),))
        auth = an_auth(server, lambda _: Grant(token="t", headers={"X-CSRF-Token": "c"}))

        async def main(session: aiohttp.ClientSession) -> None:
            await got(session, f"{server.url}/orders")
            await got(session, f"{server.url}/away")

        run(auth, main)
        (caught,) = foreign.seen("/caught")
        assert not {"Authorization", "X-CSRF-Token"} & set(caught.headers)
