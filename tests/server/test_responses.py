"""What a gate makes of the application's own responses: fields it adds, statuses it replaces."""

from typing import Any

from relogin.server.gate import Admitted, Gate, Refused
from relogin.server.request import Request
from relogin.server.responses import dress, replacement
from tests.server.asking import GATE, GOOD, decide, request

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
