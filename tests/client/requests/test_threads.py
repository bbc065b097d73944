"""Rules 1 and 2 with real threads: one login for all, and none for a refusal that comes late."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from relogin import Grant
from relogin.client.events import Event, EventKind
from relogin.client.requests import SessionAuth
from relogin.client.responders import Action
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Request, Server
from tests.threads import in_threads


@pytest.mark.requirement("C-17")
def test_a_hundred_threads_that_meet_a_dead_session_log_in_once(
    server: Server, dead: requests.Session
) -> None:
    answers = in_threads(100, lambda _: dead.get(f"{server.url}/orders"))

    assert [answer.status_code for answer in answers] == [200] * 100
    assert server.logins == 2


@pytest.mark.requirement("C-18")
def test_a_session_that_the_login_under_way_has_ended_is_replayed_with_what_it_brings(
    server: Server, session: requests.Session
) -> None:
    joined = threading.Event()

    def login(context: Context) -> Grant:
        server.kill("session_revoked")
        return server.login(context)

    def listen(event: Event) -> None:
        if event.kind is EventKind.JOINED:
            joined.set()

    session.auth = SessionAuth(login, server.url, on_event=listen)
    old = session.get(f"{server.url}/first").request.headers["Authorization"]
    server.login_gates.append(joined)
    server.routes["/leader"] = lambda r: (
        server.refuse("session_expired") if r.headers["Authorization"] == old else Answer()
    )
    assert server.login_began.acquire(timeout=10)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(session.get, f"{server.url}/leader")
        assert server.login_began.acquire(timeout=10)
        answer = session.get(f"{server.url}/orders")
        assert leader.result(10).status_code == 200
    assert [each.status_code for each in (*answer.history, answer)] == [401, 200]
    assert "session_revoked" in answer.history[0].headers["WWW-Authenticate"]
    assert server.logins == 2


def test_an_abandoned_login_that_lands_last_costs_a_second_replay_and_no_failure(
    server: Server, session: requests.Session
) -> None:
    landing, renewing, joined = threading.Event(), threading.Event(), threading.Event()
    server.login_gates += [landing, renewing]
    calls: list[int] = []

    def login(context: Context) -> Grant:
        calls.append(1)
        if len(calls) == 1:  # interrupted, while its request goes on
            pool.submit(requests.post, f"{server.url}/login")
            assert server.login_began.acquire(timeout=10)
            raise KeyboardInterrupt
        return server.login(context)

    def orders(request: Request) -> Answer:
        if server.logins == 1 and request.token == server.living:
            landing.set()
            server.wait_until(lambda: server.logins == 2)
        return server.protected(request)

    def listen(event: Event) -> None:
        if event.kind is EventKind.JOINED:
            joined.set()

    server.routes["/orders"] = orders
    server.routes["/leader"] = lambda r: Answer() if r.token else server.refuse(None)
    session.auth = SessionAuth(
        login,
        server.url,
        on_event=listen,
        actions={"session_revoked": Action.RENEW},  # what this server says of a superseded one
    )
    with ThreadPoolExecutor(3) as pool:
        with pytest.raises(KeyboardInterrupt):
            session.get(f"{server.url}/first")
        leader = pool.submit(session.get, f"{server.url}/leader")
        assert server.login_began.acquire(timeout=10)
        follower = pool.submit(session.get, f"{server.url}/orders")
        assert joined.wait(10)
        renewing.set()
        assert leader.result(10).status_code == 200
        answer = follower.result(10)
    assert [each.status_code for each in (*answer.history, answer)] == [401, 401, 200]
    assert server.logins == 3
