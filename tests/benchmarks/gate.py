"""What the gate costs a request whose session lives: `python -m tests.benchmarks.gate`.

Each framework serves one page from a process of its own, once bare, once again bare (what differs
there is noise), and once behind its gate; the client keeps its connection where the server does.
Ratios are medians over rounds that ask each server in turn: of the time that passed, and of the
processor's time that the server spent, which a busy machine disturbs less. Then the code that is
added, in µs.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import django
import flask
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from reauth.server import asgi, starlette, wsgi
from reauth.server import flask as flask_gate
from tests.benchmarks.timing import interleaved, ratio
from tests.server.serving import serving_asgi, serving_wsgi

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROUNDS = 60
REQUESTS = 100  # in each round

TOKEN = "bG9uZyBlbm91Z2ggdG8gYmUgYSByZWFsIHRva2Vu"
SESSIONS = {TOKEN: "ada"}
WORDS: Any = {"realm": "orders", "public": ["/health", "/docs/*"]}
REQUEST = (
    "GET /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
    f'Authorization: Session token="{TOKEN}"\r\n\r\n'
).encode()


async def verify(token: str) -> str | None:
    return SESSIONS.get(token)


# The applications, each bare or behind its gate


def wsgi_application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def under_wsgi(*, gated: bool) -> Any:
    if not gated:
        return wsgi_application
    return wsgi.SessionGate(wsgi_application, SESSIONS.get, **WORDS)


def under_flask(*, gated: bool) -> Any:
    app = flask.Flask("orders")
    app.add_url_rule("/orders", "orders", lambda: "ok")
    if gated:
        flask_gate.SessionGate(app, SESSIONS.get, **WORDS)
    return app


def under_django(*, gated: bool) -> Any:
    def orders(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    stack = ["reauth.server.django.SessionGate"] if gated else []
    settings.configure(
        ROOT_URLCONF=(path("orders", orders),),
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=stack,
        REAUTH=WORDS | {"verify": SESSIONS.get},
        LOGGING_CONFIG=None,
    )
    django.setup()
    return WSGIHandler()


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def under_asgi(*, gated: bool) -> Any:
    return asgi.SessionGate(asgi_application, verify, **WORDS) if gated else asgi_application


def under_starlette(*, gated: bool) -> Any:
    async def orders(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/orders", orders)])
    if gated:
        app.add_middleware(starlette.SessionGate, verify=verify, **WORDS)
    return app


def under_fastapi(*, gated: bool) -> Any:
    app = FastAPI()

    @app.get("/orders")
    async def orders(page: int = 1) -> str:
        return "ok"

    if gated:
        app.add_middleware(starlette.SessionGate, verify=verify, **WORDS)
    return app


WSGI: dict[str, Callable[..., Any]] = {
    "WSGI, wsgiref": under_wsgi,
    "Flask, wsgiref": under_flask,
    "Django, wsgiref": under_django,
}
ASGI: dict[str, Callable[..., Any]] = {
    "ASGI, uvicorn": under_asgi,
    "Starlette, uvicorn": under_starlette,
    "FastAPI, uvicorn": under_fastapi,
}


# Whole requests


def _serve(name: str, gated: bool, asked: Connection) -> None:
    if name in WSGI:
        serving = serving_wsgi(WSGI[name](gated=gated))
    else:
        serving = serving_asgi(ASGI[name](gated=gated))
    with serving as port:
        asked.send(port)
        while asked.recv():
            asked.send(time.process_time())


@dataclass
class Served:
    """A server in another process."""

    port: int
    process: Connection

    def spent(self) -> float:
        """The processor's time that it has spent, in seconds."""
        self.process.send(True)
        seconds: float = self.process.recv()
        return seconds


@contextmanager
def served(name: str, *, gated: bool) -> Iterator[Served]:
    """Serve from another process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(name, gated, theirs), daemon=True
    )
    process.start()
    yield Served(ours.recv(), ours)
    ours.send(False)
    process.join(10)


def asking(port: int, *, keep: bool) -> Callable[[], object]:
    """One request, answered; on one connection, or on one for each."""
    kept = socket.create_connection(("127.0.0.1", port)) if keep else None

    def ask() -> object:
        connection = kept or socket.create_connection(("127.0.0.1", port))
        connection.sendall(REQUEST)
        answer = b""
        while not answer.endswith((b"ok", b'"ok"')):
            answer += connection.recv(65536)
        assert b" 200 " in answer[:20], answer
        if kept is None:
            connection.close()
        return answer

    return ask


def whole_requests(name: str) -> None:
    """Print one framework's ratios."""
    with ExitStack() as stack:
        servers = {
            piece: stack.enter_context(served(name, gated=piece == "gated"))
            for piece in ("bare", "again", "gated")
        }
        asks = {piece: asking(one.port, keep=name in ASGI) for piece, one in servers.items()}
        passed: dict[str, list[float]] = {piece: [] for piece in servers}
        spent: dict[str, list[float]] = {piece: [] for piece in servers}
        for _ in range(ROUNDS):
            for piece, server in servers.items():
                began, had_spent = time.perf_counter(), server.spent()
                for _ in range(REQUESTS):
                    asks[piece]()
                passed[piece].append((time.perf_counter() - began) / REQUESTS * 1e6)
                spent[piece].append((server.spent() - had_spent) / REQUESTS * 1e6)
    print(
        f"  {name:20}{ratio(passed['again'], passed['bare']):8.3f}"
        f"{ratio(passed['gated'], passed['bare']):8.3f}{median(passed['bare']):8.0f}"
        f"{ratio(spent['again'], spent['bare']):10.3f}"
        f"{ratio(spent['gated'], spent['bare']):8.3f}{median(spent['bare']):8.0f}"
    )


# The code added


def added_code() -> None:
    """Print what the two gates add to an application called without a server, in µs."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/orders",
        "HTTP_AUTHORIZATION": f'Session token="{TOKEN}"',
    }
    headers = [(b"host", b"a"), (b"accept", b"*/*"), (b"user-agent", b"benchmark")]
    headers.append((b"authorization", f'Session token="{TOKEN}"'.encode()))
    scope = {"type": "http", "method": "GET", "path": "/orders", "headers": headers}

    async def send(message: object) -> None:
        """Let the message go nowhere."""

    def run(app: Any) -> None:
        try:
            app(scope, None, send).send(None)
        except StopIteration:
            return

    def calls(gated: bool) -> tuple[Callable[[], object], Callable[[], object]]:
        sync, coroutine = under_wsgi(gated=gated), under_asgi(gated=gated)
        return lambda: sync(dict(environ), lambda *_: None), lambda: run(coroutine)

    pieces: dict[str, Callable[[], object]] = {}
    for gated in (False, True):
        pieces[f"wsgi {gated}"], pieces[f"asgi {gated}"] = calls(gated)
    times = interleaved(pieces)
    print("the code that is added to a request, in µs (median of rounds)")
    for kind in ("wsgi", "asgi"):
        added = median(times[f"{kind} True"]) - median(times[f"{kind} False"])
        print(f"  {kind.upper():20}{added:8.1f}")


if __name__ == "__main__":
    print("whole requests over loopback, ratio to the bare framework (median of rounds)")
    print(f"  {'':20}{'time':>8}{'':8}{'':8}{'processor':>10}")
    print(f"  {'':20}{'again':>8}{'gated':>8}{'µs':>8}{'again':>10}{'gated':>8}{'µs':>8}")
    for framework in (*WSGI, *ASGI):
        whole_requests(framework)
    added_code()
