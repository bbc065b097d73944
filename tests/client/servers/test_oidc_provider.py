"""Against oidc-provider, which rotates refresh tokens and revokes the family of one used twice."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from relogin import LoginRefused
from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from tests.client.httpx_drivers import Driver
from tests.client.redis_server import a_redis_server
from tests.client.servers.assertions import proof
from tests.client.servers.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OIDCProvider,
    an_oidc_provider,
)
from tests.client.shared import several_processes

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


@pytest.fixture
def provider() -> Iterator[OIDCProvider]:
    with an_oidc_provider() as running:
        yield running


@pytest.fixture
def login(provider: OIDCProvider) -> OAuth2Login:
    given = provider.refresh_token()
    return OAuth2Login(provider.token_url, CLIENT_ID, CLIENT_SECRET, refresh_token=given)


DEATHS = 10


def test_twenty_threads_refresh_once_at_each_of_ten_deaths(
    provider: OIDCProvider, login: OAuth2Login, session: requests.Session
) -> None:
    session.auth = SessionAuth(login, provider.url)
    with ThreadPoolExecutor(20) as pool:
        for _ in range(DEATHS):
            provider.kill()
            answers = pool.map(lambda _: session.get(provider.api), range(20))
            assert {answer.status_code for answer in answers} == {200}
    assert provider.counts()["refresh_token"] == DEATHS
    assert_the_family_lives(provider)


def test_twenty_threads_or_tasks_of_httpx_refresh_once_at_each_of_ten_deaths(
    provider: OIDCProvider, login: OAuth2Login, driver: Driver
) -> None:
    client = driver.open(auth=HttpxAuth(login, provider.url))
    for _ in range(DEATHS):
        provider.kill()
        answers = client.at_once(20, lambda _: provider.api)
        assert {answer.status_code for answer in answers} == {200}
    assert provider.counts()["refresh_token"] == DEATHS
    assert_the_family_lives(provider)


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))]
)
def test_four_processes_of_ten_threads_refresh_once_at_each_of_ten_deaths(
    provider: OIDCProvider, kind: str, tmp_path: Path
) -> None:
    with ExitStack() as opened:
        store = str(tmp_path / "sessions")
        if kind == "redis":
            store = opened.enter_context(a_redis_server()).url
        given = provider.refresh_token()
        workers = opened.enter_context(
            several_processes(provider.url, store, 4, threads=10, refresh_token=given)
        )
        for _ in range(DEATHS):
            provider.kill()
            for worker in workers:
                worker.tell("get /me")
            ended = sum((worker.ended().ended for worker in workers), Counter[str]())
            assert ended == {"200": 40}
    assert provider.counts()["refresh_token"] == DEATHS
    assert_the_family_lives(provider)


def assert_the_family_lives(provider: OIDCProvider) -> None:
    counts = provider.counts()
    assert (counts["error"], counts["revoked"]) == (0, 0)


def test_no_request_is_lost_to_tokens_that_live_for_two_seconds(
    session: requests.Session,
) -> None:
    with an_oidc_provider(lifetime=2) as provider:
        given = provider.refresh_token()
        login = OAuth2Login(provider.token_url, CLIENT_ID, CLIENT_SECRET, refresh_token=given)
        session.auth = SessionAuth(login, provider.url)
        answers = []
        until = time.monotonic() + 5
        while time.monotonic() < until:
            answers.append(session.get(provider.api))
            time.sleep(0.02)
        assert {answer.status_code for answer in answers} == {200}
        assert 3 <= provider.counts()["refresh_token"] <= 6
        assert_the_family_lives(provider)


def test_a_family_that_another_program_has_burnt_is_refused_once(
    provider: OIDCProvider, login: OAuth2Login, session: requests.Session
) -> None:
    session.auth = SessionAuth(login, provider.url)
    session.get(provider.api)
    fields = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
    requests.post(provider.token_url, fields, auth=(CLIENT_ID, "s3cret%3A%25%2B"))
    assert provider.counts()["revoked"] == 1
    for _ in range(3):
        with pytest.raises(LoginRefused, match="400 invalid_grant: the refresh token has expired"):
            session.get(provider.api)
    assert provider.counts()["error"] == 2


def test_both_ways_of_client_authentication_are_taken(
    provider: OIDCProvider, session: requests.Session
) -> None:
    for name, way in (("job", "basic"), ("post", "post")):
        session.auth = SessionAuth(
            OAuth2Login(provider.token_url, name, CLIENT_SECRET, auth=way),  # type: ignore[arg-type]
            provider.url,
        )
        session.get(provider.api)  # which takes no token without a user
    assert provider.counts()["client_credentials"] == 2


def test_a_wrong_secret_is_told_as_such(provider: OIDCProvider, session: requests.Session) -> None:
    session.auth = SessionAuth(OAuth2Login(provider.token_url, CLIENT_ID, "wrong"), provider.url)
    with pytest.raises(LoginRefused, match="401 invalid_client: the client's id or secret"):
        session.get(provider.api)


def test_a_client_that_must_prove_its_tokens_is_refused_clearly(
    provider: OIDCProvider, session: requests.Session
) -> None:
    login = OAuth2Login(provider.token_url, "dpop", CLIENT_SECRET)
    session.auth = SessionAuth(login, provider.url)
    with pytest.raises(LoginRefused, match="400 invalid_grant"):
        session.get(provider.api)


def dpop_login(provider: OIDCProvider) -> OAuth2Login:
    given = provider.refresh_token("dpop")
    return OAuth2Login(provider.token_url, "dpop", CLIENT_SECRET, refresh_token=given, dpop=proof)


def test_tokens_bound_to_a_key_are_renewed_like_others(
    provider: OIDCProvider, session: requests.Session
) -> None:
    session.auth = SessionAuth(dpop_login(provider), provider.url)
    with ThreadPoolExecutor(10) as pool:
        for _ in range(3):
            answers = pool.map(lambda _: session.get(provider.api), range(10))
            assert {answer.status_code for answer in answers} == {200}
            provider.kill()
    assert provider.counts()["refresh_token"] == 3


def test_tokens_bound_to_a_key_go_over_httpx_too(provider: OIDCProvider, driver: Driver) -> None:
    client = driver.open(auth=HttpxAuth(dpop_login(provider), provider.url))
    assert client.get(provider.api).status_code == 200
