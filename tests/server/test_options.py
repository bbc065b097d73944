"""What an operator may say, under each framework and on a real server."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pytest

import relogin
from relogin.server.facts import Request
from relogin.server.gate import StepUp
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.orders import SECRET, averify, verify
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

Ask: TypeAlias = Callable[..., Answer]
each_framework = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)


@contextmanager
def served(framework: Framework, **options: Any) -> Iterator[Ask]:
    serving = serving_asgi if framework.is_asgi else serving_wsgi
    with serving(framework.build(**options)) as port:
        yield lambda path, *fields, **more: ask(port, path, *fields, **more)


def by_cookie(token: str) -> tuple[str, str]:
    return "Cookie", f"sid={token}"


def by_authorization(token: str, scheme: str = "Session") -> tuple[str, str]:
    return "Authorization", f'Session token="{token}"' if scheme == "Session" else f"Bearer {token}"


# Paths that are not looked at


@each_framework
@pytest.mark.parametrize("token", ["good", SECRET, None])
@pytest.mark.parametrize("legacy", [None, {440: "session_expired"}])
def test_an_ignored_path_leaves_as_it_came(
    framework: Framework, token: str | None, legacy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fields = [by_cookie(token), by_authorization(token)] if token else []
    with served(framework, ignore=["/assets/*"], legacy=legacy) as get:
        asset = get("/assets/app.js", *fields)
        assert asset.lines("Cache-Control") == ["public, max-age=31536000, immutable"]
        own = get("/assets/own", *fields)
        assert (own.status, own.lines("WWW-Authenticate")) == (401, ["Basic"])
        assert own.lines("Set-Cookie")
        old = get("/assets/old", *fields)
        assert old.status == 440
    for answer in (asset, own, old):
        assert answer.body == b"session=None"
        assert not answer.lines("Vary")
        assert not answer.lines("Authentication-Info")
    assert not [record for record in caplog.records if record.name == "relogin.server"]


@each_framework
def test_a_path_that_only_looks_ignored_is_guarded(framework: Framework) -> None:
    with served(framework, ignore=["/assets/*"]) as get:
        for path in ("/assets", "/Assets/app.js", "/assets/..%2forders", "/assets//app.js"):
            assert get(path).status in {401, 404}
        assert get("/assets/refused").lines("WWW-Authenticate") == ['Session realm="orders"']


@each_framework
def test_a_step_up_wins_over_an_ignored_path(framework: Framework) -> None:
    step_up = {"/assets/pay": StepUp(max_age=300)}
    with served(framework, ignore=["/assets/*"], step_up=step_up) as get:
        assert get("/assets/pay", by_cookie("aged")).error == "insufficient_user_authentication"


@each_framework
@pytest.mark.parametrize("token", ["good", "expired", None])
def test_a_public_page_does_not_vary_by_what_only_a_refusal_looks_at(
    framework: Framework, token: str | None
) -> None:
    fields = [by_cookie(token)] if token else []
    with served(framework) as get:
        assert get("/health", *fields).listed("Vary") == ["Authorization", "Cookie"]


# Logging out of a session that is dead


@each_framework
@pytest.mark.parametrize("token", ["good", "expired", "revoked", "unknown"])
def test_a_logout_deletes_the_cookie_whatever_became_of_the_session(
    framework: Framework, token: str
) -> None:
    public = ["/health", "/own"]  # the logout need not be named twice
    with served(framework, logout="/logout", public=public) as get:
        answer = get("/logout", by_cookie(token), method="POST")
        assert (answer.status, answer.lines("Set-Cookie")) != (401, [])
        assert [line.partition(";")[0] for line in answer.lines("Set-Cookie")] in (
            ["sid="],
            ['sid=""'],
        )
        assert "no-store" in answer.listed("Cache-Control")


@each_framework
def test_elsewhere_a_late_answer_still_deletes_nothing(framework: Framework) -> None:
    with served(framework, logout=["/sign-out", "/bye"]) as get:
        assert not get("/logout", by_cookie("expired")).lines("Set-Cookie")


@each_framework
def test_a_logout_needs_no_new_login_and_is_no_old_way(framework: Framework) -> None:
    options = {"logout": "/logout", "step_up": {"/*": StepUp(300)}, "legacy": lambda *_: "x.y"}
    with served(framework, **options) as get:
        assert get("/logout", by_cookie("aged")).status == 200
        assert get("/orders", by_cookie("aged")).status == 401


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
        for admitted in (get("/orders", by_cookie("good")), get("/health"), get("/csrf")):
            assert admitted.status == 401 or not admitted.lines("HX-Redirect")


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


# What a verifier is given


def tenant(token: str, request: Request) -> Any:
    assert request.source is not None
    return verify(token) if request.host == "a.example" else None


async def atenant(token: str, request: Request) -> Any:
    return tenant(token, request)


@each_framework
@pytest.mark.parametrize("judge", [tenant, atenant])
@pytest.mark.parametrize("binding", [by_authorization, by_cookie])
def test_a_verifier_may_look_at_the_request(framework: Framework, judge: Any, binding: Any) -> None:
    if judge is atenant and not framework.is_asgi:
        judge = tenant
    with served(framework, verify=judge) as get:
        assert get("/orders", binding("good"), ("Host", "a.example")).status == 200
        other = get("/orders", binding("good"), ("Host", "b.example"))
        assert (other.status, other.error) == (401, "session_invalid")


@each_framework
def test_an_old_way_may_depend_on_the_request(framework: Framework) -> None:
    def legacy(status: int, headers: dict[str, str], request: Request) -> str | None:
        asks = request.header("Accept") == "application/json"
        return "session_expired" if status == 440 and asks else None

    with served(framework, legacy=legacy) as get:
        assert get("/old", by_cookie("good"), ("Accept", "application/json")).status == 401
        assert get("/old", by_cookie("good"), ("Accept", "text/html")).status == 440


# The path that a proxy tells


@each_framework
def test_the_path_is_the_one_that_the_proxy_tells(framework: Framework) -> None:
    options = {"path_from": "X-Original-URI", "step_up": {"/pay/*": StepUp(max_age=300)}}
    with served(framework, **options) as get:

        def through(path: str, token: str | None = None) -> Answer:
            fields = [by_cookie(token)] if token else []
            return get("/health", ("X-Original-URI", path), *fields)

        assert through("/docs/x?page=1").status == 200
        assert through("https://shop.example/docs/x").status == 200
        assert through("/orders").status == 401
        assert through("/docs/..%2forders").status == 401
        assert through("/docs/%2e%2e/orders").status == 401
        for stepped_up in ("/pay/7", "/PAY/7", "/%70ay/7", "//pay/7", "http://a/pay/7?x"):
            assert through(stepped_up, "aged").error == "insufficient_user_authentication"
        assert through("/pay/7", "good").status == 200
        assert through("/orders/7", "aged").status == 200
        assert "x-original-uri" in [name.lower() for name in get("/orders").listed("Vary")]


@each_framework
def test_without_the_proxys_field_nothing_is_public_and_each_step_up_applies(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"path_from": "X-Original-URI", "step_up": {"/pay/*": StepUp(max_age=300)}}
    with served(framework, **options) as get:
        for _ in range(2):
            assert get("/health").status == 401
            assert get("/orders", by_cookie("aged")).error == "insufficient_user_authentication"
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.getMessage().startswith("a request came without x-original-uri")


@each_framework
def test_a_step_up_that_a_proxy_hides_is_told_once(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    with served(framework, step_up={"/pay/*": StepUp(max_age=300)}) as get:
        assert get("/orders", by_cookie("aged"), ("X-Original-URI", "/orders?a=b")).status == 200
        assert not [record for record in caplog.records if record.name == "relogin.server"]
        for _ in range(2):
            assert get("/orders", by_cookie("aged"), ("X-Original-URI", "/pay/7")).status == 200
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "a proxy tells another path in x-original-uri, and step_up looks at /orders: "
        "give path_from, or have the proxy not send it"
    )


def test_a_step_up_above_the_mount_is_told(caplog: pytest.LogCaptureFixture) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from relogin.server import asgi
    from tests.server.frameworks import asgi_application

    step_up = {"/api/pay/*": StepUp(max_age=300)}
    gate = asgi.SessionGate(asgi_application, averify, realm="orders", step_up=step_up)
    with serving_asgi(Starlette(routes=[Mount("/api", gate)])) as port:
        for _ in range(2):
            ask(port, "/api/pay/7", by_authorization("aged"))
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.getMessage() == (
        "the step_up path /api/pay/* is never met: paths are matched below the mount /api"
    )


# The length of the field


@each_framework
def test_challenges_that_some_proxies_refuse_are_told_once(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    def long(request: Request) -> dict[str, str]:
        return {"hint": request.header("X-Long") or ""}

    with served(framework, params=long) as get:
        get("/orders", ("X-Long", "x" * 3000))
        assert "octets of one header field" not in caplog.text
        for _ in range(2):
            get("/orders", ("X-Long", "x" * 4000))
    (record,) = [record for record in caplog.records if record.name == "relogin.server"]
    assert record.getMessage().startswith("the challenges take 40")


@each_framework
def test_challenges_that_just_pass_pass_nginx_with_all_other_fields(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    def long(request: Request) -> dict[str, str]:
        return {"hint": request.header("X-Long") or ""}

    took = 0
    with served(framework, params=long, headers={"X-Own": "y" * 100}, cookie="sid") as get:
        for length in range(3000, 4000, 20):
            answer = get("/orders", ("X-Long", "x" * length), by_cookie("dead"))
            if "octets of one header field" in caplog.text:
                break
            fields = answer.headers.items()
            took = sum(len(f"{name}: {value}\r\n") for name, value in fields)
    # Within the 4095 octets that nginx takes, with the status line; and not far below.
    assert 3850 < took + len("HTTP/1.1 401 Unauthorized\r\n\r\n") <= 4095


def test_what_is_always_too_long_is_told_when_the_gate_is_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    FRAMEWORKS[0].build(params={"hint": "x" * 2000}, schemes=["Bearer", "Session"])
    assert "the challenges take 40" in caplog.text
