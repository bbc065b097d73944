"""Signals beside challenges: which of the two says how the token travels, and what happened."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from relogin import Grant, SessionError
from relogin.client import Outcome, outcome
from relogin.client.carry import Authorization, Header, Query
from relogin.client.logins import DigestLogin, OAuth2Login, RegistryLogin
from relogin.client.renewal.policy import Decision, ResponseInfo
from relogin.client.requests import SessionAuth
from relogin.client.responders import BEARER, SESSION, Action, Responder
from relogin.client.signals import json_field, problem, status
from tests.client.digest_site import PASSWORD, USER, DigestSite
from tests.client.either import Either
from tests.client.server import Answer, Server
from tests.client.steps import KEY, ORIGIN, URL
from tests.client.travel import Travel, by_session

OWN = Responder("Own", authorization=lambda token: f"Own {token}")
STATUSES = [200, 302, 401, 403, 440]
NONE_OF_OURS = [[], [""], ['Basic realm="a"'], ["Session expired"], ["=?="], ["Negotiate", "NTLM"]]
BY_DEFAULT = SessionError.EXPIRED
NAMED = [*(e for e in SessionError if e is not BY_DEFAULT), "csrf_invalid", "a.b"]


def a_login(context: Any) -> str:
    raise AssertionError("nobody logs in here")


def auth(login: Any = a_login, **options: Any) -> SessionAuth:
    return SessionAuth(login, URL, **options)


def decision(
    auth: SessionAuth, status: int = 440, lines: Any = (), error: Any = BY_DEFAULT, sent: Any = None
) -> Decision | None:
    response = SimpleNamespace(headers={})
    info = ResponseInfo(response, status, "GET", URL, ORIGIN, sent, lines, signal=error)
    return auth._policy.decision(info)


def decided(*given: Any, **more: Any) -> Decision:
    found = decision(*given, **more)
    assert found is not None
    return found


# Without a challenge that the client can answer


@pytest.mark.parametrize(
    ("options", "scheme"),
    [
        ({}, "Bearer"),
        ({"bare": False}, "Bearer"),
        ({"preemptive": True}, "Bearer"),
        ({"responders": [SESSION]}, "Session"),
        ({"responders": [BEARER]}, "Bearer"),
        ({"responders": [OWN, BEARER]}, "Bearer"),
        ({"responders": [OWN, SESSION]}, "Own"),
        ({"carry": Authorization("Token")}, "Bearer"),
        ({"carry": Header("X-Auth-Token")}, "Bearer"),
        ({"login": OAuth2Login(f"{URL}/token", "job", dpop=lambda *_: "proof")}, "DPoP"),
        ({"login": RegistryLogin("ada", "pw", token_servers=[URL])}, "Bearer"),
        ({"login": DigestLogin("ada", "pw")}, "Digest"),
    ],
)
@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("lines", NONE_OF_OURS)
def test_a_signal_alone_is_answered_as_a_401_without_a_challenge(
    options: dict[str, Any], scheme: str, code: int, lines: list[str]
) -> None:
    client = auth(**options)
    found = decided(client, code, lines)
    assert (found.responder.scheme, found.challenge) == (scheme, None)
    bare = decision(client, 401, error=None)
    assert bare is None or bare.responder is found.responder


@pytest.mark.parametrize("responder", [SESSION, BEARER, OWN])
def test_a_session_that_was_sent_keeps_its_scheme_and_realm(responder: Responder) -> None:
    client = auth()
    sent = client._cache.made(KEY, responder, Grant(token="t1"))
    found = decided(client, sent=sent)
    assert (found.responder, found.key) == (responder, KEY)


@pytest.mark.parametrize(
    ("carry", "sent"),
    [
        (Authorization("Token"), "Token s3cret"),
        (Header("Authorization"), "s3cret"),
        (Header("X-Auth-Token"), None),
        (Query("sid"), None),
    ],
)
def test_carry_says_how_a_token_travels_after_a_signal_too(
    server: Server, either: Either, carry: Any, sent: str | None
) -> None:
    server.answers = lambda _: Answer(440)
    client = either.attach(lambda _: "s3cret", server.url, carry=carry, signals=[status(440)])
    client.get(f"{server.url}/orders")
    last = server.requests[-1]
    assert last.headers["Authorization"] == sent
    assert last.headers["X-Auth-Token"] == ("s3cret" if carry == Header("X-Auth-Token") else None)
    assert ("sid=s3cret" in last.path) is (carry == Query("sid"))


# With one


@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize(
    ("line", "scheme", "realm"),
    [
        ('Session realm="a"', "Session", "a"),
        ('Bearer realm="b"', "Bearer", "b"),
        ('Basic realm="c", Session', "Session", ""),
    ],
)
def test_a_challenge_says_how_the_token_travels_and_for_which_realm(
    code: int, line: str, scheme: str, realm: str
) -> None:
    found = decided(auth(), code, [line])
    assert (found.responder.scheme, found.key.realm) == (scheme, realm)


@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("error", [None, *SessionError])
def test_what_a_signal_says_by_default_leaves_the_reason_to_the_challenge(
    code: int, error: str | None
) -> None:
    reason = "" if error is None else f', error="{error}"'
    found = decided(auth(), code, [f'Session realm="a"{reason}'])
    assert found.error == error


@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("line", ["Session", "Bearer", 'Bearer error="invalid_token"'])
def test_a_signal_that_names_a_reason_counts_where_the_challenge_names_none(
    code: int, named: str, line: str
) -> None:
    assert decided(auth(), code, [line], named).error == named


@pytest.mark.parametrize("named", NAMED)
def test_a_reason_in_the_challenge_counts_for_more_than_a_named_one(named: str) -> None:
    found = decided(auth(), 403, ['Session error="session_invalid"'], named)
    assert found.error == SessionError.INVALID


@pytest.mark.parametrize("login", [a_login, DigestLogin("ada", "pw")])
@pytest.mark.parametrize("code", STATUSES)
@pytest.mark.parametrize(
    "line",
    ["", "Session", "Bearer", 'Bearer error="invalid_token"', 'Digest realm="a", nonce="n"'],
)
@pytest.mark.parametrize("error", [SessionError.REVOKED, SessionError.INSUFFICIENT])
def test_no_login_follows_a_signal_that_forbids_one(
    login: Any, code: int, line: str, error: SessionError
) -> None:
    assert decided(auth(login), code, [line], error).action is Action.STOP


def test_a_challenge_beside_another_status_needs_a_signal() -> None:
    assert decision(auth(), 403, ["Session"], None) is None


@pytest.mark.parametrize("code", [200, 440])
def test_a_server_that_announces_its_scheme_gets_the_token_in_it(
    server: Server, either: Either, code: int
) -> None:
    line = 'Session realm="orders", error="session_expired"'
    lost = Answer(code, (("WWW-Authenticate", line), JSON), b'{"success": false}')
    travel = Travel(server, by_session, refusal=lost)
    signals = [status(440), json_field("success", False)]
    answer = either.attach(travel.login, server.url, signals=signals).get(f"{server.url}/orders")
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)


def test_a_signalled_403_that_no_login_cures_causes_none(server: Server, either: Either) -> None:
    line = ("WWW-Authenticate", 'Bearer error="insufficient_scope"')
    server.answers = lambda _: Answer(403, (line,))
    client = either.attach(a_login, server.url, signals=[status(403)])
    assert outcome(client.get(server.url)) is Outcome.UNTOUCHED


@pytest.mark.parametrize("error", [BY_DEFAULT, SessionError.INVALID])
def test_a_signal_that_outlasts_a_login_beside_a_plain_challenge_causes_no_other(
    server: Server, either: Either, error: SessionError
) -> None:
    logins: list[str] = []

    def login(_: Any) -> str:
        logins.append("t0ken")
        return "t0ken"

    server.answers = lambda _: Answer(401, (("WWW-Authenticate", "Bearer"),))
    client = either.attach(login, server.url, signals=[status(401, error=error)])
    for _ in range(3):
        assert client.get(server.url).status_code == 401
    assert len(logins) == 1


def test_a_body_may_say_what_bearer_cannot(server: Server, either: Either) -> None:
    fields = (("WWW-Authenticate", 'Bearer error="invalid_token"'), JSON_PROBLEM)
    server.answers = lambda _: Answer(401, fields, b'{"error": "session_revoked"}')
    client = either.attach(a_login, server.url, signals=[problem("session_revoked")])
    assert outcome(client.get(server.url)) is Outcome.UNTOUCHED


JSON = ("Content-Type", "application/json")
JSON_PROBLEM = ("Content-Type", "application/problem+json")


# Digest


@pytest.fixture
def forbidding(server: Server) -> DigestSite:
    """A site that sends its Digest challenge with a 403."""
    site = DigestSite(server)

    def answer(request: Any) -> Answer:
        found = site.answer(request)
        return Answer(403, found.headers) if found.status == 401 else found

    server.answers = answer
    return site


def test_a_signalled_challenge_of_digest_is_answered(
    forbidding: DigestSite, either: Either
) -> None:
    login = DigestLogin(USER, PASSWORD)
    client = either.attach(login, forbidding.server.url, signals=[status(403)])
    assert [client.get(forbidding.server.url).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("error", [BY_DEFAULT, SessionError.INVALID])
def test_a_wrong_password_is_sent_once_after_a_signal_too(
    forbidding: DigestSite, either: Either, error: SessionError
) -> None:
    login = DigestLogin(USER, "wrong")
    client = either.attach(login, forbidding.server.url, signals=[status(403, error=error)])
    for _ in range(3):
        with pytest.raises(Exception, match="does not accept this user and password"):
            client.get(forbidding.server.url)
    assert forbidding.wrong == 1
