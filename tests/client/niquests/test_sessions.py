"""What is niquests' own: two kinds of session, and hooks that are called or awaited."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import niquests
import pytest
import requests

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client import requests as for_requests
from relogin.client.logins import FormLogin, JSONLogin
from relogin.client.niquests import InvalidGrant, LoginUnavailable, SessionAuth
from relogin.client.signals import json_field, status
from relogin.client.stores.memory import MemoryStore
from tests.client.libraries.shapes import AgainAsync, produced
from tests.client.niquests.ways import get_in_a_task, get_in_a_thread
from tests.client.server import PASSWORD, Answer, Server, dribble, flood

JSON = ("Content-Type", "application/json")


def test_a_session_is_renewed_ahead_of_its_end(server: Server, get: Any) -> None:
    def log_in(context: Any) -> Grant:
        return Grant(token=server.login(context).token, expires_in=0.001)

    auth = SessionAuth(log_in, server.url)
    server.routes["/moved"] = lambda _: Answer(302, (("Location", "/orders"),))
    assert get(auth, f"{server.url}/orders").status_code == 200
    time.sleep(0.01)
    answer = get(auth, f"{server.url}/moved")
    assert (answer.status_code, outcome(answer), server.logins) == (200, Outcome.UNTOUCHED, 2)


def test_a_store_is_asked_before_each_request_where_that_is_wanted(
    server: Server, get: Any
) -> None:
    store = MemoryStore()
    for _ in range(2):
        auth = SessionAuth(server.login, server.url, store=store, fresh="always")
        assert get(auth, f"{server.url}/orders").status_code == 200
    assert server.logins == 1


def test_a_mistake_in_a_login_is_told_once(server: Server, get: Any) -> None:
    asked = []

    def log_in(_: object) -> Any:
        asked.append(1)
        return 42

    auth = SessionAuth(log_in, server.url)
    with pytest.raises(InvalidGrant, match="returned int"):
        get(auth, f"{server.url}/orders")
    assert (len(asked), len(server.seen("/orders"))) == (1, 1)


@pytest.mark.parametrize("kind", [flood, dribble])
def test_a_refusal_without_an_end_is_closed(server: Server, get: Any, kind: Any) -> None:
    go_on = threading.Event()
    server.refusal_body = flood if kind is flood else dribble(go_on)
    assert get(SessionAuth(server.login, server.url), f"{server.url}/orders").status_code == 200
    go_on.set()


def test_a_signal_is_renewed_for(server: Server, get: Any) -> None:
    server.challenges, server.scheme = lambda error: (), "Bearer"
    server.refusal_status, server.refusal_headers = 200, (JSON,)
    server.refusal_body = lambda: b'{"success": false}'
    auth = SessionAuth(server.login, server.url, signals=[json_field("success", False)])
    assert get(auth, f"{server.url}/orders").content == b"content"


def test_a_request_that_was_prepared_before_may_be_sent_by_the_login(server: Server) -> None:
    with niquests.Session() as session:
        session.trust_env = False
        refused = []

        def log_in(_: object) -> str:
            refused.append(session.send(prepared).status_code)
            return str(session.post(f"{server.url}/login").text)

        session.auth = SessionAuth(log_in, server.url)
        prepared = session.prepare_request(niquests.Request("GET", f"{server.url}/early"))
        assert session.get(f"{server.url}/orders").status_code == 200
    assert refused == [401]


def test_a_request_that_was_prepared_before_may_be_sent_by_the_login_of_a_task(
    server: Server,
) -> None:
    async def main() -> list[int]:
        async with niquests.AsyncSession() as session:
            session.trust_env = False
            refused = []

            async def log_in(_: object) -> str:
                refused.append((await session.send(prepared)).status_code)
                return str((await session.post(f"{server.url}/login")).text)

            session.auth = SessionAuth(log_in, server.url)
            prepared = session.prepare_request(niquests.Request("GET", f"{server.url}/early"))
            refused.append((await session.get(f"{server.url}/orders")).status_code)
            return refused

    assert asyncio.run(main()) == [401, 200]


def test_no_signal_looks_into_a_stream(server: Server) -> None:
    server.answers = lambda _: Answer(200, (JSON,), b'{"success": false}')
    auth = SessionAuth(server.login, server.url, signals=[json_field("success", False)])
    with niquests.Session() as session:
        answer = session.get(f"{server.url}/orders", auth=auth, stream=True)
        assert (answer.content, outcome(answer)) == (b'{"success": false}', Outcome.UNTOUCHED)


def test_a_signal_on_a_streamed_answer_may_be_its_status(server: Server) -> None:
    server.challenges, server.scheme = lambda error: (), "Bearer"
    server.refusal_status = 440
    auth = SessionAuth(server.login, server.url, signals=[status(440)])
    with niquests.Session() as session:
        session.trust_env = False
        assert session.get(f"{server.url}/orders", auth=auth, stream=True).status_code == 200


def test_a_streamed_401_is_renewed_for(server: Server) -> None:
    async def main() -> bytes:
        async with niquests.AsyncSession() as session:
            auth = SessionAuth(server.login, server.url)
            answer = await session.get(f"{server.url}/orders", auth=auth, stream=True)
            content: bytes = await answer.content
            return content

    assert asyncio.run(main()) == b"content"


def test_a_response_can_be_pickled_with_its_hooks(server: Server, get: Any) -> None:
    answer = get(SessionAuth(server.login, server.url), f"{server.url}/orders")
    assert pickle.loads(pickle.dumps(answer.request)).hooks["response"][0](answer) is None


def test_a_second_pass_that_begins_otherwise_is_not_sent(server: Server) -> None:
    class Numbered:
        number = 0

        async def __aiter__(self) -> AsyncIterator[bytes]:
            self.number += 1
            yield b"%d" % self.number

    auth = SessionAuth(server.login, server.url)
    answer = asyncio.run(
        get_in_a_task(auth, f"{server.url}/orders", method="POST", data=Numbered())
    )
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert [request.body for request in server.seen("/orders")] == [b"1"]


def test_a_spent_body_raises_where_that_is_asked_for(server: Server) -> None:
    from relogin.client.niquests import BodyNotReplayable

    auth = SessionAuth(server.login, server.url, strict=True)
    with pytest.raises(BodyNotReplayable):
        asyncio.run(
            get_in_a_task(auth, f"{server.url}/orders", method="POST", data=AgainAsync(produced()))
        )


# The response to a request that was sent again


def test_the_history_holds_each_refusal(server: Server) -> None:
    auth = SessionAuth(server.login, server.url)
    with niquests.Session() as session:
        session.trust_env, session.auth = False, auth
        session.get(f"{server.url}/first")
        late = session.prepare_request(niquests.Request("GET", f"{server.url}/orders"))
        server.kill()
        session.get(f"{server.url}/first")
        server.kill()
        answer = session.send(late)
    assert [each.status_code for each in (*answer.history, answer)] == [401, 401, 200]


def test_elapsed_is_the_time_of_the_whole_exchange(server: Server) -> None:
    def slow(refused: Any, **_: Any) -> None:
        refused.elapsed = timedelta(hours=1)

    with niquests.Session() as session:
        session.trust_env, session.auth = False, SessionAuth(server.login, server.url)
        prepared = session.prepare_request(niquests.Request("GET", f"{server.url}/orders"))
        prepared.hooks["response"].insert(0, slow)
        assert session.send(prepared).elapsed > timedelta(hours=1)


def test_what_was_read_of_a_refusal_stays_readable(server: Server) -> None:
    async def main() -> Any:
        async with niquests.AsyncSession() as session:
            auth = SessionAuth(server.login, server.url)
            answer = await session.get(f"{server.url}/orders", auth=auth, stream=True)
            return [await each.content for each in (*answer.history, answer)]

    assert asyncio.run(main()) == [b"refused", b"content"]


def test_a_post_that_was_sent_twice_already_is_not_sent_again(server: Server) -> None:
    retry = niquests.packages.urllib3.util.Retry(status_forcelist=[503], allowed_methods=None)
    answers = [Answer(503)]
    server.routes["/orders"] = lambda each: answers.pop() if answers else server.protected(each)
    with niquests.Session(retries=retry) as session:
        session.trust_env, session.auth = False, SessionAuth(server.login, server.url)
        answer = session.post(f"{server.url}/orders", b"x")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.RENEWED_NOT_REPLAYED)
    assert len(server.seen("/orders")) == 2


# What a login gets


def test_each_login_goes_the_way_of_the_last_refusal(server: Server, get: Any) -> None:
    certificate, ways = ("client.pem", "client.key"), []

    def log_in(context: Any) -> Grant:
        http = context.http
        ways.append((http.verify, http.cert, http.timeout, http.trust_env))
        return Grant(token=server.login(context).token, expires_in=0.001)

    auth = SessionAuth(log_in, server.url, login_timeout=7)
    for _ in range(2):  # after a refusal, and before there is one
        get(auth, f"{server.url}/orders", verify=False, cert=certificate)
        time.sleep(0.01)
    assert ways == [(None, certificate, 7, False)] * 2  # `verify` is for each URL to say


def test_a_login_is_given_the_client_that_goes_with_it(server: Server) -> None:
    kinds = []

    def log_in(context: Any) -> Grant:
        kinds.append(isinstance(context.http, niquests.AsyncSession))
        return server.login(context)

    async def log_in_async(context: Any) -> Grant:
        kinds.append(isinstance(context.http, niquests.AsyncSession))
        return server.grant(await context.http.post(f"{server.url}/login"))

    get_in_a_thread(SessionAuth(log_in, server.url), f"{server.url}/orders")
    asyncio.run(get_in_a_task(SessionAuth(log_in, server.url), f"{server.url}/orders"))
    asyncio.run(get_in_a_task(SessionAuth(log_in_async, server.url), f"{server.url}/orders"))
    assert kinds == [False, False, True]


def test_a_client_that_the_user_gives_is_the_login_s(server: Server) -> None:
    with niquests.Session() as mine:
        mine.headers["X-Mine"] = "yes"
        get_in_a_thread(SessionAuth(server.login, server.url, http=mine), f"{server.url}/orders")
    assert server.seen("/login")[0].headers["X-Mine"] == "yes"


def test_a_client_of_the_wrong_kind_is_named(server: Server) -> None:
    async def awaited(_: object) -> str:
        return "t"

    async def main() -> list[str]:
        texts = []
        async with niquests.AsyncSession() as one:
            with niquests.Session() as other:
                for http, login in ((one, server.login), (other, _opening(awaited))):
                    auth = SessionAuth(login, server.url, http=http)
                    with pytest.raises(LoginUnavailable) as caught:
                        await get_in_a_task(auth, f"{server.url}/orders")
                    texts.append(str(caught.value.__cause__))
        return texts

    assert asyncio.run(main()) == [
        "http= is of niquests.AsyncSession; this login needs Session",
        "http= is of niquests.Session; this login needs AsyncSession",
    ]


def _opening(login: Any) -> Any:
    async def opening(context: Any) -> Any:
        assert context.http
        return await login(context)

    return opening


def test_a_ready_made_login_speaks_niquests(server: Server, get: Any) -> None:
    token = b'{"access_token": "s3cret"}'
    server.routes["/token"] = lambda _: Answer(200, (JSON,), token)
    server.living = "s3cret"
    auth = SessionAuth(JSONLogin(f"{server.url}/token", {"user": "ada", "password": PASSWORD}))
    assert get(auth, f"{server.url}/orders").status_code == 200


def test_a_form_is_filled_in_over_niquests(server: Server, get: Any) -> None:
    page = b'<form method="post"><input name="user"><input name="password"></form>'
    moved = (("Location", "/home"), ("Set-Cookie", "sid=s3cret; Path=/"))

    def log_in(request: Any) -> Answer:
        if request.method == "GET":
            return Answer(200, (("Content-Type", "text/html"),), page)
        return Answer(302, moved)

    server.binding, server.living = "cookie", "s3cret"
    server.routes |= {"/in": log_in, "/home": lambda _: Answer(200, body=b"welcome")}
    auth = SessionAuth(FormLogin(f"{server.url}/in", {"user": "ada", "password": PASSWORD}))
    assert get(auth, f"{server.url}/orders").status_code == 200


def test_a_ready_made_login_takes_the_session_that_it_is_given(server: Server) -> None:
    server.routes["/token"] = lambda _: Answer(200, (JSON,), b'{"access_token": "s3cret"}')
    server.living = "s3cret"

    async def main() -> int:
        login = JSONLogin(f"{server.url}/token", {"user": "ada", "password": PASSWORD})
        async with niquests.AsyncSession() as mine:
            auth = SessionAuth(login, http=mine)
            code: int = (await get_in_a_task(auth, f"{server.url}/orders")).status_code
            return code

    assert asyncio.run(main()) == 200


def test_a_login_may_use_the_session_that_it_logs_in_for(server: Server) -> None:
    with niquests.Session() as session:
        session.trust_env = False
        session.auth = SessionAuth(
            lambda _: session.post(f"{server.url}/login").text, server.url, fresh=None
        )
        assert session.get(f"{server.url}/orders").status_code == 200


def test_a_login_reads_no_more_than_a_login_says(server: Server, get: Any) -> None:
    server.routes["/token"] = lambda _: Answer(200, (JSON,), flood())
    auth = SessionAuth(JSONLogin(f"{server.url}/token", {"user": "ada", "password": PASSWORD}))
    with pytest.raises(LoginUnavailable):
        get(auth, f"{server.url}/orders")


# Mixed up


def test_an_auth_of_requests_says_which_import_is_right(server: Server, get: Any) -> None:
    auth = for_requests.SessionAuth(server.login, server.url)
    with pytest.raises(TypeError, match=r"import it from relogin\.client\.niquests"):
        get(auth, f"{server.url}/orders")


def test_passed_to_requests_the_auth_says_which_import_is_right(server: Server) -> None:
    auth: Any = SessionAuth(server.login, server.url)
    with pytest.raises(TypeError, match=r"import it from relogin\.client\.requests"):
        requests.get(f"{server.url}/orders", auth=auth)
