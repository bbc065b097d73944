"""What is aiohttp's own: its time-outs, traces, hooks, streams, connectors and WebSockets."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web

import relogin
from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.aiohttp import BodyNotReplayable, LoginUnavailable, SessionAuth
from relogin.client.carry import Header, Query
from relogin.client.events import Event, EventKind
from relogin.client.logins import DigestLogin, JSONLogin
from relogin.client.signals import json_field, status
from relogin.client.stores.memory import MemoryStore
from tests.client.digest_site import PASSWORD as DIGEST_PASSWORD
from tests.client.digest_site import DigestSite
from tests.client.libraries.shapes import PARTS, WHOLE, AgainAsync, LyingSeek, produced
from tests.client.server import PASSWORD, Answer, Request, Server, serve

JSON = ("Content-Type", "application/json")
LOST = b'{"success": false, "message": "please log in"}'


def login_of(server: Server) -> Callable[[Any], Coroutine[Any, Any, Grant]]:
    async def login(context: Any) -> Grant:
        url, password = f"{server.url}/login", {"password": PASSWORD}
        async with context.http.post(url, data=password) as answer:
            return Grant(token=await answer.text())

    return login


def an_auth(server: Server, login: Any = None, **options: Any) -> SessionAuth:
    return SessionAuth(login or login_of(server), server.url, **options)


def run(
    auth: SessionAuth,
    do: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, Any]],
    **options: Any,
) -> Any:
    async def main() -> Any:
        async with aiohttp.ClientSession(middlewares=[auth], **options) as session:
            return await do(session)

    return asyncio.run(main())


async def got(session: aiohttp.ClientSession, url: str, **options: Any) -> tuple[int, bytes, str]:
    async with session.get(url, **options) as answer:
        return answer.status, await answer.read(), str(outcome(answer))


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


# Time-outs, traces, hooks


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


# Bodies


class Short(AgainAsync):
    """Begins as it did before, and ends too soon the second time."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PARTS[0]
        for part in self.around:
            yield part


async def posted(session: aiohttp.ClientSession, url: str, data: Any, **options: Any) -> Any:
    async with session.post(url, data=data, **options) as answer:
        return answer.status, await answer.read(), str(outcome(answer))


def test_a_second_pass_that_is_short_is_cut_off_and_told(server: Server) -> None:
    async def main(session: aiohttp.ClientSession) -> Any:
        return await posted(session, f"{server.url}/orders", Short(iter(PARTS[1:])))

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


def test_a_repeated_body_shows_nothing_of_itself(server: Server) -> None:
    async def spying(request: Any, handler: Any) -> Any:
        with pytest.raises(TypeError):
            request.body.decode()
        return await handler(request)

    async def main() -> Any:
        auth = an_auth(server)
        async with aiohttp.ClientSession(middlewares=[auth, spying]) as session:
            return await posted(session, f"{server.url}/orders", AgainAsync())

    assert asyncio.run(main()) == (200, WHOLE, "replayed")


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

    async def main() -> Any:
        auth = an_auth(server)
        async with aiohttp.ClientSession(middlewares=[auth, reading]) as session:
            return await posted(session, f"{server.url}/orders", AgainAsync())

    assert asyncio.run(main()) == (200, WHOLE, "replayed")


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


# Signals and streams


def test_a_signal_is_seen_in_the_body_and_nothing_of_it_lost(server: Server) -> None:
    server.answers = lambda _: Answer(200, (JSON,), LOST)
    auth = an_auth(server, lambda _: None, signals=[json_field("success", False)])
    answer = run(auth, lambda s: got(s, f"{server.url}/orders"))
    assert answer == (200, LOST, "declined")


def test_a_signalled_answer_is_renewed_for(server: Server) -> None:
    server.challenges = lambda error: ()
    server.refusal_status, server.refusal_headers = 200, (JSON,)
    server.refusal_body = lambda: LOST
    auth = an_auth(server, signals=[json_field("success", False)])
    answer = run(auth, lambda s: got(s, f"{server.url}/orders"))
    assert answer == (200, b"content", "replayed")


def test_a_long_stream_is_read_no_further_than_a_signal_looks(server: Server) -> None:
    go_on = threading.Event()

    def stream() -> Any:
        yield b'{"success": true, "rows": ['
        go_on.wait(10)
        yield b"1]}"

    server.answers = lambda _: Answer(200, (JSON,), stream())

    async def main(session: aiohttp.ClientSession) -> bytes:
        async with session.get(f"{server.url}/rows") as answer:
            go_on.set()
            return await answer.read()

    auth = an_auth(server, signals=[json_field("success", False)])
    assert run(auth, main) == b'{"success": true, "rows": [1]}'


def test_a_broken_answer_breaks_for_its_reader(server: Server) -> None:
    def broken() -> Any:
        yield b"{"
        raise ConnectionAbortedError

    server.answers = lambda _: Answer(200, (JSON,), broken())

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.ClientPayloadError):
            await got(session, f"{server.url}/rows")

    run(an_auth(server, signals=[json_field("success", False)]), main)


def test_a_signal_leaves_a_long_answer_to_its_reader(server: Server) -> None:
    long = LOST + b" " * 200_000
    server.answers = lambda _: Answer(200, (JSON,), iter([long]))
    auth = an_auth(server, lambda _: None, signals=[json_field("success", False)])
    assert run(auth, lambda s: got(s, f"{server.url}/orders")) == (200, long, "declined")


# WebSockets


def test_a_refused_handshake_is_renewed_for_and_tried_again() -> None:
    living: set[str] = set()

    async def log_in(_: web.Request) -> web.Response:
        living.add("t")
        return web.Response(text="t")

    async def chat(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != 'Session token="t"' or not living:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Session realm="api"'})
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("hello")
        await ws.close()
        return ws

    async def main() -> str:
        app = web.Application()
        app.router.add_get("/chat", chat)
        app.router.add_post("/login", log_in)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"

        async def login(context: Any) -> str:
            async with context.http.post(f"{url}/login") as answer:
                return str(await answer.text())

        auth = SessionAuth(login, url, signals=[json_field("success", False)])
        async with (
            aiohttp.ClientSession(middlewares=[auth]) as session,
            session.ws_connect(url.replace("http:", "ws:") + "/chat") as ws,
        ):
            text = await ws.receive_str()
        await runner.cleanup()
        return text

    assert asyncio.run(main()) == "hello"


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


# What a login gets


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


def test_it_says_what_is_missing_where_aiohttp_is_not_installed() -> None:
    program = "import sys; sys.modules['aiohttp'] = None; import relogin.client.aiohttp"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "pip install 'relogin[aiohttp]'" in ran.stderr


def test_the_outcome_is_told_of_an_error_s_response_too(server: Server) -> None:
    def refuse(_: object) -> str:
        raise relogin.LoginRefused("no")

    async def main(session: aiohttp.ClientSession) -> None:
        with pytest.raises(relogin.LoginRefused) as caught:
            await got(session, f"{server.url}/orders")
        assert outcome(caught.value.response) is Outcome.REFUSED

    run(an_auth(server, refuse), main)
