"""No refusal is passed on in silence: a warning, an event, an outcome, and what would help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

import relogin
from relogin import BodyNotReplayable, MethodNotReplayable
from relogin.client import Outcome, detail, outcome
from relogin.client.carry import Header
from relogin.client.logins import DigestLogin, OAuth2Login
from relogin.client.requests import SessionAuth
from relogin.client.responders import BEARER, SESSION
from relogin.client.signals import json_field, status
from relogin.client.terms.outcomes import mark
from tests.client.either import Either
from tests.client.server import Answer, Server
from tests.client.steps import Told
from tests.client.travel import Travel, by_header

READ = by_header("Authorization", "Bearer")


def refusing(server: Server, lines: list[str]) -> Travel:
    """An API that knows no session at all, and refuses with these lines."""
    return Travel(server, lambda _: None, lines)


@pytest.mark.parametrize(
    ("lines", "options", "offered", "advice"),
    [
        ([], {"bare": False}, "no challenge", "with bare=True, the default, it causes a login"),
        (
            ['Basic realm="s3cret"', "Negotiate, NTLM"],
            {},
            "Basic, Negotiate, NTLM",
            "set signals=[status(401)] to log in after any 401, and carry= for how the token",
        ),
        (["Token"], {}, "Token", "set signals=[status(401)] to log in after any 401, and carry="),
        (["Digest realm=a, nonce=b, Basic"], {}, "Digest, Basic", "use a DigestLogin for Digest"),
        (["Bearer"], {"responders": [SESSION]}, "Bearer", "with responders=[SESSION, BEARER]"),
        (["Session"], {"responders": [BEARER]}, "Session", "with responders=[SESSION, BEARER]"),
        (["Bearer realm=a"], {"realm": "b"}, "Bearer", "the challenge names another"),
        (["Key"], {"realm": "b", "carry": Header("X-A")}, "Key", "the challenge names another"),
        (["Key"], {"bare": False, "carry": Header("X-A")}, "Key", "with bare=True, the default"),
        (["=?="], {}, "no readable challenge", "set signals=[status(401)] to"),
        ([f"{'x' * 99} a=b"], {}, "x" * 32, "set signals=[status(401)] to"),
        ([", ".join("abcdefghij")], {}, "a, b, c, d, e, f, g, h", "set signals="),
    ],
)
def test_a_401_that_nothing_answers_is_told_with_what_would(
    server: Server,
    either: Either,
    caplog: pytest.LogCaptureFixture,
    lines: list[str],
    options: dict[str, Any],
    offered: str,
    advice: str,
) -> None:
    told = Told()
    travel = refusing(server, lines)
    client = either.attach(travel.login, server.url, on_event=told, **options)
    answers = [client.get(f"{server.url}/{path}") for path in range(3)]
    assert [outcome(answer) for answer in answers] == [Outcome.UNANSWERED] * 3
    assert [detail(answer) for answer in answers] == [offered] * 3
    assert [(e.kind, e.reason, e.detail) for e in told.events] == [
        ("refused", "unanswered", offered)
    ] * 3
    [record] = caplog.records
    assert (record.name, record.levelname) == ("relogin.client", "WARNING")
    begins = f"401 from {server.url}, with {offered}: nothing was done; {advice}"
    assert record.getMessage().startswith(begins)
    assert "s3cret" not in caplog.text
    assert travel.logins == 0


def test_a_login_that_needs_a_challenge_says_so(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = lambda _: Answer(401)
    client = either.attach(DigestLogin("ada", "pw"), server.url)
    assert outcome(client.get(server.url)) is Outcome.UNANSWERED
    [message] = caplog.messages
    assert message.endswith(
        "nothing was done; this login needs a Digest challenge: use another login"
    )


def test_another_cause_at_the_same_origin_is_told_too(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = lambda request: Answer(401, (("WWW-Authenticate", request.path[1:]),))
    client = either.attach(lambda _: "t", server.url)
    for scheme in ("Digest", "Negotiate", "Digest"):
        client.get(f"{server.url}/{scheme}")
    assert [message.split()[4] for message in caplog.messages] == ["Digest:", "Negotiate:"]


def test_each_origin_is_warned_of_once(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    travel = refusing(server, ["Basic"])
    auth = either.auth(travel.login, [server.url, server.other_host])
    client = either.client(auth)
    for _ in range(2):
        client.get(server.url)
        client.get(server.other_host)
    assert len(caplog.records) == 2


def test_the_option_that_a_warning_names_answers_the_challenge(
    server: Server, either: Either
) -> None:
    travel = Travel(server, READ, ["Basic"])
    client = either.attach(travel.login, server.url, signals=[status(401)])
    assert client.get(server.url).status_code == 200


def test_what_is_refused_with_a_reason_is_told_by_that_reason(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    travel = refusing(server, ['Session error="session_revoked"'])
    answer = either.attach(travel.login, server.url, on_event=told).get(server.url)
    assert (outcome(answer), detail(answer)) == (Outcome.UNTOUCHED, None)
    assert [(e.kind, e.reason) for e in told.events][-1] == ("refused", "session_revoked")
    assert caplog.records == []


def test_a_session_that_the_server_does_not_accept_is_no_success(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    travel = refusing(server, [])
    client = either.attach(travel.login, server.url, on_event=told)
    answers = [client.post(f"{server.url}/{path}") for path in range(2)]
    assert [(a.status_code, outcome(a), detail(a)) for a in answers] == [
        (401, Outcome.REFUSED_AGAIN, "no challenge")
    ] * 2
    assert [e.reason for e in told.events if e.kind == "refused"] == ["refused_again"] * 2
    [record] = caplog.records
    assert "the login succeeded, but the server refused the new session too" in record.getMessage()
    assert record.getMessage().endswith("If the server expects the token elsewhere, set carry=")


def test_a_session_that_may_have_to_go_out_as_bearer_is_told_so(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    travel = refusing(server, ['Bearer realm="api", Session realm="orders"'])
    either.attach(travel.login, server.url).get(server.url)
    [message] = caplog.messages
    assert message.endswith(
        "The token went out as Authorization: Session. If the server expects another scheme, set "
        "responders=[BEARER] or carry="
    )


def test_a_budget_that_is_used_up_is_told_once(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    travel = Travel(server, READ, ["Bearer"])
    client = either.attach(travel.login, server.url, budget=(1, 60))
    client.get(server.url)
    travel.living = None
    assert [outcome(client.get(server.url)) for _ in range(2)] == [Outcome.OVER_BUDGET] * 2
    [message] = caplog.messages
    assert message.startswith(f"401 from {server.url}: nothing was done, because budget= allows")
    assert message.endswith("If programs end each other's session, give all of them one store=")


def test_a_401_that_outlasted_a_login_is_told_too(server: Server, either: Either) -> None:
    travel = refusing(server, [])
    client = either.attach(travel.login, server.url)
    outcomes = [outcome(client.post(server.url)) for _ in range(3)]
    assert outcomes == [Outcome.REFUSED_AGAIN, Outcome.UNANSWERED, Outcome.UNANSWERED]
    assert travel.logins == 1


def test_a_signal_that_comes_again_is_no_success(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = lambda _: Answer(440)
    client = either.attach(lambda _: "t", server.url, signals=[status(440)])
    assert outcome(client.get(server.url)) is Outcome.REFUSED_AGAIN
    [message] = caplog.messages
    assert message.startswith(f"440 from {server.url}, with no challenge: the login succeeded")
    assert "the server refused the new session too. The token went out as" in message


def test_a_success_is_told_as_ever(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    travel = Travel(server, READ)
    answer = either.attach(travel.login, server.url).get(server.url)
    assert (outcome(answer), detail(answer)) == (Outcome.REPLAYED, None)
    assert caplog.records == []


def test_nothing_is_told_of_what_nobody_has_touched() -> None:
    assert detail(object()) is None


def pieces() -> Iterator[bytes]:
    yield b"once"


@pytest.mark.parametrize("cause", ["method", "body"])
def test_what_keeps_a_request_from_being_sent_again_is_told(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture, cause: str
) -> None:
    server.answers = lambda request: Answer(200 if request.token else 440)
    told = Told()
    options: Any = {"signals": [status(440)], "on_event": told}
    client = either.attach(lambda _: "t", server.url, **options)
    answer = kept(client, either, server.url, cause)
    assert (outcome(answer), detail(answer)) == (Outcome.RENEWED_NOT_REPLAYED, cause)
    assert [e.detail for e in told.events if e.reason == "renewed_not_replayed"] == [cause]
    [message] = caplog.messages
    assert message.startswith(f"440 from {server.url}: the session was renewed, but ")


def test_requests_that_are_not_sent_again_cause_one_warning(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = lambda _: Answer(440)
    tokens = iter("ab")
    client = either.attach(lambda _: next(tokens), server.url, signals=[status(440)])
    outcomes = [outcome(client.post(server.url)) for _ in range(2)]
    assert outcomes == [Outcome.RENEWED_NOT_REPLAYED] * 2
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("cause", "kind", "message"),
    [
        ("method", MethodNotReplayable, "a POST is not sent twice here: .*replay_any_method=True"),
        ("body", BodyNotReplayable, "the request's body is used up"),
    ],
)
def test_strict_raises_for_either(
    server: Server, either: Either, cause: str, kind: type[Exception], message: str
) -> None:
    server.answers = lambda request: Answer(200 if request.token else 440)
    client = either.attach(lambda _: "t", server.url, signals=[status(440)], strict=True)
    with pytest.raises(kind, match=message) as caught:
        kept(client, either, server.url, cause)
    assert isinstance(caught.value, relogin.ReauthError)
    assert getattr(caught.value, "response").status_code == 440  # noqa: B009 - each has its own


def kept(client: Any, either: Either, url: str, cause: str) -> Any:
    """Send what cannot be sent twice, because of its method or of its body."""
    if cause == "method":
        return client.post(url)
    if either.driver is None:
        return client.put(url, data=pieces())
    return client.put(url, content=apieces() if either.driver.is_async else pieces())


async def apieces() -> Any:
    yield b"once"


def test_a_401_of_an_api_that_nobody_named_is_told_once(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    login = OAuth2Login(f"{server.url}/token", "job", "s3cret")
    client = either.attach(login)
    for _ in range(2):
        assert outcome(client.get(f"{server.other_host}/orders")) is Outcome.FOREIGN
    (record,) = caplog.records
    assert f"401 from {server.other_host}" in record.getMessage()
    assert f"write SessionAuth(login, '{server.other_host}')" in record.getMessage()
    assert not server.seen("/token")


def test_a_401_of_another_host_is_no_warning_where_origins_are_named(
    server: Server, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    client = either.attach(OAuth2Login(f"{server.url}/token", "job", "s3cret"), server.url)
    assert outcome(client.get(f"{server.other_host}/orders")) is Outcome.FOREIGN
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


ERROR = Answer(200, (("Content-Type", "application/json"),), b'{"error": "session terminated"}')


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, r"Authorization: Bearer. If .* set responders=\[SESSION\] or carry=$"),
        (
            {"responders": [SESSION]},
            r"Authorization: Session. If .* set responders=\[BEARER\] or carry=$",
        ),
        ({"carry": Header("Authorization")}, "too$"),  # which shows no secret
    ],
)
def test_a_signal_that_outlasts_a_login_tells_how_the_token_went_out(
    server: Server,
    session: requests.Session,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    told: str,
) -> None:
    server.answers = lambda _: ERROR
    signals = [json_field("error", "session terminated")]
    session.auth = SessionAuth(lambda _: "s3cret", server.url, signals=signals, **options)
    session.get(f"{server.url}/api")
    assert re.search(told, caplog.text, re.MULTILINE)
    assert "s3cret" not in caplog.text


def test_the_outcome_of_anything_is_told() -> None:
    response = requests.Response()
    assert outcome(response) is Outcome.UNTOUCHED
    mark(response, Outcome.DECLINED)
    assert outcome(response) is Outcome.DECLINED
    assert outcome(object()) is Outcome.UNTOUCHED
