"""Logins of frameworks that people have, written as in docs/how-to/login-frameworks.md."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
import requests
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    UserMixin,
    login_required,
    login_user,
)
from flask_wtf import CSRFProtect

from relogin import LoginRefused
from relogin.client import outcome
from relogin.client.carry import Header
from relogin.client.logins import FormLogin, JSONLogin, Logout, from_cookie, from_json
from relogin.client.requests import SessionAuth
from relogin.client.signals import redirect_to, status
from tests.client.servers.npm import running_script
from tests.programs import free_port, running_until_killed
from tests.server.serving import serving_wsgi


def kill(url: str) -> int:
    """End all sessions; return how many there were."""
    return int(requests.post(f"{url}/kill", timeout=10).text)


def carries_on(
    session: requests.Session, auth: SessionAuth, url: str, end: Callable[[], Any]
) -> None:
    """Assert that requests log in, and again when the session has ended."""
    session.auth = auth
    for _ in range(2):
        assert (answer := session.get(url)).status_code == 200, answer.text
        assert outcome(answer) == "replayed"
        assert outcome(session.get(url)) == "untouched"
        end()


def refuses(session: requests.Session, auth: SessionAuth, url: str, message: str) -> None:
    """Assert that a wrong password is told as such, and never tried again."""
    session.auth = auth
    for _ in range(2):
        with pytest.raises(LoginRefused, match=message):
            session.get(url)


# Django


@pytest.fixture(scope="module")
def allauth() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.client.servers.allauth_server"]
    with running_until_killed(command) as port:
        yield f"http://127.0.0.1:{int(port)}"


def test_a_dead_session_of_allauth_headless_is_a_410_and_a_logout_ends_it(
    allauth: str, session: requests.Session
) -> None:
    base = f"{allauth}/_allauth/app/v1/auth"

    def auth(password: str) -> SessionAuth:
        account = {"username": "ada", "password": password}
        login = JSONLogin(f"{base}/login", account, token="/meta/session_token")
        logout = Logout(f"{base}/session")
        return SessionAuth(
            login, carry=Header("X-Session-Token"), signals=[status(410)], logout=logout
        )

    with auth("pa55") as right:
        carries_on(session, right, f"{base}/session", lambda: kill(allauth))
        session.get(f"{base}/session")
    assert kill(allauth) == 0
    refuses(session, auth("wr0ng"), f"{base}/session", "answered 400")


def test_allauth_in_a_browser_wants_a_csrf_token_before_the_login(
    allauth: str, session: requests.Session
) -> None:
    base, csrf = f"{allauth}/_allauth/browser/v1", {"X-CSRFToken": from_cookie("csrftoken")}
    login = JSONLogin(
        f"{base}/auth/login",
        {"username": "ada", "password": "pa55"},
        token=None,
        first=f"{base}/config",
        sends=csrf,
        headers=csrf,
    )
    carries_on(session, SessionAuth(login), f"{base}/auth/session", lambda: kill(allauth))
    assert session.delete(f"{base}/auth/session").status_code == 401  # logged out, with its token


# Flask


@pytest.fixture
def shop() -> Iterator[tuple[str, set[str]]]:
    """Flask-Login and Flask-WTF: a login page, and a CSRF token for each write."""
    app, living = flask.Flask(__name__), set[str]()
    app.secret_key = secrets.token_bytes()
    CSRFProtect(app)
    manager: Any = LoginManager(app)
    manager.login_view = "login"

    class User(UserMixin):
        def __init__(self, number: str) -> None:
            self.id = number

    manager.user_loader(lambda number: User(number) if number in living else None)

    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        if flask.request.form.get("password") == "pa55":
            living.add(number := secrets.token_hex())
            login_user(User(number))
            return flask.redirect("/")
        page = '<form method=post><input name=csrf_token value="{{ csrf_token() }}" type=hidden>'
        return flask.render_template_string(page + "<input name=password type=password></form>")

    @app.route("/")
    def home() -> str:
        return "home"

    @app.route("/orders", methods=["GET", "POST"])
    @login_required
    def orders() -> str:
        return "tea"

    with serving_wsgi(app) as port:
        yield f"http://127.0.0.1:{port}", living


def csrf_token(answer: Any) -> str | None:
    for page in (answer, *reversed(answer.history)):
        found: str = page.text.partition('csrf_token value="')[2].partition('"')[0]
        if found:
            return found
    return None


def test_a_write_to_flask_logs_in_first_and_has_the_csrf_token_of_the_page(
    shop: tuple[str, set[str]], session: requests.Session
) -> None:
    url, living = shop

    def auth(password: str) -> SessionAuth:
        fields, headers = {"password": password}, {"X-CSRFToken": csrf_token}
        login = FormLogin(f"{url}/login", fields, headers=headers)
        return SessionAuth(
            login, signals=[redirect_to("/login")], replay_any_method=True, preemptive=True
        )

    session.auth = auth("pa55")
    for expected in ("untouched", "replayed"):
        answer = session.post(f"{url}/orders")
        assert (answer.text, outcome(answer)) == ("tea", expected)
        living.clear()
    refuses(session, auth("wr0ng"), f"{url}/orders", "with the form again")


# Node.js

PACKAGES = ("better-auth@1.7.25", "@auth/express@0.12.3", "express@5.3.0")


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    port, script = free_port(), Path(__file__).with_name("js_logins.mjs")
    with running_script(script, PACKAGES, port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.needs("npm")
def test_better_auth_takes_a_logout_that_says_where_it_comes_from(
    node: str, session: requests.Session
) -> None:
    def auth(password: str) -> SessionAuth:
        account = {"email": "ada@example.com", "password": password}
        login = JSONLogin(f"{node}/api/auth/sign-in/email", account, token=None)
        return SessionAuth(login, logout=Logout(f"{node}/api/auth/sign-out", method="POST"))

    with auth("pa55word") as right:
        carries_on(session, right, f"{node}/better", lambda: kill(node))
        session.get(f"{node}/better")
    assert kill(node) == 0
    refuses(session, auth("wr0ngwr0ng"), f"{node}/better", "answered 401")


@pytest.mark.needs("npm")
@pytest.mark.parametrize("kind", ["page", "fields"])
def test_auth_js_tells_a_wrong_password_only_by_its_page(
    node: str, session: requests.Session, kind: str
) -> None:
    def auth(password: str) -> SessionAuth:
        account: dict[str, Any] = {"username": "ada", "password": password}
        if kind == "page":
            return SessionAuth(FormLogin(f"{node}/auth/signin", account))
        csrf = {"csrfToken": from_json("csrfToken")}
        return SessionAuth(
            JSONLogin(
                f"{node}/auth/callback/credentials",
                account | csrf,
                form=True,
                token=None,
                first=f"{node}/auth/csrf",
            )
        )

    session.auth = auth("pa55word")
    assert session.get(f"{node}/authjs").text == "ada"
    refuses(session, auth("wr0ngwr0ng"), f"{node}/authjs", "answered 200 with (the|a) form")
