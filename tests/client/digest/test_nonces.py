"""DigestLogin : nonces grow old, are named ahead, and are counted, whatever the threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.logins import DigestLogin
from relogin.client.requests import SessionAuth
from tests.client.digest.conftest import attach, body
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.either import Either
from tests.client.httpx_drivers import drive
from tests.client.server import Server
from tests.client.steps import Told
from tests.threads import in_threads


def counted(site: DigestSite) -> list[int]:
    return [int(sent["nc"], 16) for sent in site.answers]


def test_a_nonce_is_counted_up_from_request_to_request(site: DigestSite, either: Either) -> None:
    caller = attach(either, site)
    for _ in range(3):
        caller.get(site.server.url)
    assert counted(site) == [1, 2, 3]
    assert len(site.challenged) == 1


@pytest.mark.parametrize("says_stale", [True, False])
def test_an_old_nonce_is_replaced_again_and_again_without_a_login(
    server: Server, either: Either, says_stale: bool
) -> None:
    site, told = DigestSite(server, says_stale=says_stale), Told()
    asked: list[str] = []

    def password() -> str:
        asked.append(PASSWORD)
        return PASSWORD

    caller = attach(either, site, password, budget=(1, 60.0), on_event=told)
    for _ in range(4):
        answer = caller.post(server.url, **body(either, b"content"))
        assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
        site.expire()
    assert len(asked) == 1
    assert told.kinds().count("started") == 1
    assert len(site.challenged) == 4


def test_a_nonce_that_is_too_old_twice_in_a_row_is_replaced_twice(
    site: DigestSite, either: Either
) -> None:
    caller = attach(either, site)
    caller.get(site.server.url)
    site.refuses = 2
    assert caller.get(site.server.url).status_code == 200


def test_the_first_answer_may_be_too_late(site: DigestSite, either: Either) -> None:
    site.refuses = 1
    assert attach(either, site).get(site.server.url).status_code == 200


def test_a_server_that_finds_every_nonce_too_old_gets_its_401_returned(
    site: DigestSite, either: Either
) -> None:
    site.refuses = 100
    caller = attach(either, site)
    answer = caller.get(site.server.url)
    assert (answer.status_code, outcome(answer)) == (401, Outcome.REFUSED_AGAIN)
    assert len(site.server.requests) == 3
    site.refuses = 0
    assert caller.get(site.server.url).status_code == 200


def test_a_next_nonce_saves_every_further_challenge(server: Server, either: Either) -> None:
    site = DigestSite(server, uses=1, next_nonces=True)
    caller = attach(either, site)
    statuses = [caller.get(server.url).status_code for _ in range(5)]
    assert (statuses, len(site.challenged)) == ([200] * 5, 1)
    assert counted(site) == [1] * 5


def test_a_realm_that_is_renamed_costs_one_challenge(site: DigestSite, either: Either) -> None:
    caller = attach(either, site)
    for realm in ("dig", "renamed"):
        site.realms = lambda path, realm=realm: realm  # type: ignore[misc]
        for path in ("/1", "/2"):
            assert caller.get(f"{site.server.url}{path}").status_code == 200
    assert (site.wrong, len(site.challenged)) == (1, 2)


@pytest.fixture(params=["requests", "httpx"])
def ask(request: pytest.FixtureRequest, site: DigestSite) -> Iterator[Callable[[], int]]:
    """One client for many threads."""
    login, url = DigestLogin(USER, PASSWORD), site.server.url
    if request.param == "requests":
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=20))
            session.auth = SessionAuth(login, url)
            yield lambda: session.get(url).status_code
    else:
        with drive("sync") as driver:
            client = driver.open(auth=HttpxAuth(login, url))
            yield lambda: client.get(url).status_code


@pytest.mark.parametrize("site_options", [{}, {"rising": True}, {"uses": 1}, {"uses": 3}])
def test_no_thread_sees_a_401_whatever_the_nonces_are(
    site: DigestSite, ask: Callable[[], int], site_options: dict[str, Any]
) -> None:
    vars(site).update(site_options)
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: ask(), range(100)))
    assert statuses == [200] * 100
    assert site.wrong == 0


def test_a_burst_at_one_nonce_repeats_no_count(site: DigestSite, ask: Callable[[], int]) -> None:
    site.nonce = "one-for-all"
    assert set(in_threads(10, lambda _: ask())) == {200}
    assert sorted(counted(site)) == list(range(1, 11))


def test_threads_share_next_nonces(site: DigestSite, ask: Callable[[], int]) -> None:
    site.uses, site.next_nonces = 1, True
    ask()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: ask(), range(60))) == {200}
