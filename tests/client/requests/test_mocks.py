"""What a mock puts in the place of a server: a session is renewed over it, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import requests
import requests_mock
import responses

import relogin
from relogin.client import outcome
from relogin.client.logins import JSONLogin
from relogin.client.requests import SessionAuth

LOGIN = JSONLogin("https://api.example.com/login", {"user": "ada", "password": "tea"})
ORDERS = "https://api.example.com/orders"
BEARER = {"WWW-Authenticate": "Bearer"}


@contextmanager
def with_requests_mock() -> Iterator[None]:
    with requests_mock.Mocker() as mock:
        mock.post(LOGIN.url, json={"access_token": "new"})
        mock.put(ORDERS, [{"status_code": 401, "headers": BEARER}, {"text": "tea"}])
        yield
        assert mock.last_request is not None
        assert mock.last_request.headers["Authorization"] == "Bearer new"


@contextmanager
def with_responses() -> Iterator[None]:
    with responses.RequestsMock() as mock:
        mock.post(LOGIN.url, json={"access_token": "new"})
        mock.put(ORDERS, status=401, headers=BEARER)
        mock.put(ORDERS, body="tea")
        yield
        assert mock.calls[-1].request.headers["Authorization"] == "Bearer new"


@pytest.mark.parametrize("mocked", [with_requests_mock, with_responses])
def test_a_dead_session_is_renewed_over_a_mock(
    session: requests.Session, mocked: Callable[[], AbstractContextManager[None]]
) -> None:
    session.auth = SessionAuth(LOGIN)
    with mocked():
        answer = session.put(ORDERS, data=b"one")
    assert (answer.text, outcome(answer)) == ("tea", "replayed")
    assert [past.status_code for past in answer.history] == [401]


def test_a_cookie_that_a_mock_gives_without_a_field_rolls_the_session(
    session: requests.Session,
) -> None:
    session.auth = SessionAuth(lambda _: relogin.Grant(cookies={"sid": "1"}), ORDERS)
    with requests_mock.Mocker() as mock:
        mock.get(ORDERS, [{"status_code": 401}, {"text": "tea"}])
        session.get(ORDERS)
        rolled = requests_mock.CookieJar()
        rolled.set("sid", "2", domain="api.example.com", path="/")
        mock.get(ORDERS, cookies=rolled)
        session.get(ORDERS)
        session.cookies.clear()
        session.get(ORDERS)
        assert mock.last_request is not None
        assert mock.last_request.headers["Cookie"] == "sid=2"
