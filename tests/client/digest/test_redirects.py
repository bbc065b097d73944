"""DigestLogin: redirects lead to other realms and origins, and each answers for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relogin.client import Outcome, outcome
from relogin.client.logins import DigestLogin
from tests.client.digest.conftest import attach, body
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.either import Either
from tests.client.server import serve

pytestmark = pytest.mark.parametrize("method", ["GET", "POST"])


@pytest.fixture
def other() -> Iterator[DigestSite]:
    """A site on another origin."""
    with serve() as server:
        yield DigestSite(server)


def ask(caller: Any, either: Either, method: str, url: str) -> Any:
    content = body(either, b"content") if method == "POST" else {}
    return caller.request(method, url, **content)


def test_a_redirect_within_a_realm_is_followed(
    site: DigestSite, either: Either, method: str
) -> None:
    site.redirects = {"/from": "/to"}
    caller = attach(either, site)
    for _ in range(2):
        assert ask(caller, either, method, f"{site.server.url}/from").status_code == 200
    assert site.wrong == 0


def test_a_redirect_to_another_realm_is_followed(
    site: DigestSite, either: Either, method: str
) -> None:
    site.redirects, site.realms = {"/a/from": "/b/to"}, lambda path: path[1]
    caller = attach(either, site)
    for known in (False, True):
        wrong = site.wrong
        assert ask(caller, either, method, f"{site.server.url}/a/from").status_code == 200
        assert site.wrong - wrong <= (not known)  # of a place that nobody has asked for yet


def test_a_redirect_to_another_origin_of_ours_is_followed(
    site: DigestSite, other: DigestSite, either: Either, method: str
) -> None:
    site.redirects = {"/from": f"{other.server.url}/to"}
    asked: list[str] = []

    def password() -> str:
        asked.append(PASSWORD)
        return PASSWORD

    login = DigestLogin(USER, password)
    caller = either.attach(login, [site.server.url, other.server.url])
    for _ in range(2):
        assert ask(caller, either, method, f"{site.server.url}/from").status_code == 200
    assert (site.wrong, other.wrong, len(asked)) == (0, 0, 2)


def test_the_401_of_a_foreign_origin_is_not_answered_and_costs_no_nonce(
    site: DigestSite, other: DigestSite, either: Either, method: str
) -> None:
    site.redirects = {"/from": f"{other.server.url}/to"}
    caller = attach(either, site)
    for _ in range(2):
        answer = ask(caller, either, method, f"{site.server.url}/from")
        assert (answer.status_code, outcome(answer)) == (401, Outcome.FOREIGN)
    assert (len(site.challenged), other.answers) == (1, [])
