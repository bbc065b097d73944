"""A real HTTP server on loopback whose sessions die on request; it remembers what it was sent."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import reauth


@dataclass(frozen=True)
class Sent:
    """A request as it arrived."""

    method: str
    path: str
    fields: Message
    body: bytes

    @property
    def token(self) -> str | None:
        field = self.fields.get("Authorization")
        return None if field is None else reauth.Credentials.parse(field).get("token")


@dataclass
class Reply:
    """A response; `fields` are its lines, each with its name."""

    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"


def refusal(*challenges: str, status: int = 401) -> Reply:
    return Reply(status, tuple(("WWW-Authenticate", line) for line in challenges))


class Server:
    """Serves on a port of its own while it is entered; `answer` decides, `sent` remembers."""

    def __init__(self, answer: Callable[[Sent], Reply]) -> None:
        self.answer = answer
        self.sent: list[Sent] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def respond(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else self.chunks()
                sent = Sent(self.command, self.path, self.headers, body)
                server.sent.append(sent)
                reply = server.answer(sent)
                self.send_response(reply.status)
                for name, value in reply.fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def chunks(self) -> bytes:
                body = b""
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                return body

            do_GET = do_POST = do_PUT = respond  # noqa: N815 - the names are http.server's

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def tokens(self) -> list[str | None]:
        return [sent.token for sent in self.sent]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
