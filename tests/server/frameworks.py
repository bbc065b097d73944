"""The application under each framework, behind its gate."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import flask
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import re_path
from fastapi import FastAPI, Security
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from relogin.server import asgi, starlette, wsgi
from relogin.server import flask as flask_gate
from tests.server.orders import OPTIONS, averify, respond, verify

BOTH: dict[str, Any] = {**OPTIONS, "verify": verify}
METHODS = ["GET", "HEAD", "POST", "OPTIONS"]


# WSGI


def wsgi_application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    status, headers, text = respond(environ["PATH_INFO"], environ["relogin.session"])
    start_response(f"{status} Said", headers)
    return [text.encode()]


def under_wsgi(**options: Any) -> WSGIApplication:
    return wsgi.SessionGate(wsgi_application, **BOTH | options)


def generator(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """An application that does nothing before it is asked for its first chunk."""
    yield from wsgi_application(environ, start_response)


def under_wsgi_as_generator(**options: Any) -> WSGIApplication:
    return wsgi.SessionGate(generator, **BOTH | options)


# ASGI


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    status, headers, text = respond(scope["path"], scope["relogin.session"])
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": text.encode()})


def under_asgi(**options: Any) -> Any:
    return asgi.SessionGate(asgi_application, **BOTH | {"verify": averify} | options)


# Flask


def flask_application() -> flask.Flask:
    app = flask.Flask("orders")
    app.url_map.merge_slashes = False

    def view(path: str = "") -> flask.Response:
        status, headers, text = respond(f"/{path}", flask_gate.current_session)
        return flask.Response(text, status, headers)

    view.provide_automatic_options = False  # type: ignore[attr-defined]
    app.add_url_rule("/", "root", view, methods=METHODS)
    app.add_url_rule("/<path:path>", "view", view, methods=METHODS)
    return app


def under_flask(**options: Any) -> WSGIApplication:
    app = flask_application()
    flask_gate.SessionGate(app, **BOTH | options)
    return app


# Django


def django_view(request: HttpRequest) -> HttpResponse:
    status, headers, text = respond(request.path_info, request.META["relogin.session"])
    response = HttpResponse(text, status=status)
    for name, value in headers:
        if name == "Set-Cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    return response


urlpatterns = [re_path("", django_view)]


def under_django(**options: Any) -> WSGIApplication:
    with override_settings(RELOGIN=BOTH | options):
        return WSGIHandler()


def under_django_asgi(**options: Any) -> Any:
    named = {"verify": "tests.server.orders.averify"}
    with override_settings(RELOGIN=OPTIONS | named | options):
        return ASGIHandler()


# Starlette and FastAPI


async def endpoint(request: Request) -> Response:
    status, headers, text = respond(request.url.path, request.scope["relogin.session"])
    response = Response(text, status)
    for name, value in headers:
        response.headers.append(name, value)
    return response


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(f"session={websocket.scope['relogin.session']}")
    await websocket.close()


def under_starlette(**options: Any) -> Any:
    routes = [WebSocketRoute("/socket", socket), Route("/{path:path}", endpoint, methods=METHODS)]
    app = Starlette(routes=routes)
    app.add_middleware(starlette.SessionGate, **BOTH | options)
    return app


def under_fastapi(**options: Any) -> Any:
    app = FastAPI(openapi_url=None)
    current = starlette.CurrentSession()

    async def orders(request: Request, session: Annotated[Any, Security(current)]) -> Response:
        return await endpoint(request)

    async def public(request: Request) -> Response:
        return await endpoint(request)

    app.add_middleware(starlette.SessionGate, **BOTH | {"verify": averify} | options)
    for path in (*OPTIONS["public"], "/assets/*"):
        app.add_api_route(path.replace("*", "{rest:path}"), public, methods=METHODS)
    app.add_api_route("/{path:path}", orders, methods=METHODS)
    return app


@dataclass(frozen=True)
class Framework:
    name: str
    build: Callable[..., Any]
    is_asgi: bool = False


FRAMEWORKS = [
    Framework("wsgi", under_wsgi),
    Framework("wsgi-generator", under_wsgi_as_generator),
    Framework("asgi", under_asgi, is_asgi=True),
    Framework("flask", under_flask),
    Framework("django", under_django),
    Framework("django-asgi", under_django_asgi, is_asgi=True),
    Framework("starlette", under_starlette, is_asgi=True),
    Framework("fastapi", under_fastapi, is_asgi=True),
]
