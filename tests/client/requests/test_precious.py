"""Before a long upload, or one that cannot be sent twice, a session is renewed earlier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

import relogin
from relogin.client.driver.content import is_precious
from relogin.client.requests import SessionAuth
from tests.client.server import Server

SHORT, LONG = b"x", bytes(1_000_000)


def generator() -> Any:
    return iter([b"x"])


@pytest.fixture
def later(server: Server, session: requests.Session) -> Any:
    """Log in for 100 seconds, and let some of them pass."""

    def login(context: Any) -> relogin.Grant:
        return replace(server.login(context), expires_in=100)

    auth = SessionAuth(login, server.url)
    session.auth = auth
    session.get(f"{server.url}/first")
    now = auth._cache.clock()

    def later(seconds: float) -> requests.Session:
        auth._cache.clock = lambda: now + seconds
        return session

    return later


@pytest.mark.parametrize("body", [lambda: LONG, generator], ids=["long", "generator"])
def test_before_such_an_upload_a_session_is_renewed_a_quarter_of_its_lifetime_earlier(
    server: Server, later: Any, body: Any
) -> None:
    assert later(70).post(f"{server.url}/upload", data=body()).status_code == 200
    assert server.logins == 2
    assert len(server.seen("/upload")) == 1


@pytest.mark.parametrize("body", [None, SHORT])
def test_any_other_request_leaves_the_session_alone(server: Server, later: Any, body: Any) -> None:
    later(70).post(f"{server.url}/upload", data=body)
    assert server.logins == 1


def test_no_upload_renews_a_session_long_before_its_end(server: Server, later: Any) -> None:
    later(50).post(f"{server.url}/upload", data=LONG)
    assert server.logins == 1


def test_a_session_that_is_renewed_ahead_no_more_is_once_nobody_saw_it_alive_for_so_long(
    server: Server, later: Any
) -> None:
    session = later(50)
    auth: Any = session.auth
    (credential,) = auth._cache._credentials[next(iter(auth._cache.policy.origins))].values()
    auth._cache.keep(credential)
    later(99).post(f"{server.url}/upload", data=LONG)
    assert server.logins == 1
    later(201).post(f"{server.url}/upload", data=SHORT)
    assert server.logins == 1
    later(320).post(f"{server.url}/upload", data=LONG)
    assert server.logins == 2


def test_a_body_is_precious_that_is_long_or_goes_once() -> None:
    assert not is_precious({}, lambda: False)
    assert not is_precious({"Content-Length": "9"}, lambda: True)
    assert is_precious({"Content-Length": "9"}, lambda: False)
    assert is_precious({"Content-Length": "1000000"}, lambda: True)
