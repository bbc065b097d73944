"""Options of a gate, over every framework: paths, logouts, and what a verifier is given."""

import logging
from typing import Any

import pytest

from relogin.server.gate import StepUp
from relogin.server.request import Request
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.optioned import by_authorization, by_cookie, each_framework, served
from tests.server.orders import SECRET, averify, verify
from tests.server.serving import Answer, ask, serving_asgi

# Paths that are not looked at


@each_framework
@pytest.mark.parametrize("legacy", [None, {440: "session_expired"}])
def test_an_ignored_path_leaves_as_it_came(
    framework: Framework, legacy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with served(framework, ignore=["/assets/*"], legacy=legacy) as get:
        for token in ("good", SECRET, None):
            fields = [by_cookie(token), by_authorization(token)] if token else []
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
def test_a_public_page_does_not_vary_by_what_only_a_refusal_looks_at(framework: Framework) -> None:
    with served(framework) as get:
        for fields in ([], [by_cookie("good")], [by_cookie("expired")]):
            assert get("/health", *fields).listed("Vary") == ["Authorization", "Cookie"]


# Logging out of a session that is dead


@each_framework
def test_a_logout_deletes_the_cookie_whatever_became_of_the_session(framework: Framework) -> None:
    public = ["/health", "/own"]  # the logout need not be named twice
    with served(framework, logout="/logout", public=public) as get:
        for token in ("good", "expired", "revoked", "unknown"):
            answer = get("/logout", by_cookie(token), method="POST")
            (line,) = answer.lines("Set-Cookie")
            assert (answer.status, line.partition(";")[0].replace('"', "")) == (200, "sid=")
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


# What a verifier is given


def tenant(token: str, request: Request) -> Any:
    assert request.source is not None
    return verify(token) if request.host == "a.example" else None


async def atenant(token: str, request: Request) -> Any:
    return tenant(token, request)


JUDGES = [(one, tenant) for one in FRAMEWORKS]
JUDGES += [(one, atenant) for one in FRAMEWORKS if one.is_asgi]


@pytest.mark.parametrize(("framework", "judge"), JUDGES, ids=lambda one: getattr(one, "name", ""))
def test_a_verifier_may_look_at_the_request(framework: Framework, judge: Any) -> None:
    with served(framework, verify=judge) as get:
        for binding in (by_authorization, by_cookie):
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
@pytest.mark.parametrize("second", ["/orders", "https://shop.example/orders"])
def test_two_lines_of_the_proxys_field_are_none(framework: Framework, second: str) -> None:
    """A WSGI server joins them: `/docs/a,/orders` is not a page of the documentation."""
    options = {"path_from": "X-Original-URI", "step_up": {"/pay/*": StepUp(max_age=300)}}
    with served(framework, **options) as get:
        lines = ("X-Original-URI", "/docs/a"), ("X-Original-URI", second)
        assert get("/health", *lines).status == 401
        assert get("/health", *lines[::-1]).status == 401
        assert get("/health", *lines, by_cookie("aged")).error == "insufficient_user_authentication"
        assert get("/health", ("X-Original-URI", "/docs/a,b?c=d,e")).status == 200


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
        "a proxy sends another path in x-original-uri, but step_up looks at /orders: "
        "set path_from, or stop the proxy from sending it"
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
        "the step_up path /api/pay/* can never match: paths are matched below the mount /api"
    )
