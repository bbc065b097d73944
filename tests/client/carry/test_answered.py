"""Which 401 is answered where `carry=` says how the token travels."""

from __future__ import annotations

from typing import Any

import pytest

from relogin.client.carry import Authorization, Header, Query
from relogin.client.responders import BEARER, SESSION, with_scheme_of
from relogin.client.signals import status
from tests.client.either import Either
from tests.client.server import Server
from tests.client.travel import Read, Travel, by_header, by_query

TOKEN = Authorization("Token"), by_header("Authorization", "Token")
HEADER = Header("X-Auth-Token"), by_header("X-Auth-Token")
QUERY = Query("_sid"), by_query("_sid")

Way = tuple[Any, Read]

OURS = ['Session realm="api"', 'Bearer error="invalid_token"', "Bearer"]


def answers(server: Server, either: Either, way: Way, lines: list[str], **options: Any) -> bool:
    """Whether such a 401 is answered: the first, and one to a dead session."""
    carry, read = way
    travel = Travel(server, read, lines)
    client = either.attach(travel.login, server.url, carry=carry, **options)
    first = client.get(server.url).status_code
    travel.kill()
    assert client.post(server.url).status_code == first
    return bool(first == 200)


@pytest.mark.parametrize("way", [TOKEN, HEADER, QUERY])
@pytest.mark.parametrize("lines", [[], *([line] for line in OURS)])
def test_what_is_answered_without_carry_is_answered_with_carry(
    server: Server, either: Either, way: Way, lines: list[str]
) -> None:
    assert answers(server, either, way, lines)


def test_a_challenge_of_the_carried_scheme_is_answered(server: Server, either: Either) -> None:
    assert answers(server, either, TOKEN, ["Token"])


@pytest.mark.parametrize("way", [HEADER, QUERY])
@pytest.mark.parametrize(
    "lines",
    [
        ['Keystone uri="https://cloud.example/v3"'],
        ['Basic realm="x"'],
        ["=?="],
        ["Negotiate", "NTLM"],
    ],
)
def test_outside_authorization_any_challenge_is_answered(
    server: Server, either: Either, way: Way, lines: list[str]
) -> None:
    assert answers(server, either, way, lines)


def test_in_authorization_a_challenge_of_another_scheme_is_not(
    server: Server, either: Either
) -> None:
    assert not answers(server, either, TOKEN, ['Basic realm="api"'])
    assert answers(server, either, TOKEN, ['Basic realm="api"'], signals=[status(401)])


@pytest.mark.parametrize("way", [HEADER, QUERY])
def test_with_bare_false_only_known_schemes_are(server: Server, either: Either, way: Way) -> None:
    assert not answers(server, either, way, [], bare=False)
    assert not answers(server, either, way, ["Keystone"], bare=False)
    assert answers(server, either, way, ["Bearer"], bare=False)


@pytest.mark.parametrize("way", [HEADER, QUERY])
def test_a_challenge_of_another_realm_is_another_s(
    server: Server, either: Either, way: Way
) -> None:
    assert not answers(server, either, way, ['Keystone realm="theirs"'], realm="mine")
    assert answers(server, either, way, ['Basic realm="theirs", Key realm="mine"'], realm="mine")


@pytest.mark.parametrize("way", [TOKEN, HEADER, QUERY])
def test_with_carry_too_a_code_that_no_login_cures_is_not_answered(
    server: Server, either: Either, way: Way
) -> None:
    assert not answers(server, either, way, ['Session error="session_revoked", Basic'])
    assert not answers(server, either, way, ['Bearer error="insufficient_scope"'])


def test_a_scheme_that_is_known_is_answered_as_it_is() -> None:
    known = (SESSION, BEARER)
    assert with_scheme_of(Authorization("bearer"), known) is known
    assert with_scheme_of(Header("Bearer"), known) is known
    assert [one.scheme for one in with_scheme_of(Authorization("Token"), known)] == [
        "Token", "Session", "Bearer",
    ]  # fmt: skip
