"""Two gates around one application: what one ignores is left to the other."""

from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import re_path
from fastapi import FastAPI, Request

import relogin
from relogin.server import asgi, django, starlette, wsgi
from relogin.server import flask as flask_gate
from tests.server.serving import Answer, ask, serving_asgi, serving_wsgi

PAGES = {"realm": "pages", "cookie": "sid", "ignore": ["/api/*"]}
API = {"realm": "api", "schemes": ["Bearer"], "ignore": ["/pages/*"]}


def by_cookie(token: str) -> str | None:
    return {"c1": "ada"}.get(token)


async def by_bearer(token: str) -> str | None:
    return {"b1": "the report"}.get(token)


def by_bearer_at_once(token: str) -> str | None:
    return {"b1": "the report"}.get(token)


def answer(path: str, session: object) -> str:
    if path.endswith("/refused"):
        raise relogin.Refused("session_revoked")
    return str(session)


def wsgi_application(environ: Any, start_response: Any) -> list[bytes]:
    text = answer(environ["PATH_INFO"], environ["relogin.session"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


def under_wsgi() -> Any:
    inside = wsgi.SessionGate(wsgi_application, by_bearer_at_once, **API)  # type: ignore[arg-type]
    return wsgi.SessionGate(inside, by_cookie, **PAGES)  # type: ignore[arg-type]


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    text = answer(scope["path"], scope["relogin.session"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


def under_asgi() -> Any:
    inside = asgi.SessionGate(asgi_application, by_bearer, **API)  # type: ignore[arg-type]
    return asgi.SessionGate(inside, by_cookie, **PAGES)  # type: ignore[arg-type]


def under_fastapi() -> Any:
    app = FastAPI(openapi_url=None)

    @app.get("/{path:path}")
    def view(path: str, request: Request) -> Any:
        return answer(path, request.scope["relogin.session"])

    app.add_middleware(starlette.SessionGate, verify=by_bearer, **API)  # type: ignore[arg-type]
    app.add_middleware(starlette.SessionGate, verify=by_cookie, **PAGES)  # type: ignore[arg-type]
    return app


def under_flask() -> Any:
    app = flask.Flask("shop")

    @app.get("/<path:path>")
    def view(path: str) -> str:
        return answer(path, flask_gate.current_session)

    flask_gate.SessionGate(app, by_cookie, **PAGES)  # type: ignore[arg-type]
    flask_gate.SessionGate(app, by_bearer_at_once, **API)  # type: ignore[arg-type]
    return app


def django_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(answer(request.path, request.META["relogin.session"]))


urlpatterns = [re_path("", django_view)]


def outer(get_response: Any) -> Any:
    return django.SessionGate(get_response, by_cookie, **PAGES)


def inner(get_response: Any) -> Any:
    return django.SessionGate(get_response, by_bearer, **API)


outer.async_capable = inner.async_capable = True  # type: ignore[attr-defined]
STACK = [f"{__name__}.outer", f"{__name__}.inner"]


def under_django(handler: Any = WSGIHandler) -> Any:
    with override_settings(MIDDLEWARE=STACK, ROOT_URLCONF=__name__):
        return handler()


def under_django_asgi() -> Any:
    return under_django(ASGIHandler)


Ask = Callable[..., Answer]
ASGI = [under_asgi, under_fastapi, under_django_asgi]


@pytest.fixture(
    scope="module",
    params=[under_wsgi, under_flask, under_django, *ASGI],
    ids=lambda build: build.__name__,
)
def get(request: pytest.FixtureRequest) -> Iterator[Ask]:
    serving = serving_asgi if request.param in ASGI else serving_wsgi
    with override_settings(ROOT_URLCONF=__name__), serving(request.param()) as port:
        yield lambda path, *fields: ask(port, path, *fields)


COOKIE = ("Cookie", "sid=c1")
BEARER = ("Authorization", "Bearer b1")


@pytest.mark.parametrize(
    ("path", "field", "session"),
    [("/pages/1", COOKIE, b"ada"), ("/api/1", BEARER, b"the report")],
)
def test_the_application_finds_the_session_of_the_gate_that_decided(
    get: Ask, path: str, field: tuple[str, str], session: bytes
) -> None:
    page = get(path, field)
    assert (page.status, page.body.strip(b'"')) == (200, session)
    assert page.headers["Cache-Control"] == "private"


@pytest.mark.parametrize(("path", "realm"), [("/pages/1", "pages"), ("/api/1", "api")])
def test_each_gate_refuses_its_own_paths(get: Ask, path: str, realm: str) -> None:
    refused = get(path)
    assert refused.status == 401
    assert f'realm="{realm}"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("path", "field", "realm"),
    [("/pages/refused", COOKIE, "pages"), ("/api/refused", BEARER, "api")],
)
def test_the_gate_that_decided_answers_for_a_view_that_refuses(
    get: Ask, path: str, field: tuple[str, str], realm: str
) -> None:
    refused = get(path, field)
    assert refused.status == 401
    assert f'realm="{realm}"' in refused.headers["WWW-Authenticate"]
