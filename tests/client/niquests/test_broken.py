"""Uploads over niquests whose connection breaks: what is asked, renewed and sent again."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import niquests
import pytest

from relogin import Grant
from relogin.client import outcome
from relogin.client.niquests import SessionAuth
from relogin.client.niquests.unanswered import is_unanswered
from relogin.client.signals import status
from tests.client.breaking import UPLOAD, asked, breaking, checks, uploads
from tests.client.niquests.ways import BOTH, Both
from tests.client.server import Answer, Server


@pytest.fixture(params=BOTH)
def both(request: pytest.FixtureRequest) -> Both:
    return BOTH[request.param]


def put(
    server: Server, both: Both, *methods: str, adapter: bool = True, auth: Any = None, **body: Any
) -> list[Any]:
    """Log in; then the session dies, and each refusal of an upload is lost. Upload so often."""
    auth = auth or SessionAuth(server.login, server.url)

    async def main(send: Any, session: Any) -> list[Any]:
        if adapter:
            session.mount("http://", both.adapter())
        await send("GET", f"{server.url}/first")
        server.kill()
        breaking(server, "reset")
        ended = []
        for method in methods:
            try:
                ended.append(await send(method, f"{server.url}/upload", **{"data": UPLOAD, **body}))
            except niquests.RequestException as error:
                ended.append(error)
        return ended

    ended: list[Any] = both(auth).run(main)
    return ended


def test_the_adapter_sends_an_upload_again_that_may_go_twice(server: Server, both: Both) -> None:
    (answer,) = put(server, both, "PUT")
    assert (answer.status_code, outcome(answer), answer.content) == (200, "replayed", UPLOAD)
    assert asked(server) == ["PUT /upload", "HEAD /upload", "POST /login", "PUT /upload"]
    assert uploads(server) == [UPLOAD]
    assert answer.history == []


def test_an_unanswered_post_is_not_sent_again_and_the_next_request_arrives(
    server: Server, both: Both
) -> None:
    error, answer = put(server, both, "POST", "POST")
    assert type(error) is niquests.ConnectionError
    assert (outcome(error), answer.status_code) == ("renewed_not_replayed", 200)
    assert uploads(server) == [UPLOAD]
    assert server.logins == 2


def test_a_spent_body_is_not_sent_again(server: Server, both: Both) -> None:
    (error,) = put(server, both, "PUT", data=iter([UPLOAD]))
    assert outcome(error) == "renewed_not_replayed"
    assert server.logins == 2


def test_what_is_sent_again_may_end_in_an_error_of_its_own(server: Server, both: Both) -> None:
    def login(context: Any) -> Any:
        breaking(server, "reset", always=bool(server.logins))
        return server.login(context)

    (error,) = put(server, both, "PUT", auth=SessionAuth(login, server.url))
    assert type(error) is niquests.ConnectionError
    assert asked(server).count("PUT /upload") == 2


def test_what_is_sent_again_may_be_refused_again(server: Server, both: Both) -> None:
    def login(context: Any) -> Any:
        grant = server.login(context)
        if server.logins == 2:
            server.kill()
            server.answers = None
        return grant

    (answer,) = put(server, both, "PUT", auth=SessionAuth(login, server.url))
    assert (answer.status_code, outcome(answer)) == (200, "replayed")
    assert [past.status_code for past in answer.history] == [401]
    assert server.logins == 3


def test_a_login_through_the_adapter_is_not_asked_about(server: Server, both: Both) -> None:
    with niquests.Session() as session:
        session.trust_env = False
        session.mount("http://", BOTH["called"].adapter())

        def login(context: Any) -> Any:
            if server.logins:
                session.send(prepared)
            return server.login(context)

        auth = session.auth = SessionAuth(login, server.url)
        session.get(f"{server.url}/first")
        upload = niquests.Request("POST", f"{server.url}/upload", data=UPLOAD)
        prepared = session.prepare_request(upload)
        server.kill()
        breaking(server, "reset", always=True)

        async def main(send: Any, _: Any) -> None:
            with pytest.raises(niquests.RequestException):
                await send("GET", f"{server.url}/me")

        both(auth).run(main)
    assert checks(server) == []


def test_the_small_request_may_bring_a_signal(server: Server, both: Both) -> None:
    server.refusal_status, server.challenges = 440, lambda _: ()
    server.scheme = "Bearer"
    auth = SessionAuth(server.login, server.url, signals=[status(440)])

    async def main(send: Any, session: Any) -> Any:
        session.mount("http://", both.adapter())
        await send("GET", f"{server.url}/first")
        server.kill()

        def answer(request: Any) -> Answer:
            if request.body and request.token in server.ended:
                raise ConnectionResetError
            return server._log_in() if request.path == "/login" else server.protected(request)

        server.answers = answer
        return await send("PUT", f"{server.url}/upload", data=UPLOAD)

    assert both(auth).run(main).status_code == 200


def test_with_a_session_that_lives_the_error_is_passed_on(server: Server, both: Both) -> None:
    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter())
        await send("GET", f"{server.url}/first")
        breaking(server, "reset", always=True)
        with pytest.raises(niquests.ConnectionError) as caught:
            await send("PUT", f"{server.url}/upload", data=UPLOAD)
        assert outcome(caught.value) == "untouched"

    both(SessionAuth(server.login, server.url)).run(main)
    assert asked(server) == ["PUT /upload", "HEAD /upload"]
    assert server.logins == 1


def small_requests(
    server: Server, both: Both, answered: Callable[[int], Answer | None], **options: Any
) -> Any:
    """Upload with a dead session; say how the small requests are answered, by their number."""

    async def main(send: Any, session: Any) -> Any:
        session.mount("http://", both.adapter())
        await send("GET", f"{server.url}/first")
        server.kill()
        breaking(server, "reset")
        usual: Any = server.answers

        def answer(request: Any) -> Answer:
            given: Answer | None = None
            if request.method == "HEAD":
                given = answered(len(checks(server)))
            return given or usual(request)

        server.answers = answer
        try:
            return await send("PUT", f"{server.url}/upload", data=UPLOAD, **options)
        except niquests.ConnectionError as error:
            return error

    return both(SessionAuth(server.login, server.url)).run(main)


@pytest.mark.parametrize(("breaks", "said"), [(1, "replayed"), (9, "untouched")])
def test_a_small_request_that_breaks_is_sent_once_more(
    server: Server, both: Both, breaks: int, said: str
) -> None:
    def drops(number: int) -> Answer | None:
        if number <= breaks:
            raise ConnectionResetError
        return None

    assert outcome(small_requests(server, both, drops)) == said
    assert len(checks(server)) == 2


def test_a_small_request_that_nobody_answers_is_sent_once(server: Server, both: Both) -> None:
    ended = threading.Event()

    def waits(_: int) -> Answer | None:
        ended.wait(10)
        return None

    assert outcome(small_requests(server, both, waits, timeout=0.3)) == "untouched"
    ended.set()
    assert len(checks(server)) == 1


def test_where_there_is_no_auth_the_adapter_does_what_the_one_of_niquests_does(
    server: Server, both: Both
) -> None:
    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter())
        breaking(server, "reset", always=True)
        with pytest.raises(niquests.ConnectionError):
            await send("PUT", f"{server.url}/upload", data=UPLOAD)

    both(None).run(main)
    assert checks(server) == []


def test_a_request_without_a_body_is_not_asked_about(server: Server, both: Both) -> None:
    def drop(_: object) -> Answer:
        raise ConnectionResetError

    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter())
        await send("GET", f"{server.url}/first")
        server.routes["/gone"] = drop
        with pytest.raises(niquests.ConnectionError):
            await send("GET", f"{server.url}/gone")

    both(SessionAuth(server.login, server.url)).run(main)
    assert checks(server) == []


def test_an_upload_that_never_left_is_not_asked_about(server: Server, both: Both) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone = f"http://127.0.0.1:{port}"
    auth = SessionAuth(lambda _: Grant(token="t", expires_in=60), [gone, server.url])

    async def main(send: Any, session: Any) -> None:
        session.mount("http://", both.adapter())
        with pytest.raises(niquests.ConnectionError) as caught:
            await send("PUT", f"{gone}/upload", data=UPLOAD)
        assert not is_unanswered(caught.value)

    both(auth).run(main)


def test_a_time_out_may_be_an_upload_without_an_answer() -> None:
    assert is_unanswered(niquests.ReadTimeout())
    assert not is_unanswered(niquests.ConnectTimeout())


# Without the adapter an auth sees no exception


def test_without_the_adapter_the_next_upload_of_the_thread_or_task_asks_first(
    server: Server, both: Both
) -> None:
    error, answer = put(server, both, "POST", "POST", adapter=False)
    assert (type(error), answer.status_code) == (niquests.ConnectionError, 200)
    assert asked(server) == ["POST /upload", "HEAD /upload", "POST /login", "POST /upload"]


def test_each_broken_upload_is_asked_about_once(server: Server, both: Both) -> None:
    async def main(send: Any, session: Any) -> None:
        await send("GET", f"{server.url}/first")
        breaking(server, "reset", always=True)
        for _ in range(3):
            with pytest.raises(niquests.ConnectionError):
                await send("POST", f"{server.url}/upload", data=UPLOAD)

    both(SessionAuth(server.login, server.url)).run(main)
    assert len(checks(server)) == 2


@pytest.mark.parametrize("answer", [200, 500])
def test_an_answered_upload_is_not_asked_about(server: Server, both: Both, answer: int) -> None:
    async def main(send: Any, session: Any) -> None:
        await send("GET", f"{server.url}/first")
        server.routes["/upload"] = lambda _: Answer(answer)
        for _ in range(3):
            await send("POST", f"{server.url}/upload", data=UPLOAD)

    both(SessionAuth(server.login, server.url)).run(main)
    assert checks(server) == []


def test_the_upload_of_another_task_is_not_asked_about(server: Server) -> None:
    async def main(send: Any, session: Any) -> None:
        await send("GET", f"{server.url}/first")
        both = threading.Barrier(2, timeout=10)

        def together(_: Any) -> Answer:
            both.wait()
            return Answer()

        server.routes["/upload"] = together
        upload = partial(send, "POST", f"{server.url}/upload", data=UPLOAD)
        await asyncio.gather(upload(), upload())

    BOTH["awaited"](SessionAuth(server.login, server.url)).run(main)
    assert checks(server) == []


def test_an_error_before_the_session_was_renewed_is_over(server: Server, both: Both) -> None:
    async def main(send: Any, session: Any) -> None:
        await send("GET", f"{server.url}/first")
        server.kill()
        breaking(server, "reset")
        with pytest.raises(niquests.ConnectionError):
            await send("POST", f"{server.url}/upload", data=UPLOAD)
        await send("GET", f"{server.url}/me")
        await send("POST", f"{server.url}/upload", data=UPLOAD)

    both(SessionAuth(server.login, server.url)).run(main)
    assert checks(server) == []


def test_a_session_for_threads_asks_in_a_thread(server: Server, both: Both) -> None:
    with niquests.Session() as mine:
        mine.trust_env = False
        mine.headers["X-Mine"] = "yes"
        auth = SessionAuth(server.login, server.url, http=mine)
        _, answer = put(server, both, "POST", "POST", adapter=False, auth=auth)
    assert answer.status_code == 200
    assert asked(server) == ["POST /upload", "HEAD /upload", "POST /login", "POST /upload"]


def test_a_session_that_has_ended_is_renewed_first_and_nothing_is_asked(
    server: Server, both: Both
) -> None:
    def login(context: Any) -> Grant:
        return Grant(token=server.login(context).token, expires_in=100)

    auth = SessionAuth(login, server.url)
    now = [auth._cache.clock()]
    auth._cache.clock = lambda: now[0]

    async def main(send: Any, session: Any) -> int:
        await send("GET", f"{server.url}/first")
        server.kill()
        breaking(server, "reset")
        with pytest.raises(niquests.ConnectionError):
            await send("POST", f"{server.url}/upload", data=UPLOAD)
        now[0] += 99.5
        code: int = (await send("POST", f"{server.url}/upload", data=UPLOAD)).status_code
        return code

    assert both(auth).run(main) == 200
    assert (checks(server), server.logins) == ([], 2)
