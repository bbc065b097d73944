"""Who logs out of a session that is dead already is rid of its cookie: the frameworks' own ones."""

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import flask
import pytest
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from flask_login import (  # type: ignore[import-untyped]
    LoginManager,
    UserMixin,
    login_user,
    logout_user,
)
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from relogin.server.flask import SessionGate as FlaskGate
from relogin.server.starlette import OwnSession
from relogin.server.starlette import SessionGate as StarletteGate
from tests.server.serving import Answer, ask, serving_asgi


class User(UserMixin):  # type: ignore[misc]
    id = "ada"


def flask_login_application() -> flask.Flask:
    app = flask.Flask("orders", static_folder=None)
    app.secret_key = "a secret"
    FlaskGate(app, realm="orders", public=["/login", "/visit"], logout="/logout")
    manager = LoginManager(app)
    manager.user_loader(lambda _: User())

    @app.post("/login")
    def login() -> str:
        login_user(User())
        return "in"

    @app.post("/logout")
    @app.post("/visit")
    def leave() -> str:
        logout_user()
        return "out"

    return app


@pytest.mark.parametrize("dead", [False, True])
def test_flask_login_deletes_its_cookie(dead: bool) -> None:
    app = flask_login_application()
    browser = app.test_client()
    browser.post("/login")
    if dead:
        app.permanent_session_lifetime = timedelta(seconds=-1)
    assert browser.post("/logout").status_code == 200
    assert browser.get_cookie("session") is None


def test_flask_login_deletes_its_cookie_nowhere_else() -> None:
    app = flask_login_application()
    browser = app.test_client()
    browser.post("/login")
    app.permanent_session_lifetime = timedelta(seconds=-1)
    assert browser.post("/visit").status_code == 200
    assert browser.get_cookie("session") is not None


# Django


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("out")


urlpatterns = [path("logout", sign_out), path("visit", sign_out)]
DJANGO: dict[str, Any] = {
    "ROOT_URLCONF": __name__,
    "RELOGIN": {"realm": "orders", "public": ["/visit"], "logout": "/logout"},
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "relogin.server.django.SessionGate",
    ],
}


@pytest.mark.parametrize(("url", "deleted"), [("/logout", True), ("/visit", False)])
def test_django_deletes_its_cookie_in_answer_to_a_logout(url: str, deleted: bool) -> None:
    with override_settings(**DJANGO):
        browser = Client()
        browser.cookies[settings.SESSION_COOKIE_NAME] = "forged"
        response = browser.post(url)
        assert response.status_code == 200
        assert (settings.SESSION_COOKIE_NAME in response.cookies) == deleted


# Starlette


def starlette_application() -> Starlette:
    async def leave(request: Request) -> PlainTextResponse:
        request.session.pop("user", None)
        return PlainTextResponse("out")

    routes = [Route(url, leave, methods=["POST"]) for url in ("/logout", "/visit")]
    sessions = Middleware(SessionMiddleware, secret_key="a secret", max_age=None)
    gate = Middleware(
        StarletteGate,
        verify=OwnSession("a secret", max_age=-1),  # every session has expired
        cookie="session",
        realm="orders",
        public=["/visit"],
        logout="/logout",
    )
    return Starlette(routes=routes, middleware=[sessions, gate])


@pytest.mark.parametrize(("url", "deleted"), [("/logout", True), ("/visit", False)])
def test_starlette_deletes_its_cookie_in_answer_to_a_logout(url: str, deleted: bool) -> None:
    kept = b64encode(json.dumps({"user": "ada", "basket": 7}).encode())
    cookie = "session=" + TimestampSigner("a secret").sign(kept).decode()
    with serving_asgi(starlette_application()) as port:
        answer: Answer = ask(port, url, ("Cookie", cookie), method="POST")
    assert answer.status == 200
    assert ["1970" in line for line in answer.lines("Set-Cookie")] == [True] * deleted
