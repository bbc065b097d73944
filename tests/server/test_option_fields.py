"""Options of a gate that add to a refusal: fields, parameters, and how long they may be."""

from typing import Any

import pytest

import relogin
from relogin.server.gate import Gate
from relogin.server.request import Request
from relogin.server.responses import dress
from tests.server.asking import GATE, decide, request
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.optioned import by_authorization, by_cookie, each_framework, served

# Fields beside a refusal


@each_framework
@pytest.mark.parametrize("path", ["/orders", "/moved"])
def test_a_refusal_carries_fields_of_ones_own(framework: Framework, path: str) -> None:
    headers = {"HX-Redirect": "/login", "Clear-Site-Data": '"cache", "storage"'}
    token = "good" if path == "/moved" else "expired"
    with served(framework, headers=headers) as get:
        answer = get(path, by_cookie(token))
        assert answer.status == 401
        assert answer.lines("HX-Redirect") == ["/login"]
        assert answer.lines("Clear-Site-Data") == ['"cache", "storage"']
        assert "HX-Redirect" in answer.listed("Access-Control-Expose-Headers")
        for other in ("/orders", "/health", "/csrf"):
            assert not get(other, by_cookie("good")).lines("HX-Redirect")


def to_login(said: relogin.SessionChallenge) -> dict[str, str]:
    return {"X-Login": f"/login?why={said.error or 'none'}"}


@each_framework
def test_a_field_may_depend_on_the_reason(framework: Framework) -> None:
    with served(framework, headers=to_login) as get:
        assert get("/orders").lines("X-Login") == ["/login?why=none"]
        assert get("/orders", by_cookie("revoked")).lines("X-Login") == [
            "/login?why=session_revoked"
        ]


@each_framework
@pytest.mark.parametrize("wrong", [lambda _: {"X-Login": "a\r\nX-Planted: 1"}, lambda _: 1 / 0])
def test_a_field_that_cannot_be_sent_keeps_no_refusal_from_being_sent(
    framework: Framework, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with served(framework, headers=wrong) as get:
        answer = get("/orders", by_cookie("expired"))
    assert (answer.status, answer.error) == (401, "session_expired")
    assert not answer.lines("X-Login")
    assert not answer.lines("X-Planted")
    assert "the callable given as headers has failed: " in caplog.text
    assert "Planted" not in caplog.text


def back_to(said: relogin.SessionChallenge, request: Request) -> dict[str, str]:
    return {"HX-Redirect": f"/login?next={request.path}&why={said.error}"}


def form(said: relogin.SessionChallenge, request: Request) -> str:
    return f"<form action='/login?next={request.path}'>{said.error}</form>"


@each_framework
def test_fields_and_the_login_page_may_depend_on_the_request(framework: Framework) -> None:
    with served(framework, headers=back_to, login_page=form) as get:
        for path in ("/orders", "/orders/7"):
            answer = get(path, by_cookie("expired"), ("Sec-Fetch-Mode", "navigate"))
            assert answer.lines("HX-Redirect") == [f"/login?next={path}&why=session_expired"]
            assert (
                answer.body == f"<form action='/login?next={path}'>session_expired</form>".encode()
            )


@each_framework
@pytest.mark.parametrize("wrong", [lambda _: 1 / 0, lambda _: None, lambda _: b"<form>"])
def test_a_login_page_that_fails_keeps_no_refusal_from_being_sent(
    framework: Framework, wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with served(framework, login_page=wrong) as get:
        answer = get("/orders", by_cookie("expired"), ("Sec-Fetch-Mode", "navigate"))
    assert (answer.status, answer.problem["error"]) == (401, "session_expired")
    assert "the callable given as login_page has failed: " in caplog.text


TURBO = [
    ("Accept", "text/html, application/xhtml+xml"),
    ("Accept", "text/vnd.turbo-stream.html, text/html, application/xhtml+xml"),
]


@each_framework
@pytest.mark.parametrize("accept", TURBO)
def test_turbo_is_given_the_login_page(framework: Framework, accept: tuple[str, str]) -> None:
    with served(framework) as get:
        answer = get("/orders", ("Sec-Fetch-Mode", "cors"), accept, by_cookie("expired"))
        assert (answer.error, answer.body) == ("session_expired", b"<form>log in</form>")


# Parameters of one's own


METADATA = "https://api.example/.well-known/oauth-protected-resource"


@each_framework
def test_a_parameter_of_ones_own_stands_in_each_challenge(framework: Framework) -> None:
    params = {"resource_metadata": METADATA, "Scope": "orders:read", "example.com.hint": "x"}
    with served(framework, params=params, schemes=["Bearer"]) as get:
        for fields in ([], [by_authorization("expired", "Bearer")]):
            (challenge,) = get("/orders", *fields).challenges
            assert challenge["resource_metadata"] == METADATA
            assert challenge["scope"] == "orders:read"
            assert challenge["example.com.hint"] == "x"
            assert challenge.get("error") == ("invalid_token" if fields else None)
        (own,) = get("/own").challenges  # the application's own 401
        assert own["resource_metadata"] == METADATA


def metadata(request: Request) -> dict[str, str]:
    scheme = request.header("X-Forwarded-Proto") or "http"
    return {"resource_metadata": f"{scheme}://{request.host}/.well-known/x"}


@each_framework
def test_a_parameter_may_depend_on_the_request(framework: Framework) -> None:
    with served(framework, params=metadata) as get:
        for host in ("a.example", "b.example"):
            answer = get("/orders", ("X-Forwarded-Proto", "https"), ("Host", host))
            (challenge,) = answer.challenges
            assert challenge["resource_metadata"] == f"https://{host}/.well-known/x"


@each_framework
def test_a_parameter_that_cannot_be_sent_is_left_out(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    params = {"params": lambda request: {"resource_metadata": request.header("X-Any")}}
    with served(framework, **params) as get:
        for planted in ('a", Basic realm="b', "a, Basic realm=b"):
            answer = get("/orders", ("X-Any", planted))
            assert answer.lines("WWW-Authenticate") == ['Session realm="orders"']
    assert "the callable given as params has failed: ValueError at" in caplog.text
    assert "Basic" not in caplog.text


@each_framework
def test_a_lacking_scope_is_403_with_the_scope_that_would_do(framework: Framework) -> None:
    with served(framework, schemes=["Bearer"], params={"resource_metadata": METADATA}) as get:
        answer = get("/scope", by_authorization("good", "Bearer"))
        assert answer.status == 403
        ours = f'resource_metadata="{METADATA}"'
        assert answer.lines("WWW-Authenticate") == [
            f'Bearer realm="orders", error="insufficient_scope", {ours}, scope="orders:write"'
        ]
        assert answer.problem == {
            "title": "Forbidden",
            "status": 403,
            "detail": "The session lacks a right that is needed",
            "error": "insufficient_scope",
            "scope": "orders:write",
        }
        assert "no-store" in answer.listed("Cache-Control")


@each_framework
@pytest.mark.requirement("S-17")
def test_the_session_scheme_has_no_challenge_in_a_403(framework: Framework) -> None:
    with served(framework) as get:
        answer = get("/scope", by_cookie("good"))
        assert (answer.status, answer.challenges) == (403, [])
        assert answer.problem["scope"] == "orders:write"


# The length of the field


def long(request: Request) -> dict[str, str]:
    return {"hint": request.header("X-Long") or ""}


@each_framework
def test_challenges_that_some_proxies_refuse_are_told_once(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    with served(framework, params=long) as get:
        get("/orders", ("X-Long", "x" * 3000))
        assert "bytes of one header field" not in caplog.text
        for _ in range(2):
            get("/orders", ("X-Long", "x" * 4000))
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.getMessage().startswith("the challenges take 40")


@each_framework
def test_challenges_that_just_pass_pass_nginx_with_all_other_fields(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    took = 0
    with served(framework, params=long, headers={"X-Own": "y" * 100}, cookie="sid") as get:
        for length in range(3000, 4000, 20):
            answer = get("/orders", ("X-Long", "x" * length), by_cookie("dead"))
            if "bytes of one header field" in caplog.text:
                break
            fields = answer.headers.items()
            took = sum(len(f"{name}: {value}\r\n") for name, value in fields)
    # Within the 4095 octets that nginx takes, with the status line; and not far below.
    assert 3850 < took + len("HTTP/1.1 401 Unauthorized\r\n\r\n") <= 4095


def test_long_challenges_of_the_application_count_too(caplog: pytest.LogCaptureFixture) -> None:
    own = [("WWW-Authenticate", f'DPoP algs="{"x" * 4000}"')]
    dress(GATE, decide(GATE, request()), 401, own)
    assert "the challenges take 40" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        *("WWW-Authenticate", "Authentication-Info", "Access-Control-Expose-Headers"),
        *("Cache-Control", "Vary", "Connection", "Content-Type", "Content-Length"),
        *("Content-Encoding", "Transfer-Encoding"),
    ],
)
def test_a_field_that_the_gate_writes_is_no_field_of_ones_own(name: str) -> None:
    with pytest.raises(ValueError, match="one that the gate writes itself"):
        Gate("orders", headers={name: "a"})


@pytest.mark.parametrize(
    "name",
    [
        *("realm", "error", "error_description", "max_age", "acr_values", "token"),
        "expires_in",
    ],
)
def test_a_parameter_that_the_gate_writes_is_none_of_ones_own(name: str) -> None:
    with pytest.raises(ValueError, match="one that the gate writes itself"):
        Gate("orders", params={name: "a"})


def test_what_is_always_too_long_is_told_when_the_gate_is_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    FRAMEWORKS[0].build(params={"hint": "x" * 2000}, schemes=["Bearer", "Session"])
    assert "the challenges take 40" in caplog.text
