"""What a login of httpx gets to work with, how it is called, and what comes of its failures."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

import relogin
import relogin.client.requests
from relogin import Grant, errors
from relogin.client import Outcome, outcome
from relogin.client.httpx import (
    BodyNotReplayable,
    InvalidGrant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
    SessionAuth,
)
from relogin.client.logins import JSONLogin
from tests.client.httpx_drivers import Driver, drive, login_of, when
from tests.client.server import PASSWORD, Answer, Server

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def seeing(driver: Driver, server: Server, see: Callable[[httpx.Client], object]) -> Any:
    """A login that looks at `context.http` before it uses it."""
    login = driver.login(server)

    def log_in(context: Any) -> Any:
        see(context.http)
        return login(context)

    async def log_in_async(context: Any) -> Any:
        return await log_in(context)

    return log_in_async if driver.is_async else log_in


# context.http


def test_the_client_of_a_login_is_of_the_drivers_kind_and_has_nothing_of_the_users(
    driver: Driver, server: Server
) -> None:
    seen: list[Any] = []
    login = seeing(driver, server, seen.append)
    client = driver.open(
        auth=SessionAuth(login, server.url, login_timeout=7.0),
        cookies={"mine": "1"},
        headers={"X-Mine": "1"},
    )
    client.get(f"{server.url}/orders")
    (http,) = seen
    assert isinstance(http, httpx.AsyncClient if driver.is_async else httpx.Client)
    assert (http.timeout, http.trust_env) == (httpx.Timeout(7.0), False)
    assert (http.follow_redirects, http.auth) == (False, None)
    (sent,) = server.seen("/login")
    assert (sent.cookies, sent.headers["X-Mine"]) == ({}, None)


def test_the_client_of_a_login_is_closed_after_it(driver: Driver, server: Server) -> None:
    seen: list[Any] = []
    client = driver.open(auth=SessionAuth(seeing(driver, server, seen.append), server.url))
    client.get(f"{server.url}/orders")
    assert [http.is_closed for http in seen] == [True]


def test_a_login_may_enter_and_close_its_client(driver: Driver, server: Server) -> None:
    def log_in(context: Any) -> Any:
        with context.http as http:
            return server.grant(http.post(f"{server.url}/login"))

    async def log_in_async(context: Any) -> Any:
        async with context.http as http:
            return server.grant(await http.post(f"{server.url}/login"))

    login = log_in_async if driver.is_async else log_in
    client = driver.open(auth=SessionAuth(login, server.url))
    assert client.get(f"{server.url}/orders").status_code == 200


@pytest.mark.usefixtures("netrc")
def test_the_client_of_a_login_asks_neither_netrc_nor_proxies_of_the_environment(
    driver: Driver, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = driver.open(auth=SessionAuth(driver.login(server), server.url))
    assert client.get(f"{server.url}/orders").status_code == 200
    assert server.seen("/login")[0].headers["Authorization"] is None


def test_a_client_of_the_users_is_used_and_left_open(driver: Driver, server: Server) -> None:
    mine = driver.open(headers={"X-Mine": "1"})
    client = driver.open(auth=SessionAuth(driver.login(server), server.url, http=mine.client))
    client.get(f"{server.url}/orders")
    assert server.seen("/login")[0].headers["X-Mine"] == "1"
    assert not mine.client.is_closed


def test_a_client_of_the_wrong_kind_is_named(driver: Driver, server: Server) -> None:
    kinds = ["Client", "AsyncClient"]
    wrong, right = kinds if driver.is_async else kinds[::-1]
    mine: Any = getattr(httpx, wrong)(trust_env=False)
    client = driver.open(auth=SessionAuth(driver.login(server), server.url, http=mine))
    with pytest.raises(LoginUnavailable) as caught:
        client.get(f"{server.url}/orders")
    assert f".{wrong}; this login needs {right}" in str(caught.value.__cause__)


# How a login is called


@BACKENDS
def test_a_login_that_cannot_be_awaited_runs_in_a_thread(server: Server, backend: str) -> None:
    threads: list[int] = []

    def login(context: Any) -> Grant:
        threads.append(threading.get_ident())
        assert isinstance(context.http, httpx.Client)
        return server.login(context)

    with drive(backend) as driver:
        client = driver.open(auth=SessionAuth(login, server.url))
        assert client.get(f"{server.url}/orders").status_code == 200
        assert threads != [driver.run(threading.get_ident)]


@BACKENDS
@pytest.mark.parametrize("shape", ["function", "partial", "method", "object"])
def test_a_login_that_can_be_awaited_is(server: Server, backend: str, shape: str) -> None:
    threads: list[int] = []

    class Login:
        async def __call__(self, context: Any) -> Grant:
            threads.append(threading.get_ident())
            return await login_of(server)(context)

    login = Login()

    async def function(context: Any) -> Grant:
        return await login(context)

    async def two(first: int, context: Any) -> Grant:
        return await login(context)

    shapes: dict[str, Any] = {
        "function": function,
        "partial": functools.partial(two, 1),
        "method": login.__call__,
        "object": login,
    }
    with drive(backend) as driver:
        client = driver.open(auth=SessionAuth(shapes[shape], server.url))
        assert client.get(f"{server.url}/orders").status_code == 200
        assert threads == [driver.run(threading.get_ident)]


class Both:
    """A login for either kind of client, as the ready-made ones are."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.called: list[str] = []

    def __call__(self, context: Any) -> Grant:
        self.called.append("called")
        return self.server.login(context)

    async def acall(self, context: Any) -> Grant:
        self.called.append("awaited")
        return await login_of(self.server)(context)


def test_a_login_for_both_is_called_or_awaited_as_the_client_is(
    driver: Driver, server: Server
) -> None:
    login = Both(server)
    driver.open(auth=SessionAuth(login)).get(f"{server.url}/orders")
    assert login.called == ["awaited" if driver.is_async else "called"]


@BACKENDS
def test_a_login_for_both_is_called_where_the_users_client_is_synchronous(
    server: Server, backend: str
) -> None:
    login = Both(server)
    with drive(backend) as driver, httpx.Client(trust_env=False) as mine:
        client = driver.open(auth=SessionAuth(login, http=mine))
        assert client.get(f"{server.url}/orders").status_code == 200
    assert login.called == ["called"]


def test_a_ready_made_login_serves(driver: Driver, server: Server) -> None:
    server.login_answers.append(Answer(200, (), b'{"access_token": "t0ken"}'))
    server.living = "t0ken"
    login = JSONLogin(f"{server.url}/login", {"user": "ada", "password": PASSWORD})
    assert driver.open(auth=SessionAuth(login)).get(f"{server.url}/orders").status_code == 200


def test_a_coroutine_function_needs_an_asynchronous_client(server: Server) -> None:
    with drive("sync") as driver:
        client = driver.open(auth=SessionAuth(login_of(server), server.url))
        with pytest.raises(InvalidGrant, match="needs an asynchronous client"):
            client.get(f"{server.url}/orders")


@BACKENDS
def test_a_coroutine_from_what_is_no_coroutine_function_is_refused(
    server: Server, backend: str
) -> None:
    def login(context: Any) -> Any:
        return login_of(server)(context)

    with drive(backend) as driver:
        client = driver.open(auth=SessionAuth(login, server.url))
        with pytest.raises(InvalidGrant, match="write it with `async def`"):
            client.get(f"{server.url}/orders")


# Failures


def test_a_refused_login_is_raised_and_never_tried_again(driver: Driver, server: Server) -> None:
    calls: list[str] = []

    def login(context: Any) -> None:
        calls.append(context.url)
        raise relogin.LoginRefused("the account is locked")

    client = driver.open(auth=SessionAuth(login, server.url))
    with pytest.raises(LoginRefused, match="the account is locked"):
        client.get(f"{server.url}/1")
    with pytest.raises(LoginRefused, match="the account is locked") as caught:
        client.get(f"{server.url}/2")
    assert calls == [f"{server.url}/1"]
    assert (caught.value.response.status_code, caught.value.request.url.path) == (401, "/2")
    assert outcome(caught.value.response) is Outcome.REFUSED
    assert caught.value.response.content == b"refused"


def test_an_outage_is_raised_with_its_cause(driver: Driver, server: Server) -> None:
    def login(context: Any) -> None:
        raise OSError("no route")

    client = driver.open(auth=SessionAuth(login, server.url))
    with pytest.raises(LoginUnavailable) as caught:
        client.get(f"{server.url}/orders")
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.retry_after is not None
    assert caught.value.response.content == b"refused"


def test_what_is_no_grant_is_named(driver: Driver, server: Server) -> None:
    client = driver.open(auth=SessionAuth(lambda context: 7, server.url))
    with pytest.raises(InvalidGrant, match="returned int"):
        client.get(f"{server.url}/orders")


@pytest.mark.parametrize(
    "kind", [LoginRefused, LoginUnavailable, InvalidGrant, LoginTimeout, BodyNotReplayable]
)
def test_every_failure_is_of_httpx_and_of_relogin(kind: type[Exception]) -> None:
    assert issubclass(kind, httpx.HTTPError)
    assert issubclass(kind, getattr(errors, kind.__name__))
    assert issubclass(LoginTimeout, httpx.TimeoutException)


def test_ten_that_wait_for_a_login_that_fails_have_each_their_own_failure(
    driver: Driver, server: Server
) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    server.login_answers.append(Answer(503))
    joined = threading.Semaphore(0)
    auth = SessionAuth(server.login, server.url, on_event=when("joined", joined.release))

    def open_when_nine_wait() -> None:
        for _ in range(9):
            joined.acquire(timeout=10)
        gate.set()

    opener = threading.Thread(target=open_when_nine_wait)
    opener.start()
    client = driver.open(auth=auth)
    failures = client.failing(10, f"{server.url}/orders")
    opener.join()
    assert {type(failure) for failure in failures} == {LoginUnavailable}
    assert len(set(map(id, failures))) == 10
    assert len({id(failure.__cause__) for failure in failures}) == 1


@BACKENDS
@pytest.mark.parametrize("blocking", [False, True])
def test_a_login_that_hangs_is_given_up(server: Server, backend: str, blocking: bool) -> None:
    gate = threading.Event()

    async def hang(context: Any) -> None:
        await anyio.sleep_forever()

    login: Any = (lambda context: gate.wait(10)) if blocking else hang
    with drive(backend) as driver:
        client = driver.open(auth=SessionAuth(login, server.url, login_timeout=0.05))
        try:
            with pytest.raises(LoginUnavailable) as caught:
                client.get(f"{server.url}/orders")
        finally:
            gate.set()
    assert str(caught.value.__cause__) == "the login did not end within 0.05 s"


def test_whoever_waits_for_a_login_that_hangs_takes_it_over(driver: Driver, server: Server) -> None:
    gate, began = threading.Event(), threading.Event()

    def login(context: Any) -> Grant | None:
        if began.is_set():
            return server.login(context)
        began.set()
        gate.wait(10)
        return None

    auth = SessionAuth(login, server.url, login_timeout=0.2)
    with drive("sync") as leading:
        leader = threading.Thread(target=leading.open(auth=auth).get, args=(f"{server.url}/1",))
        leader.start()
        try:
            assert began.wait(10)
            assert driver.open(auth=auth).get(f"{server.url}/2").status_code == 200
        finally:
            gate.set()
            leader.join()


def test_who_waits_too_long_is_told_so(driver: Driver, server: Server) -> None:
    auth = SessionAuth(driver.login(server), server.url, login_timeout=1e-9)
    with pytest.raises(LoginTimeout, match=r"no login finished within 2\.5e-09 s"):
        driver.open(auth=auth).get(f"{server.url}/orders")


def test_no_secret_is_shown(driver: Driver, server: Server, caplog: Any) -> None:
    caplog.set_level("DEBUG", "relogin")
    auth = SessionAuth(driver.login(server), server.url)
    answer = driver.open(auth=auth).get(f"{server.url}/orders")
    shown = [repr(auth), repr(auth._cache), caplog.text, repr(answer)]
    assert not any("s3cret" in text or PASSWORD in text for text in shown)


def test_the_words_of_the_constructor_are_those_of_requests() -> None:
    assert inspect.signature(SessionAuth) == inspect.signature(relogin.client.requests.SessionAuth)
