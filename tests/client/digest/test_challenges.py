"""DigestLogin against a strict site: over requests, and over httpx in threads and in tasks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relogin.client import Outcome, outcome
from tests.client.digest.conftest import attach, body
from tests.client.digest_site import DigestSite
from tests.client.either import Either
from tests.client.server import Server

ALGORITHMS = ["MD5", "SHA-256", "SHA-512-256", "SHA-512"]


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, *(f"{name}-sess" for name in ALGORITHMS)])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth-int, auth", None])
def test_digest_login_answers_every_algorithm_and_qop(
    server: Server, either: Either, algorithm: str, qop: str | None
) -> None:
    site = DigestSite(server, algorithm, qop)
    caller = attach(either, site)
    answers = [
        caller.get(f"{server.url}/a?b=%20c&d"),
        caller.post(f"{server.url}/", **body(either, b"new")),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (site.wrong, len(site.challenged)) == (0, 1)


@pytest.mark.parametrize("userhash", [True, False])
def test_user_names_in_utf_8_are_understood(server: Server, either: Either, userhash: bool) -> None:
    site = DigestSite(server, user="Jäsøn Doe", password="Sécret", charset=True, userhash=userhash)
    assert attach(either, site, "Sécret").get(server.url).status_code == 200


# Which challenge


@pytest.mark.parametrize(
    "lines",
    [
        lambda ours: [f'Session realm="x", error="session_expired", {ours}'],
        lambda ours: ['Basic realm="x"', ours],
        lambda ours: [f'Basic realm="x", {ours}'],
        lambda ours: ['Bearer error_description="a "quoted" word"', ours],
        lambda ours: ['Digest realm="dig", nonce="x", algorithm=ROT13, qop="auth"', ours],
        lambda ours: ['Digest realm="dig", nonce="x", algorithm=MD5, qop="auth"', ours],
        lambda ours: [ours, 'Digest realm="dig", nonce="x", algorithm=MD5, qop="auth"'],
        lambda ours: [f'{ours}, Digest realm="dig", nonce="x", algorithm=MD5, qop="auth"'],
        lambda ours: [ours.replace("Digest", "digest").replace("SHA-256", '"sha-256"')],
        lambda ours: [ours.replace('"', "'")],
        lambda ours: [ours.replace(",", " ").replace("  ", " ")],
    ],
)
def test_the_strongest_digest_challenge_that_can_be_answered_is_found(
    server: Server, either: Either, lines: Callable[[str], list[str]]
) -> None:
    site = DigestSite(server, "SHA-256", lines=lines)
    assert attach(either, site).get(server.url).status_code == 200
    assert len(site.answers) == 1


@pytest.mark.parametrize(
    "line",
    ['Basic realm="dig"', 'Digest realm="dig", nonce="n", algorithm=ROT13', "Digest realm=x"],
)
def test_a_challenge_that_digest_cannot_answer_is_left_as_it_is(
    server: Server, either: Either, line: str
) -> None:
    site = DigestSite(server, lines=lambda _: [line])
    answer = attach(either, site).get(server.url)
    assert (answer.status_code, outcome(answer)) == (401, Outcome.UNANSWERED)
    assert site.answers == []


def test_a_401_without_a_challenge_is_left_as_it_is(server: Server, either: Either) -> None:
    site = DigestSite(server, lines=lambda _: [])
    answer = attach(either, site).get(server.url)
    assert (answer.status_code, len(server.requests)) == (401, 1)


def test_only_the_realm_that_is_named_is_answered(site: DigestSite, either: Either) -> None:
    assert attach(either, site, realm="other").get(site.server.url).status_code == 401
    assert attach(either, site, realm="dig").get(site.server.url).status_code == 200
