"""DigestLogin against servers that others have written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from relogin import DigestChallenge, LoginRefused, best, parse
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from tests.client.digest.conftest import body
from tests.client.digest.servers import SERVERS, apache, httpbin_url, lighttpd, program
from tests.client.digest_site import PASSWORD, USER
from tests.client.either import Either

THREADS, EACH = 20, 25


def needing(name: str) -> Any:
    """Skip where a program is not installed; what comes from PyPI is."""
    marks = [pytest.mark.needs(name)] if name in {"apache2", "lighttpd"} else []
    return pytest.param(name, marks=marks)


@pytest.fixture(params=[needing(name) for name in SERVERS])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    server: Any = SERVERS[request.param]()
    with server as running:
        yield running


@pytest.fixture
def httpbin() -> Iterator[str]:
    with program("httpbin") as running:
        yield running


def nonces(answers: list[requests.Response]) -> list[str]:
    """The nonces of all challenges that these answers met on their way."""
    met = [refused for answer in answers for refused in answer.history]
    found = [best(parse(one.headers["WWW-Authenticate"]), DigestChallenge) for one in met]
    return [challenge.nonce for challenge in found if challenge is not None]


def test_a_digest_login_serves_many_requests(url: str, either: Either) -> None:
    caller = either.attach(DigestLogin(USER, PASSWORD), url)
    answers = [caller.get(url) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [len(answer.history) for answer in answers] == [1, 0, 0, 0, 0]


def test_a_wrong_password_is_refused(url: str, either: Either) -> None:
    with pytest.raises(LoginRefused):
        either.attach(DigestLogin(USER, "wrong"), url).get(url)


def test_twenty_threads_see_no_401_and_no_nonce_is_given_twice(
    url: str, session: requests.Session
) -> None:
    session.auth = SessionAuth(DigestLogin(USER, PASSWORD), url)
    session.get(url)  # twenty that begin at once are all challenged
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: session.get(url), range(THREADS * EACH)))
    assert {answer.status_code for answer in answers} == {200}
    given = nonces(answers)
    assert len(given) == len(set(given)) <= THREADS


@pytest.mark.needs("apache2")
def test_apache_s_nonces_of_a_second_grow_old_and_are_replaced(session: requests.Session) -> None:
    with apache(lifetime=1) as url:
        session.auth = SessionAuth(DigestLogin(USER, PASSWORD), url)
        session.get(url)
        for _ in range(2):
            time.sleep(1.2)
            answer = session.get(url)
            assert answer.status_code == 200
            [refused] = answer.history
            assert "stale=true" in refused.headers["WWW-Authenticate"]


@pytest.mark.needs("lighttpd")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_lighttpd_takes_both_of_its_algorithms(algorithm: str, either: Either) -> None:
    with lighttpd(algorithm) as url:
        assert either.attach(DigestLogin(USER, PASSWORD), url).get(url).status_code == 200


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_httpbin_takes_every_kind(
    httpbin: str, session: requests.Session, algorithm: str, qop: str
) -> None:
    session.auth = SessionAuth(DigestLogin(USER, "s3cret"), httpbin)
    url = httpbin_url(httpbin, qop, algorithm)
    assert [session.get(url).status_code for _ in range(3)] == [200] * 3


def test_httpbin_s_stale_nonces_reach_no_caller(httpbin: str, session: requests.Session) -> None:
    session.auth = SessionAuth(DigestLogin(USER, "s3cret"), httpbin)
    url = httpbin_url(httpbin, stale_after="1")
    assert [session.get(url).status_code for _ in range(5)] == [200] * 5


def test_wsgidav_takes_a_file_and_gives_it_back(either: Either) -> None:
    with program("wsgidav") as url:
        caller = either.attach(DigestLogin(USER, PASSWORD), url)
        caller.get(url)
        put = caller.put(f"{url}orders.txt", **body(either, b"tea, ink"))
        assert put.status_code == 201
        assert caller.get(f"{url}orders.txt").content == b"tea, ink"
