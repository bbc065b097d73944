"""A real HTTP/1.1 server on loopback, whose login ends the session before.

Everything but `/login` and the paths of `routes` needs the living session, and answers with what
was sent to it. A test changes attributes between requests, and reads `requests` and `logins`
afterwards. Nothing here sleeps: what must be slow waits for an event, and for 10 s at most.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, Literal, TypeAlias

from relogin import Grant
from tests.threads import in_thread

__all__ = ["Answer", "Request", "Server", "dribble", "flood", "serve"]

PATIENCE = 10.0
PASSWORD = "pa55word-that-nobody-may-see"
COOKIE = "sid"

Fields: TypeAlias = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One request as it arrived; `connection` is the same for all that came over one."""

    method: str
    path: str
    headers: Message
    body: bytes
    connection: int

    @property
    def token(self) -> str | None:
        """What the Authorization field holds between its quotes, or after its scheme."""
        value = self.headers.get("Authorization")
        return (
            None if value is None else value.partition(" ")[2].removeprefix('token="').rstrip('"')
        )

    def is_of(self, scheme: str) -> bool:
        return self.headers.get("Authorization", scheme).startswith(scheme)

    @property
    def cookies(self) -> dict[str, str]:
        pairs = [pair.strip() for pair in self.headers.get("Cookie", "").split(";")]
        return {name: value for name, _, value in (p.partition("=") for p in pairs) if name}


@dataclass(frozen=True)
class Answer:
    """A response; a body that is an iterable of chunks is sent chunk by chunk, without a length.

    `close` ends the connection after it, and says so.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterable[bytes] = b""
    close: bool = False


Route: TypeAlias = Callable[[Request], Answer]


@dataclass(eq=False)
class Server:
    """What the server does, and what it has seen."""

    url: str = ""
    realm: str = "api"
    binding: Literal["token", "cookie"] = "token"
    scheme: str = "Session"
    requests: list[Request] = field(default_factory=list)
    logins: int = 0
    routes: dict[str, Route] = field(default_factory=dict)

    # How it refuses
    answers: Route | None = None
    """Answers everything, instead of the server's own login and session."""
    challenges: Callable[[str | None], Iterable[str]] | None = None
    """Field lines for an error code, instead of the one line that SPEC.md asks for."""
    refusal_body: Callable[[], bytes | Iterable[bytes]] = lambda: b"refused"
    refusal_headers: tuple[tuple[str, str], ...] = ()
    refusal_status: int = 401
    early: bool = False
    """Refuse before the body was read, and close."""
    early_end: Literal["lingers", "resets", "deceives", "silent"] = "lingers"
    """How: reading on until the client closes, or not; saying that the connection is kept, and
    closing it when the next request comes; or without any answer."""
    late_paths: frozenset[str] = frozenset()
    """A refusal of these is held back until there is a living session again."""
    refuse_all: bool = False
    """No session is ever good enough."""

    # How it admits
    rolls: bool = False
    """Each answer gives the cookie a new value, and the value before it dies."""
    expires_in: int | None = None

    # How it logs in
    login_gates: deque[threading.Event] = field(default_factory=deque)
    """Each login takes one from the left and waits for it."""
    login_answers: deque[Answer] = field(default_factory=deque)
    """Each login takes one from the left and gives it instead of a session."""
    login_began: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    living: str | None = None
    ended: dict[str, str | None] = field(default_factory=dict)
    """Why each token that was once good is no more."""
    failures: list[BaseException] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _values: int = 0

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def other_host(self) -> str:
        """The same server under another name: another origin, and another host for cookies."""
        return f"http://localhost:{self.port}"

    @property
    def tokens(self) -> list[str | None]:
        """The token of each request, in the order of their arrival."""
        return [request.token for request in self.requests]

    def seen(self, path: str) -> list[Request]:
        """The requests for this path, in the order of their arrival."""
        return [request for request in self.requests if request.path == path]

    def wait_for(self, path: str, number: int) -> None:
        """Wait until so many requests for this path have arrived."""
        self.wait_until(lambda: len(self.seen(path)) >= number)

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait until requests and logins have brought a state about."""
        with self._changed:
            assert self._changed.wait_for(reached, PATIENCE)

    def kill(self, error: str | None = "session_expired") -> None:
        """End the living session."""
        with self._changed:
            self._end(error)

    def _end(self, error: str | None) -> None:
        if self.living is not None:
            self.ended[self.living] = error
        self.living = None

    def login(self, context: Any) -> Grant:
        """Log in as requests and httpx.Client can: a login to give to a `SessionAuth`."""
        answer = context.http.post(f"{self.url}/login", data={"password": PASSWORD})
        return self.grant(answer)

    def grant(self, answer: Any) -> Grant:
        """Make a grant of what a login was answered."""
        answer.raise_for_status()
        if self.binding == "cookie":
            return Grant(cookies={COOKIE: answer.cookies[COOKIE]})
        return Grant(token=answer.text)

    # What it answers

    def answer(self, request: Request) -> Answer:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        if self.answers is not None:
            return self.answers(request)
        if request.path == "/login":
            return self._log_in()
        route = self.routes.get(request.path)
        return self.protected(request) if route is None else route(request)

    def _log_in(self) -> Answer:
        self.login_began.release()
        if self.login_gates:
            self.login_gates.popleft().wait(PATIENCE)
        if self.login_answers:
            return self.login_answers.popleft()
        with self._changed:
            self._end("session_revoked")
            self.logins += 1
            value = self._renew()
            self._changed.notify_all()
        return Answer(200, self._set_cookie(value), value.encode())

    def _renew(self) -> str:
        self._values += 1
        self.living = f"s3cret-{self._values}"
        return self.living

    def _set_cookie(self, value: str) -> tuple[tuple[str, str], ...]:
        if self.binding != "cookie":
            return ()
        return (("Set-Cookie", f"{COOKIE}={value}; Path=/"),)

    def protected(self, request: Request) -> Answer:
        """Answer with what was sent, or refuse."""
        with self._changed:
            given = request.cookies.get(COOKIE) if self.binding == "cookie" else request.token
            knows = self.binding == "cookie" or request.is_of(self.scheme)
            if knows and given is not None and given == self.living and not self.refuse_all:
                return self._admit(request)
            if request.path in self.late_paths:
                self._changed.wait_for(lambda: self.living is not None, PATIENCE)
        return self.refuse(None if given is None else self.ended.get(given, "session_invalid"))

    def _admit(self, request: Request) -> Answer:
        headers: list[tuple[str, str]] = []
        if self.rolls:
            self._end("session_invalid")
            headers += self._set_cookie(self._renew())
        if self.expires_in is not None:
            headers.append(("Authentication-Info", f"expires_in={self.expires_in}"))
        return Answer(200, tuple(headers), request.body or b"content")

    def refuse(self, error: str | None) -> Answer:
        lines = self.challenges or self._challenge
        fields = tuple(("WWW-Authenticate", line) for line in lines(error))
        return Answer(
            self.refusal_status,
            fields + self.refusal_headers,
            self.refusal_body(),
            close=self.early and self.early_end != "deceives",
        )

    def _challenge(self, error: str | None) -> Iterable[str]:
        reason = "" if error is None else f', error="{error}"'
        yield f'{self.scheme} realm="{self.realm}"{reason}'


def flood() -> Iterator[bytes]:
    """A body that never ends."""
    while True:
        yield b"x" * 8192


def dribble(go_on: threading.Event) -> Callable[[], Iterator[bytes]]:
    """A body of single octets, ten a second, until the event is set."""

    def octets() -> Iterator[bytes]:
        while not go_on.wait(0.1):
            yield b"x"

    return octets


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # As long as any test: a kept connection that this ends is a break that no test has asked for.
    timeout = 60.0
    server: _Threading

    def _do(self) -> None:
        mine = self.server.mine
        early = mine.early and self._is_refused()
        body = b"" if early else self._body()
        request = Request(self.command, self.path, self.headers, body, self.client_address[1])
        answer = mine.answer(request)
        self.close_connection = self.close_connection or early
        if not early or mine.early_end != "silent":
            self._send(answer)
        if early and mine.early_end == "lingers":
            self._linger()
        elif early and mine.early_end == "deceives":
            self._body()
            self.rfile.readline()

    def _is_refused(self) -> bool:
        mine = self.server.mine
        open_to_all = self.path in {"/login", *mine.routes}
        given = Request(self.command, self.path, self.headers, b"", 0)
        return not open_to_all and (mine.living is None or given.token != mine.living)

    def _linger(self) -> None:
        """Close as servers do: what still arrives is thrown away, or it would reset the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        while self.rfile.read1():
            pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _do  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self._line(), 16):
            body += self._exactly(size)
            self._line()
        self._line()
        return bytes(body)

    def _exactly(self, size: int) -> bytes:
        octets = self.rfile.read(size)
        if len(octets) < size:
            raise ConnectionAbortedError("the client broke off in the middle of a body")
        return octets

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionAbortedError("the client broke off in the middle of a body")
        return line

    def _send(self, answer: Answer) -> None:
        whole = answer.body if isinstance(answer.body, bytes) else None
        length = ("Transfer-Encoding", "chunked")
        if whole is not None:
            length = ("Content-Length", str(len(whole)))
        connection = (("Connection", "close"),) if answer.close else ()
        reason = HTTPStatus(answer.status).phrase if answer.status in _STATUSES else "Other"
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in (*answer.headers, length, *connection)]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.close_connection = answer.close or self.close_connection
        if self.command == "HEAD":
            self.wfile.write(head)
        elif whole is not None:
            self.wfile.write(head + whole)
        else:
            self._send_chunks(head, answer.body)

    def _send_chunks(self, head: bytes, chunks: Iterable[bytes] | bytes) -> None:
        self.wfile.write(head)
        for chunk in chunks:
            assert isinstance(chunk, bytes)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - its name up there
        pass


_STATUSES = frozenset(HTTPStatus)


class _Threading(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, mine: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mine = mine

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exception()
        # A client may go at any time: that is what some tests are about.
        if error is not None and not isinstance(error, OSError):
            self.mine.failures.append(error)


@contextmanager
def serve(server: Server | None = None, tls: SSLContext | None = None) -> Generator[Server]:
    """Run a server of one's own; an error in it is raised at the end."""
    mine = Server() if server is None else server
    with _Threading(mine) as running:
        mine.url = f"http://127.0.0.1:{running.server_port}"
        if tls is not None:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
            mine.url = f"https://127.0.0.1:{running.server_port}"
        with in_thread(running):
            yield mine
    if mine.failures:
        raise mine.failures[0]
