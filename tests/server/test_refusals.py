"""What a gate says when it refuses: reasons, problem documents, the challenges of Bearer."""

import json
import pickle
from typing import Any

import pytest

import relogin
from relogin.server.gate import Admitted, Gate, Refused
from tests.server.asking import GATE, GOOD, challenge, decide, request

# Refused


def test_a_refusal_says_its_code_and_survives_a_pickle() -> None:
    refused = pickle.loads(pickle.dumps(Refused("session_expired", "Idle", max_age=5)))
    assert (str(refused), refused.description, refused.max_age) == ("session_expired", "Idle", 5)
    assert str(Refused()) == "no session was presented"
    assert repr(Refused(error="session_revoked")) == repr(Refused("session_revoked"))


def test_the_text_of_a_refusal_is_a_plain_string_so_that_a_log_shows_no_enum() -> None:
    assert repr(str(Refused("session_expired"))) == "'session_expired'"


@pytest.mark.parametrize(
    "said",
    [
        {"error": "expired"},
        {"error": "session_expired", "description": 'a "quote"'},
        {"error": "session_expired", "description": "no, Basic realm=x"},
        {"error": "session_expired", "description": "a\r\nSet-Cookie: sid=planted"},
        {"error": "csrf_invalid", "description": "a\nb"},
        {"error": "insufficient_user_authentication", "max_age": -1},
        {"error": "insufficient_user_authentication", "acr_values": ["a b"]},
    ],
)
def test_what_no_challenge_can_say_is_refused_where_it_is_written(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Refused(**said)


def test_the_error_about_an_unknown_code_lists_every_code_that_a_refusal_takes() -> None:
    with pytest.raises(ValueError) as caught:
        Refused("expired")
    codes = [*relogin.SessionError, "csrf_invalid", "insufficient_scope"]
    assert all(code in str(caught.value) for code in codes)


@pytest.mark.parametrize("realm", ['a"b', "a\r\nb", "a, b", "a\\b", "é", "\0"])
def test_a_realm_that_could_not_be_sent_is_refused_at_construction(realm: str) -> None:
    with pytest.raises(ValueError, match="realm"):
        Gate(realm)


# Answers


PROBLEMS: list[tuple[Any, dict[str, Any]]] = [
    (Refused(), {"detail": "No credentials of an accepted scheme were sent"}),
    (
        Refused("session_expired"),
        {"detail": "The session has expired", "error": "session_expired"},
    ),
    (None, {"detail": "The session is not known", "error": "session_invalid"}),
    (Refused("session_revoked"), {"detail": "The session was ended", "error": "session_revoked"}),
    (
        Refused("insufficient_user_authentication", max_age=0, acr_values=["phr", "mfa"]),
        {
            "detail": "A more recent or a stronger login is needed",
            "error": "insufficient_user_authentication",
            "max_age": 0,
            "acr_values": "phr mfa",
        },
    ),
    (
        Refused("csrf_invalid"),
        {
            "title": "Forbidden",
            "status": 403,
            "detail": "The CSRF token is missing or wrong",
            "error": "csrf_invalid",
        },
    ),
    (
        OSError(),
        {
            "title": "Service Unavailable",
            "status": 503,
            "detail": "Sessions cannot be checked at the moment",
        },
    ),
]


@pytest.mark.parametrize(("outcome", "problem"), PROBLEMS)
def test_each_refusal_has_its_problem_document(outcome: Any, problem: dict[str, Any]) -> None:
    answer = decide(GATE, request(authorization=GOOD), outcome).answer
    assert answer is not None
    assert json.loads(answer.body) == {"title": "Unauthorized", "status": 401} | problem
    assert answer.status == problem.get("status", 401)
    assert ("Content-Length", str(len(answer.body))) in answer.headers


def test_a_page_may_read_how_long_to_wait() -> None:
    answer = decide(GATE, request(authorization=GOOD), OSError()).answer
    assert answer is not None
    assert ("Access-Control-Expose-Headers", "Retry-After") in answer.headers


def test_the_answer_to_a_preflight_is_not_stored() -> None:
    asked = request(method="OPTIONS", origin="https://a", access_control_request_method="PUT")
    answer = decide(GATE, asked).answer
    assert answer is not None
    assert (answer.status, answer.headers, answer.body) == (
        204,
        [("Cache-Control", "no-store")],
        b"",
    )


# Bearer


BEARER = Gate("orders", schemes=["Bearer"], cookie="sid")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (Refused(), 'Bearer realm="orders"'),
        (
            Refused("session_expired"),
            (
                'Bearer realm="orders", error="invalid_token", '
                'error_description="The session has expired"'
            ),
        ),
        (
            Refused("session_revoked", "Signed out"),
            'Bearer realm="orders", error="invalid_token", error_description="Signed out"',
        ),
        (
            Refused("example.com.lost"),
            (
                'Bearer realm="orders", error="invalid_token", '
                'error_description="The token is refused"'
            ),
        ),
        (
            Refused("insufficient_user_authentication", max_age=5),
            (
                'Bearer realm="orders", error="insufficient_user_authentication", max_age="5", '
                'error_description="A more recent or a stronger login is needed"'
            ),
        ),
    ],
)
def test_bearer_has_one_code_and_tells_the_reason_in_words(said: Refused, line: str) -> None:
    decision = decide(BEARER, request(authorization="Bearer a.b-c"), said)
    assert challenge(decision) == line
    assert decision.answer is not None
    code = relogin.parse(line)[0].get("error")
    assert json.loads(decision.answer.body).get("error") == code


def test_the_challenge_of_a_lacking_scope_has_the_description() -> None:
    refused = Refused("insufficient_scope", "Orders are read-only", scope="orders:write")
    assert challenge(decide(BEARER, request(authorization="Bearer a.b-c"), refused)) == (
        'Bearer realm="orders", error="insufficient_scope", '
        'error_description="Orders are read-only", scope="orders:write"'
    )


def test_a_bearer_token_has_no_lifetime_to_tell() -> None:
    claim = BEARER.claim(request(authorization="bearer a.b-c=="))
    assert claim.token == "a.b-c=="
    assert BEARER.decide(claim, Admitted("ada", expires_in=9)).lifetime is None


def test_a_bearer_token_with_parameters_is_malformed() -> None:
    decision = decide(BEARER, request(authorization='Bearer token="a"'))
    assert relogin.parse(challenge(decision))[0]["error"] == "invalid_token"


def test_a_gate_of_bearer_alone_reports_on_cookies_in_its_challenge() -> None:
    decision = decide(BEARER, request(cookie="sid=x"), Refused("session_expired"))
    assert 'error="invalid_token"' in challenge(decision)


def test_with_both_schemes_a_cookie_is_reported_on_in_the_session_challenge() -> None:
    gate = Gate("orders", schemes=["session", "BEARER"], cookie="sid")
    assert challenge(decide(gate, request(cookie="sid=x"), Refused("session_expired"))) == (
        'Bearer realm="orders", Session realm="orders", error="session_expired"'
    )
