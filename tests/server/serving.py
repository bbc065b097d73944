"""Real servers on loopback, and requests to them octet by octet."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

import uvicorn

import relogin
from tests.threads import in_thread


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving_wsgi(app: WSGIApplication) -> Iterator[int]:
    """Serve with wsgiref, in threads; yields the port."""
    with make_server("127.0.0.1", 0, app, _Server, _Handler) as server, in_thread(server):
        yield server.server_port


class _SoonStopped(uvicorn.Server):
    """Looks ten times as often as uvicorn's own whether it has to stop."""

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(0.01)


@contextmanager
def serving_asgi(app: Any, port: int = 0, lifespan: Any = "off") -> Iterator[int]:
    """Serve with uvicorn; yields the port."""
    config = uvicorn.Config(app, port=port, lifespan=lifespan, log_config=None, access_log=False)
    server = _SoonStopped(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)  # uvicorn has no event for this
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    def lines(self, name: str) -> list[str]:
        return self.headers.get_all(name, [])

    def listed(self, name: str) -> list[str]:
        return [part.strip() for line in self.lines(name) for part in line.split(",")]

    @property
    def challenges(self) -> list[relogin.Challenge]:
        return relogin.parse(self.lines("WWW-Authenticate"))

    @property
    def error(self) -> str | None:
        return next((one.get("error") for one in self.challenges if one.scheme == "Session"), None)

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["Content-Type"] == "application/problem+json"
        problem: dict[str, Any] = json.loads(self.body)
        return problem


def ask(port: int, path: str, *fields: tuple[str, str], method: str = "GET") -> Answer:
    """Send one request with exactly these field lines."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        own_host = any(name == "Host" for name, _ in fields)
        connection.putrequest(method, path, skip_host=own_host, skip_accept_encoding=True)
        for name, value in fields:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
