"""The same cases against each integration, on a real server."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import pytest
from flask import Flask

from relogin.server import asgi, django, flask, wsgi
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.orders import LONG, SECRET, verify
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

Ask: TypeAlias = Callable[..., Answer]


each_framework = pytest.fixture(
    scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name
)


@each_framework
def get(request: pytest.FixtureRequest) -> Iterator[Ask]:
    yield from asking(request.param)


@each_framework
def get_long(request: pytest.FixtureRequest) -> Iterator[Ask]:
    yield from asking(request.param, **LONG)


def asking(framework: Framework, **options: Any) -> Iterator[Ask]:
    serving = serving_asgi if framework.is_asgi else serving_wsgi
    with serving(framework.build(**options)) as port:
        yield partial(ask, port)


def by_authorization(token: str) -> tuple[str, str]:
    return "Authorization", f'Session token="{token}"'


def by_cookie(token: str) -> tuple[str, str]:
    return "Cookie", f"theme=dark; sid={token}"


BINDINGS = pytest.mark.parametrize("binding", [by_authorization, by_cookie])

# Who gets what, in either binding: token, path, status, code of the challenge.
CASES = [
    ("good", "/orders", 200, None),
    ("expired", "/orders", 401, "session_expired"),
    ("revoked", "/orders", 401, "session_revoked"),
    ("unknown", "/orders", 401, "session_invalid"),
    (SECRET, "/orders", 503, None),
    ("good", "/csrf", 403, None),
    ("good", "/moved", 401, "session_revoked"),
    ("good", "/health", 200, None),
    ("expired", "/health", 200, None),
    ("unknown", "/docs/intro", 200, None),
    (SECRET, "/health", 200, None),
]


@BINDINGS
@pytest.mark.parametrize(("token", "path", "status", "error"), CASES)
def test_each_state_has_its_answer(
    get: Ask, binding: Ask, token: str, path: str, status: int, error: str | None
) -> None:
    answer = get(path, binding(token))
    assert (answer.status, answer.error) == (status, error)
    assert bool(answer.challenges) == (status == 401)
    assert SECRET not in f"{answer.headers}{answer.body!r}"


def test_without_credentials_the_answer_is_401_without_an_error_code(get: Ask) -> None:
    answer = get("/orders")
    assert (answer.status, answer.lines("WWW-Authenticate")) == (401, ['Session realm="orders"'])
    assert "error" not in answer.problem


def test_the_application_finds_the_session(get: Ask) -> None:
    assert get("/orders", by_authorization("good")).body == b"session=ada"
    assert get("/health", by_cookie("good")).body == b"session=ada"
    assert get("/health").body == b"session=None"


@BINDINGS
def test_the_reason_stands_in_the_challenge_and_in_the_content(get: Ask, binding: Ask) -> None:
    answer = get("/orders", binding("idle"))
    assert answer.lines("WWW-Authenticate") == [
        'Session realm="orders", error="session_expired", error_description="Idle for 15 minutes"'
    ]
    assert answer.problem == {
        "title": "Unauthorized",
        "status": 401,
        "detail": "Idle for 15 minutes",
        "error": "session_expired",
    }


@BINDINGS
def test_step_up_says_what_would_do(get_long: Ask, binding: Ask) -> None:
    answer = get_long("/pay", binding("aged"))
    assert (answer.status, answer.error) == (401, "insufficient_user_authentication")
    assert answer.challenges[0]["max_age"] == "300"
    assert answer.problem["max_age"] == 300
    assert get_long("/pay", binding("good")).status == 200


def test_csrf_is_403_with_its_code_in_the_content(get: Ask) -> None:
    assert get("/csrf", by_cookie("good")).problem["error"] == "csrf_invalid"


def test_trouble_in_the_store_is_logged_without_the_token(
    get: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = get("/orders", by_authorization(SECRET))
    assert (answer.status, answer.lines("Retry-After")) == (503, ["5"])
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.getMessage().startswith("the session store has trouble: OSError at ")
    assert SECRET not in caplog.text


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("token", ["good", "expired"])
def test_every_method_is_asked_for_its_session(get: Ask, method: str, token: str) -> None:
    as_get = get("/orders", by_cookie(token))
    answer = get("/orders", by_cookie(token), method=method)
    assert (answer.status, answer.error) == (as_get.status, as_get.error)
    assert answer.body == (b"" if method == "HEAD" else as_get.body)


def test_the_refusal_of_head_has_the_fields_of_that_of_get(get: Ask) -> None:
    answers = (get("/orders", by_cookie("idle"), method=method) for method in ("GET", "HEAD"))
    of_get, of_head = (
        {(name.lower(), told) for name, told in answer.headers.items() if name.lower() != "date"}
        for answer in answers
    )
    assert of_head == of_get
    assert "content-length" in dict(of_head)


PREFLIGHT = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "PUT")]


def test_a_preflight_is_exempt_and_never_reaches_the_view(get: Ask) -> None:
    answer = get("/orders", *PREFLIGHT, method="OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert not answer.lines("Content-Type")
    assert not answer.lines("Access-Control-Allow-Origin")


@pytest.mark.parametrize("fields", [PREFLIGHT[:1], PREFLIGHT[1:]])
def test_an_options_request_with_half_of_a_preflight_needs_a_session(
    get: Ask, fields: list[tuple[str, str]]
) -> None:
    assert get("/orders", *fields, method="OPTIONS").status == 401


def test_a_post_with_the_fields_of_a_preflight_needs_a_session(get: Ask) -> None:
    assert get("/orders", *PREFLIGHT, method="POST").status == 401


def test_authorization_decides_over_the_cookie(get: Ask) -> None:
    assert get("/orders", by_authorization("expired"), by_cookie("good")).status == 401
    assert get("/orders", by_authorization("good"), by_cookie("expired")).status == 200


def test_credentials_of_another_scheme_are_no_session(get: Ask) -> None:
    basic = ("Authorization", "Basic YTpi")
    answer = get("/orders", basic)
    assert (answer.status, answer.error) == (401, None)
    assert get("/orders", basic, by_cookie("good")).status == 200


def test_a_refusal_repeats_nothing_from_the_request(get: Ask) -> None:
    planted = ("Cookie", "sid=planted%0d%0aSet-Cookie:a=planted")
    answer = get("/planted%0d%0aX-Planted:%20planted", planted, ("X-Any", "planted"))
    assert answer.status == 401
    assert "planted" not in f"{answer.headers}{answer.body!r}".lower()


@pytest.mark.parametrize("token", ["wrong-code", "wrong-text"])
def test_a_refusal_that_could_not_be_sent_becomes_a_503(get: Ask, token: str) -> None:
    answer = get("/orders", by_cookie(token))
    assert (answer.status, answer.lines("X-Planted")) == (503, [])


@pytest.mark.parametrize("realm", ["a\r\nX-Planted: 1", 'a"', "a, Basic realm=b"])
@pytest.mark.parametrize(
    "gate", [wsgi.SessionGate, asgi.SessionGate, flask.SessionGate, django.SessionGate]
)
def test_a_realm_that_could_not_be_sent_is_refused_when_the_gate_is_made(
    gate: Any, realm: str
) -> None:
    with pytest.raises(ValueError, match="realm"):
        gate(Flask("orders"), verify, realm=realm)


@pytest.mark.parametrize("other", ['Session token="good"', "Basic YTpi"])
def test_two_authorization_lines_are_refused(get: Ask, other: str) -> None:
    lines = [by_authorization("good"), ("Authorization", other)]
    for order in (lines, lines[::-1]):
        answer = get("/orders", *order, by_cookie("good"))
        assert (answer.status, answer.error) == (401, "session_invalid")


@pytest.mark.parametrize("value", ["Session good", 'Session token="a b"', "Session", "Session ,"])
def test_malformed_credentials_are_an_invalid_session(get: Ask, value: str) -> None:
    answer = get("/orders", ("Authorization", value))
    assert (answer.status, answer.error) == (401, "session_invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/Docs/a",
        "/docs/../orders",
        "/docs/%2e%2e/orders",
        "/docs/%252e%252e/orders",
        "/docs//orders",
        "/docs/..%2forders",
        "/docs/a%5c..%5corders",
        "/docs/a;/../orders",
        "/docsorders",
        "/health/",
        "/health%00",
        "/health%0a",
        "/health/..%2f..%2forders",
        "/orders?/health",
        "/orders#/health",
    ],
)
def test_a_public_pattern_opens_nothing_else(get: Ask, path: str) -> None:
    assert get(path).status in {401, 404, 400}
    assert get(path, by_cookie("expired")).body[:8] != b"session="


def test_what_a_session_decided_stays_private(get: Ask) -> None:
    answer = get("/cached", by_cookie("good"))
    assert answer.listed("Cache-Control") == ["private", "max-age=60"]
    assert set(answer.listed("Vary")) >= {"Accept-Language", "Authorization", "Cookie"}


def test_a_public_page_may_be_cached_until_somebody_has_a_session(get: Ask) -> None:
    assert not get("/health").lines("Cache-Control")
    assert "private" in get("/health", by_cookie("good")).listed("Cache-Control")
    assert "private" in get("/health", by_cookie("expired")).listed("Cache-Control")


@BINDINGS
@pytest.mark.parametrize("path", ["/orders", "/moved", "/own"])
@pytest.mark.parametrize("token", ["good", "expired", SECRET])
def test_every_answer_varies_by_what_the_gate_looked_at(
    get: Ask, binding: Ask, path: str, token: str
) -> None:
    answer = get(path, binding(token))
    assert len(answer.lines("Vary")) == 1
    assert set(answer.listed("Vary")) >= {"Authorization", "Cookie", "Accept", "Sec-Fetch-Mode"}


@pytest.mark.parametrize("path", ["/orders", "/moved", "/own", "/own-bearer"])
@pytest.mark.parametrize("token", ["expired", "good", SECRET])
def test_no_refusal_is_stored(get: Ask, path: str, token: str) -> None:
    answer = get(path, by_cookie(token))
    assert answer.status == 200 or "no-store" in answer.listed("Cache-Control")


def test_the_lifetime_answers_authorization_alone(get: Ask) -> None:
    answer = get("/orders", by_authorization("good"))
    assert answer.lines("Authentication-Info") == ["expires_in=540"]
    assert "no-store" in answer.listed("Cache-Control")
    for other in (
        get("/orders", by_cookie("good")),
        get("/orders", by_authorization("aged")),
        get("/moved", by_authorization("good")),
        get("/own", by_authorization("good")),
    ):
        assert not other.lines("Authentication-Info")


@pytest.mark.parametrize("path", ["/orders", "/own", "/moved"])
def test_the_fields_are_exposed_by_name(get: Ask, path: str) -> None:
    for token in ("good", "expired"):
        answer = get(path, by_authorization(token))
        exposed = answer.listed("Access-Control-Expose-Headers")
        assert exposed == ["WWW-Authenticate", "Authentication-Info"]


@pytest.mark.parametrize("token", ["expired", "revoked", "unknown", SECRET])
def test_the_session_cookie_is_left_alone_because_it_died(get: Ask, token: str) -> None:
    for path in ("/orders", "/health"):
        assert not get(path, by_cookie(token)).lines("Set-Cookie")


def test_a_dead_session_is_no_reason_to_delete_its_cookie(get: Ask) -> None:
    assert not get("/logout", by_cookie("expired")).lines("Set-Cookie")
    assert get("/logout", by_cookie("good")).lines("Set-Cookie")


def test_a_login_sets_the_cookie_and_its_answer_is_not_stored(get: Ask) -> None:
    for fields in ([], [by_cookie("expired")]):
        answer = get("/login", *fields)
        assert [line.partition(";")[0] for line in answer.lines("Set-Cookie")] == ["sid=good"]
        assert "no-store" in answer.listed("Cache-Control")


def test_the_applications_own_bare_401_gets_its_challenge(get: Ask) -> None:
    assert get("/own").lines("WWW-Authenticate") == ['Session realm="orders"']
    answer = get("/own", by_cookie("expired"))
    assert (answer.error, answer.body) == ("session_expired", b"session=None")


@pytest.mark.requirement("S-14")
def test_a_living_session_makes_no_other_answer_of_the_applications_own_401(get: Ask) -> None:
    answer = get("/own", by_cookie("good"))
    assert (answer.status, answer.body) == (401, b"session=ada")
    assert not answer.lines("WWW-Authenticate")


def test_another_challenge_of_the_applications_stays_first_on_one_line(get: Ask) -> None:
    assert get("/own-bearer", by_cookie("revoked")).lines("WWW-Authenticate") == [
        'Bearer realm="inner", Session realm="orders", error="session_revoked"'
    ]


def test_an_outage_turns_the_applications_own_401_into_a_503(get: Ask) -> None:
    answer = get("/own", by_cookie(SECRET))
    assert (answer.status, answer.challenges) == (503, [])


def test_an_old_status_becomes_the_401_and_keeps_what_is_not_its_content(get_long: Ask) -> None:
    answer = get_long("/old", by_cookie("good"))
    assert (answer.status, answer.error) == (401, "session_expired")
    assert answer.problem["error"] == "session_expired"
    assert answer.lines("X-Trace") == ["7"]
    assert not answer.lines("ETag")
    assert not answer.lines("Set-Cookie")
    assert "no-store" in answer.listed("Cache-Control")
    assert set(answer.listed("Vary")) >= {"Authorization", "Cookie", "Accept", "Sec-Fetch-Mode"}


@pytest.mark.parametrize("path", ["/old-csrf", "/csrf"])
def test_the_gates_own_403_is_not_taken_for_an_old_way(get_long: Ask, path: str) -> None:
    answer = get_long(path, by_cookie("good"))
    assert (answer.status, answer.problem["error"]) == (403, "csrf_invalid")


def test_a_navigation_gets_the_login_page_as_content_of_the_401(get: Ask) -> None:
    for field in (("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html, */*;q=0.8")):
        answer = get("/orders", field, by_cookie("expired"))
        assert (answer.status, answer.error) == (401, "session_expired")
        assert answer.body == b"<form>log in</form>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_script_gets_the_problem_document(get: Ask) -> None:
    fields = [("Sec-Fetch-Mode", "cors"), ("Accept", "text/html")]
    assert get("/orders", *fields, by_cookie("expired")).problem["error"] == "session_expired"
