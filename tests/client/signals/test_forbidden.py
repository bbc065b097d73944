"""A server that says the same to a dead session and to a session that lacks a right."""

from __future__ import annotations

from typing import Any

import pytest

from relogin.client import Outcome, outcome
from relogin.client.signals import status
from tests.client.either import Either
from tests.client.server import Answer, Server
from tests.client.travel import Travel, by_header


@pytest.fixture
def site(server: Server) -> Travel:
    """It answers 403 to both; `/admin` is for nobody here."""
    travel = Travel(server, by_header("Authorization", "Bearer"), refusal=Answer(403))
    travel.routes["/admin"] = lambda _: Answer(403)
    return travel


@pytest.fixture
def client(site: Travel, either: Either) -> Any:
    return either.attach(site.login, site.server.url, signals=[status(403)])


def test_a_forbidden_page_costs_one_login(site: Travel, client: Any) -> None:
    outcomes = [outcome(client.get(f"{site.server.url}/admin")) for _ in range(4)]
    assert outcomes == [Outcome.REFUSED_AGAIN, *[Outcome.UNTOUCHED] * 3]
    assert site.logins == 1


def test_a_session_that_dies_elsewhere_is_renewed(site: Travel, client: Any) -> None:
    client.get(f"{site.server.url}/admin")
    site.kill()
    assert client.get(f"{site.server.url}/orders").status_code == 200


def test_with_another_session_the_page_is_tried_again(site: Travel, client: Any) -> None:
    client.get(f"{site.server.url}/admin")
    site.kill()
    client.get(f"{site.server.url}/orders")
    client.get(f"{site.server.url}/admin")
    assert site.logins == 3


def test_a_page_that_is_open_at_last_is_renewed_for(site: Travel, client: Any) -> None:
    client.get(f"{site.server.url}/admin")
    del site.routes["/admin"]
    assert client.get(f"{site.server.url}/admin").status_code == 200
    site.kill()
    assert outcome(client.get(f"{site.server.url}/admin")) is Outcome.REPLAYED


def test_a_status_that_means_the_session_alone_costs_a_login_each_time(
    site: Travel, either: Either
) -> None:
    site.routes["/orders"] = lambda _: Answer(440)
    client = either.attach(site.login, site.server.url, signals=[status(440)])
    for _ in range(2):
        assert outcome(client.get(f"{site.server.url}/orders")) is Outcome.REFUSED_AGAIN
    assert site.logins == 2


def test_a_signal_counts_at_a_server_that_challenges_dead_sessions_elsewhere(
    site: Travel, client: Any
) -> None:
    site.refusal, site.lines = None, ["Bearer"]
    client.get(f"{site.server.url}/orders")
    site.kill()
    client.get(f"{site.server.url}/orders")
    site.kill()
    site.refusal = Answer(403)
    assert outcome(client.get(f"{site.server.url}/orders")) is Outcome.REPLAYED
