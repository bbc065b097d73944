"""Rules 1 and 2 with real threads: one login for all, and none for a refusal that comes late."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from reauth.client.requests import SessionAuth
from tests.client.server import Server


def at_once(number: int, do: Callable[[int], requests.Response]) -> list[requests.Response]:
    """Call `do` in so many threads that all begin at the same moment."""
    begin = threading.Barrier(number)

    def one(index: int) -> requests.Response:
        begin.wait(10)
        return do(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@pytest.mark.requirement("C-17")
def test_a_hundred_threads_that_meet_a_dead_session_log_in_once(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.kill()

    answers = at_once(100, lambda _: session.get(f"{server.url}/orders"))

    assert [answer.status_code for answer in answers] == [200] * 100
    assert server.logins == 2


@pytest.mark.requirement("C-18")
def test_refusals_that_arrive_after_the_renewal_cost_no_login(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.kill()
    server.late_paths = frozenset({"/1"})

    answers = at_once(100, lambda index: session.get(f"{server.url}/{index % 2}"))

    assert [answer.status_code for answer in answers] == [200] * 100
    assert server.logins == 2
