"""A WSGI application on a free port of this machine, for as long as a demo lasts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

__all__ = ["Loopback", "answer"]


class Loopback:
    """Serves an application on a free port of the loopback interface while entered."""

    def __init__(self, application: WSGIApplication) -> None:
        self._server = make_server("127.0.0.1", 0, application, _ThreadingServer, _SilentHandler)
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.url: str = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        """Wait until interrupted."""
        self._thread.join()


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    request_queue_size = 128  # fifty threads connect at once
    # A client that Ctrl-C stopped between connecting and asking would keep the demo from ending.
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    """Writes no log of requests."""

    def log_message(self, format: str, *values: Any) -> None:  # noqa: A002  its name up there
        """Print nothing: the demo shows the requests itself."""


def answer(
    start_response: StartResponse, status: str, content: dict[str, Any], *more: tuple[str, str]
) -> Iterable[bytes]:
    """Answer with JSON that no cache keeps."""
    fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), *more]
    start_response(status, fields)
    return [json.dumps(content).encode()]
