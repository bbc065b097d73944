"""DigestLogin: what a server proves with its answer (RFC 7616 §3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relogin import LoginUnavailable
from relogin.client.logins import DigestLogin
from tests.client.digest.conftest import attach
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.either import Either
from tests.client.server import Answer, Request


@pytest.mark.parametrize("proves", [True, None])
def test_an_answer_that_proves_or_says_nothing_is_taken(
    site: DigestSite, either: Either, proves: bool | None
) -> None:
    site.proves = proves
    assert attach(either, site).get(site.server.url).status_code == 200


def test_an_answer_from_who_does_not_know_the_password_is_refused(
    site: DigestSite, either: Either
) -> None:
    site.proves = False
    caller = attach(either, site)
    with pytest.raises(LoginUnavailable, match="rspauth is wrong") as failed:
        caller.get(site.server.url)
    assert failed.value.response.status_code == 200
    assert "s3cret" not in str(failed.value)


def test_a_server_that_computes_it_wrongly_can_be_lived_with(
    site: DigestSite, either: Either
) -> None:
    site.proves = False
    login = DigestLogin(USER, PASSWORD, check_server=False)
    caller = either.attach(login, site.server.url)
    assert [caller.get(site.server.url).status_code for _ in range(2)] == [200, 200]


def adding_info(site: DigestSite, field: Callable[[], str]) -> None:
    """Let the site send this Authentication-Info with what it serves."""

    def answer(request: Request) -> Answer:
        given = site.answer(request)
        if given.status != 200:
            return given
        return Answer(200, (("Authentication-Info", field()),), given.body)

    site.server.answers = answer


@pytest.mark.parametrize("field", ["rspauth", "x" * 20_000, 'nextnonce=""', "qop=auth, nextnonce"])
def test_an_info_field_that_makes_no_sense_says_nothing(
    site: DigestSite, either: Either, field: str
) -> None:
    adding_info(site, lambda: field)
    caller = attach(either, site)
    assert [caller.get(site.server.url).status_code for _ in range(2)] == [200, 200]
    assert len(site.challenged) == 1


def test_a_next_nonce_that_is_the_one_in_use_is_counted_on(
    site: DigestSite, either: Either
) -> None:
    adding_info(site, lambda: f'nextnonce="{site.answers[-1]["nonce"]}"')
    caller: Any = attach(either, site)
    assert [caller.get(site.server.url).status_code for _ in range(3)] == [200] * 3
    assert [sent["nc"] for sent in site.answers] == ["00000001", "00000002", "00000003"]
