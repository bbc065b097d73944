"""Rule 10: a session is renewed ahead of its end, on the occasion of a request."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from relogin import Grant, LoginRefused
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Server
from tests.client.steps import Clock


def attached(session: requests.Session, server: Server, auth: SessionAuth) -> Clock:
    """Attach an auth whose clock stands, and log in; return the clock."""
    clock = Clock()
    auth._cache.clock = clock
    auth._cache.store_away_until = 0.0
    session.auth = auth
    session.get(f"{server.url}/first")
    return clock


def expiring(server: Server, seconds: float) -> SessionAuth:
    return SessionAuth(
        lambda context: Grant(token=server.login(context).token, expires_in=seconds), server.url
    )


@pytest.mark.requirement("C-21")
def test_a_session_near_its_end_is_renewed_before_the_next_request(
    server: Server, session: requests.Session
) -> None:
    clock = attached(session, server, expiring(server, 100))
    clock.now += 79  # the earliest is four fifths
    session.get(f"{server.url}/second")
    assert server.logins == 1
    clock.now += 12  # the latest is nine tenths
    assert session.get(f"{server.url}/third").history == []
    assert server.logins == 2


def test_what_the_server_says_of_the_end_counts_from_then(
    server: Server, session: requests.Session
) -> None:
    server.expires_in = 100
    clock = attached(session, server, SessionAuth(server.login, server.url))
    for _ in range(5):
        clock.now += 50
        session.get(f"{server.url}/next")
    assert server.logins == 1
    clock.now += 95
    assert session.get(f"{server.url}/last").history == []
    assert server.logins == 2


@pytest.mark.requirement("C-6")
@pytest.mark.parametrize("info", ["expires_in=soon", "expires_in=12345678901", "==", "x=1", ""])
def test_an_end_that_does_not_match_its_rule_is_ignored(
    server: Server, session: requests.Session, info: str
) -> None:
    clock = attached(session, server, SessionAuth(server.login, server.url))
    server.routes["/info"] = lambda _: Answer(200, (("Authentication-Info", info),))
    session.get(f"{server.url}/info")
    clock.now += 10**12
    session.get(f"{server.url}/next")
    assert server.logins == 1


@pytest.mark.requirement("C-6")
def test_an_end_counts_from_when_it_was_written(server: Server, session: requests.Session) -> None:
    clock = attached(session, server, SessionAuth(server.login, server.url))
    headers = (("Authentication-Info", "expires_in=100"), ("Age", "90"))
    server.routes["/info"] = lambda _: Answer(200, headers)
    session.get(f"{server.url}/info")
    clock.now += 9
    session.get(f"{server.url}/next")
    assert server.logins == 2


@pytest.mark.requirement("C-6")
def test_an_end_on_an_answer_to_other_credentials_is_ignored(
    server: Server, session: requests.Session
) -> None:
    clock = attached(session, server, SessionAuth(server.login, server.url))
    server.routes["/info"] = lambda _: Answer(200, (("Authentication-Info", "expires_in=1"),))
    prepared = session.prepare_request(requests.Request("GET", f"{server.url}/info"))
    prepared.headers["Authorization"] = "Custom mine"
    session.send(prepared)
    clock.now += 10
    session.get(f"{server.url}/next")
    assert server.logins == 1


@pytest.mark.parametrize("seconds", [0, -5, -0.0])
def test_a_session_that_ends_at_once_is_not_renewed_before_each_request(
    server: Server, session: requests.Session, seconds: float
) -> None:
    session.auth = expiring(server, seconds)
    for _ in range(5):
        session.get(f"{server.url}/orders")
    assert server.logins == 1


def test_one_request_renews_ahead_while_the_others_use_the_living_session(
    server: Server, session: requests.Session
) -> None:
    clock = attached(session, server, expiring(server, 100))
    server.login_began.acquire()
    clock.now += 95
    gate = threading.Event()
    server.login_gates.append(gate)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(session.get, f"{server.url}/leader")
        assert server.login_began.acquire(timeout=10)
        assert session.get(f"{server.url}/other").status_code == 200
        assert server.seen("/other")[0].token == "s3cret-1"
        gate.set()
        assert leader.result(10).status_code == 200
    assert server.logins == 2


class OnceOnly:
    """Logs in once, for 100 seconds; after that, whatever `then` does."""

    def __init__(self, server: Server, then: Callable[[], None]) -> None:
        self.server = server
        self.then = then
        self.calls: list[str] = []

    def __call__(self, context: Context) -> Grant | None:
        self.calls.append(context.url)
        if len(self.calls) > 1:
            return self.then()
        return Grant(token=self.server.login(context).token, expires_in=100)


@pytest.mark.parametrize("error", [ConnectionError(), LoginRefused()])
def test_a_failure_ahead_of_time_leaves_the_living_session_in_use(
    server: Server, session: requests.Session, error: Exception
) -> None:
    def fail() -> None:
        raise error

    login = OnceOnly(server, fail)
    clock = attached(session, server, SessionAuth(login, server.url))
    clock.now += 95
    assert [session.get(f"{server.url}/{n}").status_code for n in range(3)] == [200] * 3
    assert len(login.calls) == 2


def test_a_login_that_declines_ahead_of_time_is_not_asked_before_each_request(
    server: Server, session: requests.Session
) -> None:
    login = OnceOnly(server, lambda: None)
    clock = attached(session, server, SessionAuth(login, server.url))
    clock.now += 95
    for number in range(3):
        assert session.get(f"{server.url}/{number}").status_code == 200
    assert login.calls == [f"{server.url}/first", f"{server.url}/0"]


def test_a_login_ahead_of_time_goes_the_way_the_last_refusal_came(
    server: Server, session: requests.Session
) -> None:
    clock = attached(session, server, expiring(server, 100))
    clock.now += 95
    session.get(f"{server.url}/second")
    assert len({request.connection for request in server.requests}) == 1
