"""A server for the tests of `relogin probe` and of what curl prints."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.threads import in_thread


class Probed(ThreadingHTTPServer):
    """Answers every request with the same head, and keeps what was asked."""

    def __init__(self, status: int, fields: list[tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.fields = fields
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/orders"


class _Handler(BaseHTTPRequestHandler):
    server: Probed

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        self.send_response(self.server.status)
        for name, value in self.server.fields:
            self.send_header(name, value)
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - http.server calls it so
        pass


@contextmanager
def answering(status: int, *fields: tuple[str, str]) -> Iterator[Probed]:
    with Probed(status, list(fields)) as server, in_thread(server):
        yield server
