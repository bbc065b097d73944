"""Rules 5 and 8: a login that fails, and sessions that die as soon as they are made."""

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest
import requests

from relogin import Grant, errors
from relogin.client import Outcome, outcome
from relogin.client.requests import (
    InvalidGrant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
    SessionAuth,
)
from relogin.client.responders import BEARER, Action
from relogin.client.terms.grant import Context
from tests.client.server import Server
from tests.threads import in_threads


class Failing:
    """A login that raises, and counts how often it was asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def __call__(self, context: Context) -> Grant:
        self.calls += 1
        raise self.error


@pytest.mark.requirement("C-20")
def test_after_a_reset_a_login_is_tried_again(server: Server, session: requests.Session) -> None:
    auth = SessionAuth(Failing(errors.LoginRefused()), server.url)
    session.auth = auth
    with pytest.raises(LoginRefused):
        session.get(f"{server.url}/orders")
    auth.login = server.login
    auth.reset()
    assert session.get(f"{server.url}/orders").status_code == 200


def test_an_outage_is_not_asked_again_at_once(server: Server, session: requests.Session) -> None:
    login = Failing(errors.LoginUnavailable("down", retry_after=120.0))
    session.auth = SessionAuth(login, server.url)
    for _ in range(3):
        with pytest.raises(LoginUnavailable) as caught:
            session.get(f"{server.url}/orders")
        assert 100 < (caught.value.retry_after or 0) <= 120
    assert login.calls == 1


def test_all_who_wait_get_an_exception_of_their_own_with_their_own_401(
    server: Server, session: requests.Session
) -> None:
    gate = threading.Event()
    server.login_gates.append(gate)
    cause = errors.LoginUnavailable("down")

    def login(context: Context) -> Grant:
        context.http.post(f"{server.url}/login")
        raise cause

    session.auth = SessionAuth(login, server.url)

    def fail(number: int) -> LoginUnavailable:
        with pytest.raises(LoginUnavailable) as caught:
            session.get(f"{server.url}/{number}")
        return caught.value

    with ThreadPoolExecutor(10) as pool:
        failures = [pool.submit(fail, number) for number in range(10)]
        for number in range(10):
            server.wait_for(f"/{number}", 1)
        gate.set()
        errors_raised = [each.result(10) for each in failures]
    assert len({id(error) for error in errors_raised}) == 10
    assert {id(error.__cause__) for error in errors_raised} == {id(cause)}
    urls = {error.response.url for error in errors_raised}
    assert urls == {f"{server.url}/{number}" for number in range(10)}
    assert all(outcome(error.response) is Outcome.UNAVAILABLE for error in errors_raised)


@pytest.mark.parametrize(
    ("raised", "kind", "base"),
    [
        (errors.LoginRefused(), LoginRefused, requests.RequestException),
        (errors.LoginUnavailable(), LoginUnavailable, requests.RequestException),
        (requests.ConnectionError(), LoginUnavailable, requests.RequestException),
        (errors.InvalidGrant("x"), InvalidGrant, TypeError),
    ],
)
def test_a_failure_is_of_requests_kind_and_of_ours(
    server: Server,
    session: requests.Session,
    raised: Exception,
    kind: type[errors.ReloginError],
    base: type[Exception],
) -> None:
    session.auth = SessionAuth(Failing(raised), server.url)
    with pytest.raises(kind) as caught:
        session.get(f"{server.url}/orders")
    assert isinstance(caught.value, base)
    assert isinstance(caught.value, requests.RequestException)
    assert caught.value.__cause__ is raised
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("result", [7, b"token", "", ["token"], Grant])
def test_what_is_no_grant_is_a_mistake_of_the_login(
    server: Server, session: requests.Session, result: object
) -> None:
    session.auth = SessionAuth(lambda _: result, server.url)
    with pytest.raises(InvalidGrant, match=r"must return a relogin\.Grant, a token"):
        session.get(f"{server.url}/orders")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cookies": {"sid": 5}}, r"Grant\.cookies must map str to str, not str to int"),
        ({"token": "t", "expires_in": 10**400}, "a finite number of seconds"),
        ({}, "a Grant needs a token, cookies or headers"),
    ],
)
def test_a_grant_that_is_none_says_what_to_return(
    server: Server, session: requests.Session, fields: dict[str, Any], said: str
) -> None:
    session.auth = SessionAuth(lambda _: Grant(**fields), server.url)
    with pytest.raises(InvalidGrant, match=said):
        session.get(f"{server.url}/orders")


@pytest.mark.parametrize("token", ["s3cret\n", "Bearer s3cret", 's3"cret', "s3\\cret", "s3crét"])
def test_a_token_that_cannot_be_sent_is_a_mistake_of_the_login_and_not_shown(
    server: Server, session: requests.Session, token: str
) -> None:
    session.auth = SessionAuth(lambda _: token, server.url)
    with pytest.raises(InvalidGrant, match="visible ASCII without spaces, quotes") as caught:
        session.get(f"{server.url}/orders")
    assert "cret" not in str(caught.value)


def test_a_coroutine_function_is_named_as_what_it_is(
    server: Server, session: requests.Session
) -> None:
    async def login(context: Context) -> str:
        return "t"

    session.auth = SessionAuth(login, server.url)
    with pytest.raises(InvalidGrant, match="coroutine function"):
        session.get(f"{server.url}/orders")


@pytest.mark.parametrize("token", ["with space", "tab\t", "ü", 'a"b', "line\nfeed", "=="])
def test_a_token_that_bearer_forbids_is_a_mistake_of_the_login_and_not_shown(
    server: Server, session: requests.Session, token: str
) -> None:
    server.scheme = "Bearer"
    session.auth = SessionAuth(lambda _: token, server.url, responders=[BEARER])
    with pytest.raises(InvalidGrant, match="a Bearer token is") as caught:
        session.get(f"{server.url}/orders")
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert token not in shown


def test_a_hanging_login_holds_nobody_beyond_the_deadline(
    server: Server, session: requests.Session
) -> None:
    hang = threading.Event()

    def login(context: Context) -> Grant:
        hang.wait(20)
        raise errors.LoginUnavailable

    session.auth = SessionAuth(login, server.url, login_timeout=0.1)
    with ThreadPoolExecutor(3) as pool:
        requested = [pool.submit(session.get, f"{server.url}/orders") for _ in range(3)]
        # The first leads, a second takes over, and the third does not wait for ever.
        error = next(as_completed(requested, timeout=10)).exception()
        hang.set()
    assert isinstance(error, LoginTimeout)
    assert isinstance(error, requests.Timeout)
    assert error.response.status_code == 401


@pytest.mark.requirement("C-19")
def test_a_server_that_refuses_every_session_gets_one_login_a_request(
    server: Server, session: requests.Session
) -> None:
    server.refuse_all = True
    session.auth = SessionAuth(server.login, server.url)
    answer = session.get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (401, Outcome.REFUSED_AGAIN)
    assert (server.logins, len(server.seen("/orders"))) == (1, 2)


@pytest.mark.requirement("C-19")
def test_a_budget_bounds_the_logins_of_a_time(server: Server, session: requests.Session) -> None:
    server.refuse_all = True
    session.auth = SessionAuth(server.login, server.url, budget=(3, 60.0))
    outcomes = [outcome(session.get(f"{server.url}/orders")) for _ in range(6)]
    assert outcomes == [Outcome.REFUSED_AGAIN] * 3 + [Outcome.OVER_BUDGET] * 3
    assert server.logins == 3


@pytest.mark.requirement("C-19")
def test_a_server_that_invents_realms_is_bounded_too(
    server: Server, session: requests.Session
) -> None:
    server.refuse_all = True
    server.challenges = lambda _: [f'Session realm="{len(server.requests)}"']
    session.auth = SessionAuth(server.login, server.url, budget=(3, 60.0))
    for _ in range(40):
        session.get(f"{server.url}/orders")
    assert server.logins == 16


def test_two_clients_that_evict_each_other_stop(server: Server) -> None:
    def user() -> requests.Session:
        opened = requests.Session()
        opened.trust_env = False
        opened.auth = SessionAuth(
            server.login,
            server.url,
            budget=(3, 60.0),
            actions={"session_revoked": Action.RENEW},
        )
        return opened

    with user() as one, user() as other:
        for _ in range(10):
            one.get(f"{server.url}/orders")
            other.get(f"{server.url}/orders")
    assert server.logins == 6


@pytest.mark.requirement("C-15")
def test_two_clients_of_one_account_do_not_evict_each_other_by_default(server: Server) -> None:
    with requests.Session() as one, requests.Session() as other:
        one.auth = SessionAuth(server.login, server.url)
        other.auth = SessionAuth(server.login, server.url)
        one.get(f"{server.url}/orders")
        other.get(f"{server.url}/orders")
        answer = one.get(f"{server.url}/orders")
        assert (answer.status_code, outcome(answer)) == (401, Outcome.UNTOUCHED)
        assert other.get(f"{server.url}/orders").history == []
    assert server.logins == 2


def test_an_outage_ends_when_the_login_works_again(
    server: Server, session: requests.Session
) -> None:
    failing = [errors.LoginUnavailable(retry_after=0)]

    def login(context: Context) -> Grant:
        if failing:
            raise failing.pop()
        return server.login(context)

    session.auth = SessionAuth(login, server.url)
    with pytest.raises(LoginUnavailable):
        session.get(f"{server.url}/orders")
    answers = in_threads(5, lambda _: session.get(f"{server.url}/orders"))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert server.logins == 1
