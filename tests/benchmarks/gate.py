"""What the gate costs a request whose session lives: `python -m tests.benchmarks.gate`.

Each framework serves one page of two octets from a process of its own: bare; once again bare (what
differs there is noise); behind the thinnest middleware that adds the same two fields and looks at
nothing (what no gate can be cheaper than); and behind its gate. The client writes octets to a
socket, and keeps its connection where the server does. Ratios are medians over rounds that ask each
server in turn, of the time that passed, and of the processor's time that the server spent, which a
busy machine disturbs less. Then what `tests.benchmarks.added` measures, which
`python -m tests.benchmarks.gate added` measures alone.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
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

from relogin.server import asgi, starlette, wsgi
from relogin.server import flask as flask_gate
from tests.benchmarks import added
from tests.benchmarks.added import (
    OPTIONS,
    SESSIONS,
    TOKEN,
    asgi_application,
    verify,
    wsgi_application,
)
from tests.benchmarks.timing import ratio
from tests.server.serving import serving_asgi, serving_wsgi

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LAUNCHES = 6  # of each server: where its memory lies favours one process over another by a few %
ROUNDS = 12  # of each launch
REQUESTS = 100  # in each round

REQUEST = (
    "GET /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\nAccept: */*\r\n"
    f'Authorization: Session token="{TOKEN}"\r\n\r\n'
).encode()


# The applications, each bare or behind its gate


def under_wsgi(*, gated: bool) -> Any:
    if not gated:
        return wsgi_application
    return wsgi.SessionGate(wsgi_application, SESSIONS.get, **OPTIONS)


def under_flask(*, gated: bool) -> Any:
    app = flask.Flask("orders")
    app.add_url_rule("/orders", "orders", lambda: "ok")
    if gated:
        flask_gate.SessionGate(app, SESSIONS.get, **OPTIONS)
    return app


def under_django(*, gated: bool) -> Any:
    def orders(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    stack = ["relogin.server.django.SessionGate"] if gated else []
    settings.configure(
        ROOT_URLCONF=(path("orders", orders),),
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=stack,
        RELOGIN=OPTIONS | {"verify": SESSIONS.get},
        LOGGING_CONFIG=None,
    )
    django.setup()
    return WSGIHandler()


def under_asgi(*, gated: bool) -> Any:
    return asgi.SessionGate(asgi_application, verify, **OPTIONS) if gated else asgi_application


def under_starlette(*, gated: bool) -> Any:
    async def orders(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/orders", orders)])
    if gated:
        app.add_middleware(starlette.SessionGate, verify=verify, **OPTIONS)
    return app


def under_fastapi(*, gated: bool) -> Any:
    app = FastAPI()

    @app.get("/orders")
    async def orders(page: int = 1) -> str:
        return "ok"

    if gated:
        app.add_middleware(starlette.SessionGate, verify=verify, **OPTIONS)
    return app


FIELDS = [("Vary", "Authorization"), ("Cache-Control", "private")]
RAW_FIELDS = [(name.lower().encode(), value.encode()) for name, value in FIELDS]


def thin_wsgi(app: Any) -> Any:
    def middleware(environ: Any, start_response: Any) -> Any:
        def start(status: Any, headers: Any, *exc_info: Any) -> Any:
            return start_response(status, [*headers, *FIELDS], *exc_info)

        return app(environ, start)

    return middleware


def thin_asgi(app: Any) -> Any:
    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *RAW_FIELDS]}
            await send(message)

        await app({**scope}, receive, sending)

    return middleware


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


PIECES = ("bare", "again", "thin", "gated")


def _serve(name: str, piece: str, asked: Connection) -> None:
    if name in WSGI:
        app = WSGI[name](gated=piece == "gated")
        serving = serving_wsgi(thin_wsgi(app) if piece == "thin" else app)
    else:
        app = ASGI[name](gated=piece == "gated")
        serving = serving_asgi(thin_asgi(app) if piece == "thin" else app)
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
def served(name: str, piece: str) -> Iterator[Served]:
    """Serve from another process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(name, piece, theirs), daemon=True
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
    passed: dict[str, list[float]] = {piece: [] for piece in PIECES}
    spent: dict[str, list[float]] = {piece: [] for piece in PIECES}
    for _ in range(LAUNCHES):
        with ExitStack() as stack:
            servers = {piece: stack.enter_context(served(name, piece)) for piece in PIECES}
            asks = {piece: asking(one.port, keep=name in ASGI) for piece, one in servers.items()}
            for _ in range(ROUNDS):
                for piece, server in servers.items():
                    time_passed, time_spent = _taken(asks[piece], server)
                    passed[piece].append(time_passed)
                    spent[piece].append(time_spent)
    print(f"  {name:20}{_row(passed)}  {_row(spent)}")


def _taken(ask: Callable[[], object], server: Served) -> tuple[float, float]:
    began, had_spent = time.perf_counter(), server.spent()
    for _ in range(REQUESTS):
        ask()
    passed, spent = time.perf_counter() - began, server.spent() - had_spent
    return passed / REQUESTS * 1e6, spent / REQUESTS * 1e6


def _row(taken: dict[str, list[float]]) -> str:
    ratios = "".join(f"{ratio(taken[piece], taken['bare']):8.3f}" for piece in PIECES[1:])
    return f"{ratios}{median(taken['bare']):8.0f}"


if __name__ == "__main__":
    if sys.argv[1:] == ["added"]:
        added.rows()
        raise SystemExit
    print("whole requests over loopback, ratio to the bare framework (median of rounds)")
    heads = "".join(f"{head:>8}" for head in (*PIECES[1:], "bare/µs"))
    print(f"  {'':20}{'of the time that passed':>32}  {'of the processor':>32}")
    print(f"  {'':20}{heads}  {heads}")
    for framework in (*WSGI, *ASGI):
        whole_requests(framework)
    added.rows()
