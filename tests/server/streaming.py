"""An application that streams, under each framework, and the sessions that end meanwhile."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import flask
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from werkzeug.serving import WSGIRequestHandler, make_server

import relogin
from relogin.server import asgi, starlette, wsgi
from relogin.server import flask as flask_gate
from tests.server.serving import serving_asgi
from tests.threads import in_thread

PAUSE = 0.02
KINDS = {"/events": "text/event-stream", "/download": "text/plain", "/asks": "text/event-stream"}
KINDS |= {"/quiet": "text/event-stream", "/asks-download": "text/plain"}
STOP = threading.Event()  # for streams that nothing else would end
LONG = 40.0  # seconds after which a quiet stream would say something


@dataclass
class Sessions:
    """One session, which may end or be out of reach."""

    ended: threading.Event = field(default_factory=threading.Event)
    trouble: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        STOP.clear()

    def verify(self, token: str) -> str:
        self.asked += 1
        if self.trouble:
            raise OSError
        if self.ended.is_set():
            raise relogin.Refused("session_revoked")
        return "ada"

    async def averify(self, token: str) -> str:
        return self.verify(token)


def chunks(path: str, again: Callable[[], Any]) -> Iterator[bytes]:
    while not STOP.is_set():
        yield b"data: x\n\n"
        if path.startswith("/asks"):
            again()
        time.sleep(PAUSE)


async def achunks(path: str, again: Callable[[], Any]) -> AsyncIterator[bytes]:
    while not STOP.is_set():
        yield b"data: x\n\n"
        if path.startswith("/asks"):
            found = again()
            if asyncio.iscoroutine(found):
                await found
        await asyncio.sleep(LONG if path == "/quiet" else PAUSE)


def under_wsgi(sessions: Sessions, **options: Any) -> Any:
    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        path = environ["PATH_INFO"]
        start_response("200 OK", [("Content-Type", KINDS[path])])
        yield from chunks(path, environ["relogin.verify"])

    return wsgi.SessionGate(application, sessions.verify, realm="a", cookie="sid", **options)


def under_flask(sessions: Sessions, **options: Any) -> Any:
    app = flask.Flask("streams")
    flask_gate.SessionGate(app, sessions.verify, realm="a", cookie="sid", **options)

    @app.get("/<name>")
    def view(name: str) -> flask.Response:
        again = flask.request.environ["relogin.verify"]
        return flask.Response(chunks(f"/{name}", again), content_type=KINDS[f"/{name}"])

    return app


def view(request: HttpRequest) -> StreamingHttpResponse:
    content = chunks(request.path, request.META["relogin.verify"])
    return StreamingHttpResponse(content, content_type=KINDS[request.path])


async def aview(request: HttpRequest) -> StreamingHttpResponse:
    content = achunks(request.path, request.META["relogin.verify"])
    return StreamingHttpResponse(content, content_type=KINDS[request.path])


class Urls:
    urlpatterns = tuple(path(name[1:], view) for name in KINDS)


class AsyncUrls:
    urlpatterns = tuple(path(name[1:], aview) for name in KINDS)


@contextmanager
def serving_django(handler: Any, verify: Any, urls: type, **options: Any) -> Iterator[int]:
    options = {"realm": "a", "cookie": "sid", "verify": verify, **options}
    with override_settings(RELOGIN=options, ROOT_URLCONF=urls):
        serving = serving_http_1_1 if handler is WSGIHandler else serving_asgi
        with serving(handler()) as port:
            yield port


def under_asgi(sessions: Sessions, **options: Any) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                await send({"type": "websocket.send", "text": "heard"})
            return
        path = scope["path"]
        kind = [(b"content-type", KINDS[path].encode())]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        async for chunk in achunks(path, scope["relogin.verify"]):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

    return asgi.SessionGate(application, sessions.averify, realm="a", cookie="sid", **options)


def under_starlette(sessions: Sessions, **options: Any) -> Any:
    async def endpoint(request: Request) -> StreamingResponse:
        path = request.url.path
        content = achunks(path, request.scope["relogin.verify"])
        return StreamingResponse(content, media_type=KINDS[path])

    app = Starlette(routes=[Route("/{path:path}", endpoint)])
    app.add_middleware(
        starlette.SessionGate, verify=sessions.verify, realm="a", cookie="sid", **options
    )
    return app


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@contextmanager
def serving_http_1_1(app: Any) -> Iterator[int]:
    """Serve a WSGI application in chunks, so that a part cannot be taken for the whole."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    try:
        with in_thread(server):
            yield server.server_port
    finally:
        server.server_close()


FRAMEWORKS: dict[str, Callable[..., Any]] = {
    "wsgi": lambda sessions, **options: serving_http_1_1(under_wsgi(sessions, **options)),
    "flask": lambda sessions, **options: serving_http_1_1(under_flask(sessions, **options)),
    "django": lambda sessions, **options: serving_django(
        WSGIHandler, sessions.verify, Urls, **options
    ),
    "django-awaiting": lambda sessions, **options: serving_django(
        WSGIHandler, sessions.averify, Urls, **options
    ),
    "asgi": lambda sessions, **options: serving_asgi(under_asgi(sessions, **options)),
    "starlette": lambda sessions, **options: serving_asgi(under_starlette(sessions, **options)),
    "django-asgi": lambda sessions, **options: serving_django(
        ASGIHandler, sessions.averify, AsyncUrls, **options
    ),
    "django-asgi-plain": lambda sessions, **options: serving_django(
        ASGIHandler, sessions.verify, AsyncUrls, **options
    ),
}
PAUSING = ["asgi", "starlette", "django-asgi", "django-asgi-plain"]
