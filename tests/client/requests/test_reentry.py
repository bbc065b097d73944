"""Rule 14: a login that goes through the very session it renews neither deadlocks nor recurs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import requests

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.driver.reentry import inside, logging_in
from relogin.client.requests import LoginTimeout, LoginUnavailable, SessionAuth
from relogin.client.terms.grant import Context
from tests.client.server import Server
from tests.client.steps import a_cache


def test_a_login_through_the_same_session_is_neither_signed_nor_renewed_for(
    server: Server, dead: requests.Session
) -> None:
    answers: list[requests.Response] = []

    def login(context: Context) -> Grant:
        answers.append(dead.get(f"{server.url}/me"))
        return server.grant(dead.post(f"{server.url}/login"))

    assert isinstance(dead.auth, SessionAuth)
    dead.auth.login = login
    assert dead.get(f"{server.url}/orders").status_code == 200
    assert (answers[0].status_code, outcome(answers[0])) == (401, Outcome.UNTOUCHED)
    assert [r.headers["Authorization"] for r in server.seen("/me")] == [None]
    assert server.logins == 2


def test_a_request_that_was_signed_before_is_not_renewed_for_inside_a_login(
    server: Server, dead: requests.Session
) -> None:
    early = dead.prepare_request(requests.Request("GET", f"{server.url}/me"))
    statuses: list[int] = []

    def login(context: Context) -> Grant:
        statuses.append(dead.send(early).status_code)
        return server.login(context)

    assert isinstance(dead.auth, SessionAuth)
    dead.auth.login = login
    assert dead.get(f"{server.url}/orders").status_code == 200
    assert statuses == [401]


def test_a_login_that_resets_its_own_auth_does_not_recur(
    server: Server, dead: requests.Session
) -> None:
    def login(context: Context) -> Grant:
        auth.reset()
        dead.get(f"{server.url}/me")
        return server.login(context)

    auth = SessionAuth(login, server.url)
    dead.auth = auth
    with pytest.raises(LoginTimeout):  # nothing that it brings is ever current
        dead.get(f"{server.url}/orders")
    assert server.logins == 3


def test_a_task_that_a_login_left_behind_is_renewed_for_like_any_other(
    server: Server, session: requests.Session
) -> None:
    contexts = []

    def login(context: Context) -> Grant:
        contexts.append(copy_context())
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    session.get(f"{server.url}/orders")
    server.kill()
    answer = contexts[0].run(session.get, f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_another_auth_inside_a_login_does_its_own_renewing(
    server: Server, session: requests.Session
) -> None:
    with requests.Session() as inner:
        inner.auth = SessionAuth(server.login, server.other_host)

        def login(context: Context) -> Grant:
            assert inner.get(f"{server.other_host}/inner").status_code == 200
            return server.login(context)

        session.auth = SessionAuth(login, server.url)
        assert session.get(f"{server.url}/orders").status_code == 200
    assert server.logins == 2


def test_a_login_that_hands_its_work_to_a_thread_waits_for_itself_and_ends(
    server: Server, session: requests.Session
) -> None:
    def login(context: Context) -> Grant:
        with ThreadPoolExecutor(1) as pool:  # a thread that nobody can know to be the login's
            return server.grant(pool.submit(session.post, f"{server.url}/me").result(10))

    session.auth = SessionAuth(login, server.url, login_timeout=0.1, budget=(2, 60.0))
    with pytest.raises(LoginUnavailable):
        session.get(f"{server.url}/orders")
    assert server.logins == 0


def test_inside_ends_with_the_call_though_the_context_lives_on() -> None:
    cache = a_cache()
    with logging_in(cache):
        assert inside(cache)
        assert not inside(a_cache())
        left_behind = copy_context()
        assert left_behind.run(inside, cache)
    assert not inside(cache)
    assert not left_behind.run(inside, cache)


def test_a_thread_that_carries_the_context_on_is_inside() -> None:
    cache, seen = a_cache(), []
    with logging_in(cache):
        context = copy_context()
        thread = threading.Thread(target=lambda: seen.append(context.run(inside, cache)))
        thread.start()
        thread.join(10)
    assert seen == [True]


def test_logins_of_two_auths_nest() -> None:
    outer, inner = a_cache(), a_cache()
    with logging_in(outer), logging_in(inner):
        assert inside(outer)
        assert inside(inner)
