"""What a gate reads out of a request, and decides; SPEC.md's table is walked in tests/scheme."""

import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

import relogin
from relogin.server.facts import Request
from relogin.server.gate import Admitted, Decision, Gate, Refused, StepUp
from relogin.server.responses import dress, replacement


def request(path: str = "/orders", method: str = "GET", **fields: Sequence[str] | str) -> Request:
    lines = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value
        for name, value in fields.items()
    }
    return Request(method, path, lambda name: lines.get(name, ()))


def decide(gate: Gate, asked: Request, outcome: object = None) -> Decision:
    return gate.decide(gate.claim(asked), outcome)


def challenge(decision: Decision) -> str:
    assert decision.answer is not None
    (line,) = (value for name, value in decision.answer.headers if name == "WWW-Authenticate")
    return line


GOOD = 'Session token="good"'
GATE = Gate("orders", cookie="sid", public=["/health"])


# Credentials


@pytest.mark.parametrize("field", [GOOD, "session TOKEN=good", 'SESSION a=b , token="g\\ood",'])
def test_a_token_is_read_in_any_notation(field: str) -> None:
    assert GATE.claim(request(authorization=field)).token == "good"


@pytest.mark.parametrize("field", ["Session", "Session a=b", 'Session token=""', "Session good"])
def test_credentials_without_a_token_give_the_verifier_nothing_to_judge(field: str) -> None:
    claim = GATE.claim(request(authorization=field))
    assert (claim.presented, claim.token) == (True, None)


@pytest.mark.parametrize("field", ["", " "])
def test_an_empty_authorization_is_none(field: str) -> None:
    claim = GATE.claim(request(authorization=field, cookie="sid=good"))
    assert (claim.token, claim.by_cookie) == ("good", True)


def test_a_field_up_to_the_bound_is_read() -> None:
    token = "a" * (16_384 - len('Session token=""'))
    assert GATE.claim(request(authorization=f'Session token="{token}"')).token == token
    assert GATE.claim(request(authorization=f'Session token="{token}a"')).token is None


def test_a_field_beyond_the_bound_is_not_read() -> None:
    decision = decide(GATE, request(authorization=f'Session token="{"a" * 20_000}"'))
    assert challenge(decision) == 'Session realm="orders", error="session_invalid"'


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["Basic YTpi", "Basic YTpi"], False),
        (["Basic YTpi", GOOD], True),
        ([f"Basic YTpi,{GOOD}"], True),
        ([f"{GOOD},Basic YTpi"], True),
        (["Sessions a b"], False),
        ([",", ",,"], False),
    ],
)
def test_what_cannot_be_read_is_refused_and_called_a_session_if_it_meant_one(
    lines: list[str], error: bool
) -> None:
    decision = decide(GATE, request(authorization=lines, cookie="sid=good"), "ada")
    assert challenge(decision).endswith('error="session_invalid"') == error


@pytest.mark.parametrize(
    ("cookie", "token"),
    [
        ("sid=good", "good"),
        (" a=b;sid = good ;c=d", "good"),
        ('sid="good"', "good"),
        (["a=b", "sid=good"], "good"),
        ("sid=good; sid=good", "good"),
        ("sid=a=b", "a=b"),
        ("sid=good; sid=planted", None),
        ("sid=", None),
        ('sid=""', None),
        ('sid="', None),
        ("SID=good", None),
        ("xsid=good", None),
        ("sid", None),
    ],
)
def test_the_cookie_is_found_by_its_exact_name(cookie: str | list[str], token: str | None) -> None:
    assert GATE.claim(request(cookie=cookie)).token == token


def test_an_emptied_cookie_is_no_session() -> None:
    assert challenge(decide(GATE, request(cookie="sid="))) == 'Session realm="orders"'


def test_without_a_cookie_name_cookies_are_not_looked_at() -> None:
    gate = Gate("orders")
    decision = decide(gate, request(cookie="sid=good"))
    assert decision.answer is not None
    assert ("Vary", "Authorization") in decision.answer.headers


def test_a_claim_shows_no_token() -> None:
    claim = GATE.claim(request(authorization=GOOD))
    assert "good" not in repr(claim)
    assert "good" not in repr(GATE.decide(claim))


# Outcomes


@pytest.mark.parametrize("found", [None, False, Admitted(None), Admitted(False)])
def test_a_verifier_that_found_nothing_admits_nobody(found: object) -> None:
    decision = decide(GATE, request(authorization=GOOD), found)
    assert challenge(decision) == 'Session realm="orders", error="session_invalid"'


@pytest.mark.parametrize("session", ["ada", {}, 0, "", Admitted({})])
def test_any_other_answer_is_a_session(session: object) -> None:
    decision = decide(GATE, request(authorization=GOOD), session)
    assert decision.answer is None
    assert decision.session == (session.session if isinstance(session, Admitted) else session)


def test_a_verifier_can_say_that_there_is_no_session_at_all() -> None:
    assert challenge(decide(GATE, request(cookie="sid=x"), Refused())) == 'Session realm="orders"'


def test_a_vendors_own_code_is_told() -> None:
    decision = decide(GATE, request(cookie="sid=x"), Refused("example.com.device_lost"))
    assert challenge(decision).endswith('error="example.com.device_lost"')
    assert decision.answer is not None
    assert json.loads(decision.answer.body) == {
        "title": "Unauthorized",
        "status": 401,
        "error": "example.com.device_lost",
    }


@pytest.mark.parametrize(
    ("expires_in", "told"), [(540, 540), (539.9, 539), (0, 0), (-0.5, 0), (-9, 0), (None, None)]
)
def test_a_lifetime_is_told_in_whole_seconds(expires_in: Any, told: int | None) -> None:
    decision = decide(GATE, request(authorization=GOOD), Admitted("ada", expires_in=expires_in))
    assert decision.lifetime == told


@pytest.mark.parametrize("seconds", [10_000_000_000, 9_999_999_999.5, float("inf"), float("nan")])
def test_a_lifetime_that_cannot_be_told_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="expires_in is at most 9999999999 seconds"):
        Admitted("ada", expires_in=seconds)
    with pytest.raises(ValueError, match="auth_age is at most 9999999999 seconds"):
        Admitted("ada", auth_age=seconds)
    assert Admitted("ada", expires_in=9_999_999_999).expires_in


@pytest.mark.parametrize("name", ["expires_in", "auth_age"])
def test_a_time_that_is_no_number_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} is a number of seconds, not str"):
        Admitted("ada", **{name: "60"})  # type: ignore[arg-type]


# Refused


def test_a_refusal_says_its_code_and_survives_a_pickle() -> None:
    refused = pickle.loads(pickle.dumps(Refused("session_expired", "Idle", max_age=5)))
    assert (str(refused), refused.description, refused.max_age) == ("session_expired", "Idle", 5)
    assert str(Refused()) == "no session was presented"
    assert repr(Refused(error="session_revoked")) == repr(Refused("session_revoked"))


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
    (Refused(), {"detail": "No session was presented"}),
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


# Options


@pytest.mark.parametrize("schemes", [[], ["Basic"], ["Session", "Digest"]])
def test_only_session_and_bearer_are_schemes(schemes: list[str]) -> None:
    with pytest.raises(ValueError, match="some of Session and Bearer"):
        Gate("orders", schemes=schemes)


@pytest.mark.parametrize("seconds", [0, 9_999_999_999])
def test_any_other_time_to_wait_is_sent(seconds: int) -> None:
    answer = decide(Gate("orders", retry_after=seconds), request(authorization=GOOD), OSError())
    assert answer.answer is not None
    assert ("Retry-After", str(seconds)) in answer.answer.headers


def test_other_schemes_come_first_on_the_same_line() -> None:
    gate = Gate("orders", also=[relogin.Challenge("DPoP", {"algs": "ES256"})])
    assert challenge(decide(gate, request())) == 'DPoP algs="ES256", Session realm="orders"'


def test_a_login_page_may_be_made_for_the_reason() -> None:
    gate = Gate("orders", cookie="sid", login_page=lambda said: f"<p>{said.error}@{said.realm}</p>")
    navigation = request(cookie="sid=x", sec_fetch_mode="navigate")
    answer = decide(gate, navigation, Refused("session_expired")).answer
    assert answer is not None
    assert answer.body == b"<p>session_expired@orders</p>"


# Step-up


@pytest.mark.parametrize(
    ("asked", "admitted", "enough"),
    [
        (StepUp(), Admitted("ada"), True),
        (StepUp(300), Admitted("ada", auth_age=300), True),
        (StepUp(300), Admitted("ada", auth_age=301), False),
        (StepUp(300), Admitted("ada"), False),
        (StepUp(0), Admitted("ada", auth_age=0), True),
        (StepUp(acr_values=("phr", "mfa")), Admitted("ada", acr="mfa"), True),
        (StepUp(acr_values=("phr",)), Admitted("ada", acr="mfa"), False),
        (StepUp(acr_values=("phr",)), Admitted("ada"), False),
        (StepUp(300, ("phr",)), Admitted("ada", auth_age=1), False),
        (StepUp(300, ("phr",)), Admitted("ada", auth_age=301, acr="phr"), False),
    ],
)
def test_step_up_asks_for_age_and_kind(
    asked: StepUp, admitted: Admitted[str], enough: bool
) -> None:
    gate = Gate("orders", step_up={"/pay": asked})
    decision = decide(gate, request("/pay", authorization=GOOD), admitted)
    assert asked.met_by(admitted) == enough == (decision.answer is None)


def test_one_kind_of_login_may_be_asked_for_as_a_text() -> None:
    asked = StepUp(acr_values="phr mfa")  # type: ignore[arg-type]
    assert asked == StepUp(acr_values=("phr", "mfa"))
    assert not asked.met_by(Admitted("ada", acr="m"))
    assert Refused("insufficient_user_authentication", acr_values="phr").acr_values == ("phr",)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"max_age": "300"}, TypeError),
        ({"max_age": 0.5}, TypeError),
        ({"max_age": -1}, ValueError),
        ({"acr_values": ("a b",)}, ValueError),
    ],
)
def test_a_step_up_that_no_challenge_can_ask_for_is_refused(
    asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        StepUp(**asked)


def test_what_is_stepped_up_is_not_public() -> None:
    gate = Gate("orders", public=["/*"], step_up={"/pay": StepUp(300)})
    assert decide(gate, request("/Pay/")).answer is not None
    assert decide(gate, request("/orders")).answer is None


def test_each_of_several_step_ups_has_to_be_met() -> None:
    gate = Gate("orders", step_up={"/pay/*": StepUp(300), "/pay/big": StepUp(acr_values=("phr",))})
    admitted = Admitted("ada", auth_age=1)
    assert decide(gate, request("/pay/small", authorization=GOOD), admitted).answer is None
    refused = decide(gate, request("/pay/big", authorization=GOOD), admitted)
    assert challenge(refused).endswith('acr_values="phr"')


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


# The old ways


def legacy(legacy: Any, asked: Request, status: int, **options: Any) -> str | None:
    gate = Gate("orders", legacy=legacy, **options)
    answer = replacement(gate, decide(gate, asked, "ada"), status, [("X-Dead", "1")])
    return None if answer is None else f"{answer.status} {answer.error}"


def test_an_old_status_is_replaced_by_what_it_stands_for() -> None:
    assert legacy({440: "session_expired"}, request(), 440) == "401 session_expired"
    assert legacy({419: "csrf_invalid"}, request(), 419) == "403 csrf_invalid"
    assert legacy({440: "session_expired"}, request(), 403) is None


def test_a_403_is_replaced_only_where_the_application_says_so() -> None:
    def dead(status: int, headers: Any) -> str | None:
        return "session_expired" if status == 403 and headers.get("x-dead") else None

    assert legacy(dead, request(), 403) == "401 session_expired"
    assert legacy(dead, request(), 404) is None


def test_no_session_is_called_dead_where_the_cookie_was_not_there() -> None:
    options = {"cookie": "sid", "public": ["/*"]}
    assert legacy({440: "session_expired"}, request(), 440, **options) == "401 None"
    assert legacy({419: "csrf_invalid"}, request(), 419, **options) == "403 csrf_invalid"
    seen = request(cookie="sid=x")
    assert legacy({440: "session_expired"}, seen, 440, **options) == "401 session_expired"


def test_what_an_inner_cors_layer_said_is_kept_and_merged() -> None:
    gate = Gate("orders", legacy={440: "session_expired"})
    inner = [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", "https://shop.example"),
        ("Access-Control-Expose-Headers", "X-Trace"),
        ("Cache-Control", "max-age=60"),
    ]
    answer = replacement(gate, decide(gate, request(), "ada"), 440, inner)
    assert answer is not None
    assert ("Vary", "Authorization, Origin") in answer.headers
    assert ("Access-Control-Allow-Origin", "https://shop.example") in answer.headers
    exposed = "WWW-Authenticate, Authentication-Info, X-Trace"
    assert ("Access-Control-Expose-Headers", exposed) in answer.headers
    assert ("Cache-Control", "private, no-store") in answer.headers


# Responses


def test_a_response_that_nobody_presented_a_session_for_is_left_cacheable() -> None:
    decision = decide(GATE, request("/health"))
    said = [("Cache-Control", "public, max-age=60")]
    assert dress(GATE, decision, 200, said) == [*said, ("Vary", "Authorization, Cookie")]


def test_a_lifetime_leaves_the_applications_own_caching_alone() -> None:
    decision = decide(GATE, request(authorization=GOOD), Admitted("ada", expires_in=9))
    dressed = dict(dress(GATE, decision, 200, [("Cache-Control", "max-age=60")]))
    assert dressed["Cache-Control"] == "private, max-age=60"
    assert dressed["Authentication-Info"] == "expires_in=9"


def test_a_lifetime_is_not_stored_whatever_else_the_application_says() -> None:
    decision = decide(GATE, request(authorization=GOOD), Admitted("ada", expires_in=9))
    dressed = dict(dress(GATE, decision, 200, [("Vary", "Accept")]))
    assert dressed["Cache-Control"] == "private, no-store"


def test_a_lifetime_answers_authorization_in_any_notation() -> None:
    decision = decide(GATE, request(authorization="session TOKEN=x"), Admitted("a", expires_in=9))
    assert decision.lifetime == 9


def test_what_the_application_exposes_stays_on_the_one_line() -> None:
    decision = decide(GATE, request(authorization=GOOD), Admitted("ada", expires_in=9))
    said = [("access-control-expose-headers", "X-Trace")]
    exposed = ("Access-Control-Expose-Headers", "X-Trace, WWW-Authenticate, Authentication-Info")
    assert [line for line in dress(GATE, decision, 200, said) if "Expose" in line[0].title()] == [
        exposed
    ]


def test_an_announced_challenge_rides_only_on_what_succeeds() -> None:
    gate = Gate("orders", cookie="sid", public=["/health"], announce=True)
    decision = decide(gate, request("/health", cookie="sid=x"), Refused("session_expired"))
    announced = dict(dress(gate, decision, 200, []))
    assert announced["WWW-Authenticate"] == 'Session realm="orders", error="session_expired"'
    assert announced["Cache-Control"] == "private, no-store"
    assert "WWW-Authenticate" in dict(dress(gate, decision, 399, []))
    assert "WWW-Authenticate" not in dict(dress(gate, decision, 400, []))
    nobody = decide(gate, request("/health"))
    assert "WWW-Authenticate" not in dict(dress(gate, nobody, 200, []))
