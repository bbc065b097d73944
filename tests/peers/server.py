"""A server whose logins kill the session before, and which counts what its clients do."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["Site", "Visit", "served"]

LOGIN_SECONDS = 0.2
_deaths = itertools.count()


@dataclass(frozen=True)
class Visit:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """What one server knows: its living token, its logins, its visits."""

    scheme: str = "Bearer"
    url: str = ""
    logins: int = 0
    living: str = ""
    elsewhere: str = ""
    late: float = 0.0
    login_status: int = 200
    refresh_living: str = "r0"
    expires_in: float = 3600.0
    visits: list[Visit] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def kill(self) -> None:
        """End the session, as a timeout would."""
        self.living = f"dead-{next(_deaths)}"

    def log_in(self) -> str:
        """Begin a session, which ends the one before it."""
        with self.lock:
            self.logins += 1
            self.living = f"token-{self.logins}"
            return self.living

    def served(self, path: str) -> list[Visit]:
        """The visits to one path."""
        return [visit for visit in self.visits if visit.path.startswith(path)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    site: Site

    def handle_any(self) -> None:
        body = self._body()
        self.site.visits.append(Visit(self.command, self.path, dict(self.headers.items()), body))
        path = urlsplit(self.path).path
        if path == "/login":
            self._log_in(body)
        elif path == "/elsewhere":
            self._answer(307, b"", {"Location": self.site.elsewhere})
        elif path == "/foreign":
            self._refuse()
        elif self._alive():
            self._answer(200, str(len(body)).encode())
        else:
            self._refuse()

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - http.server calls them so

    def _alive(self) -> bool:
        sent = self.headers.get("Authorization", "")
        if self.site.scheme == "Digest":
            return f'nonce="{self.site.living}"' in sent
        return bool(sent) and sent.rpartition(" ")[2].removeprefix("token=").strip('"') == (
            self.site.living
        )

    def _log_in(self, body: bytes) -> None:
        time.sleep(LOGIN_SECONDS)
        if self.site.login_status != 200:
            self._answer(self.site.login_status, b"{}")
            return
        form = parse_qs(body.decode(errors="replace"))
        if "refresh_token" in form and not self._rotates(form["refresh_token"][0]):
            self._answer(400, b'{"error": "invalid_grant"}', {"Content-Type": "application/json"})
            return
        grant: dict[str, Any] = {"access_token": self.site.log_in(), "token_type": "Bearer"}
        grant |= {"expires_in": self.site.expires_in, "refresh_token": self.site.refresh_living}
        self._answer(200, json.dumps(grant).encode(), {"Content-Type": "application/json"})

    def _rotates(self, refresh: str) -> bool:
        with self.site.lock:
            if refresh != self.site.refresh_living:
                return False
            self.site.refresh_living = f"r{int(refresh[1:]) + 1}"
            return True

    def _refuse(self) -> None:
        challenge = f'{self.site.scheme} realm="peers"'
        if self.site.scheme == "Digest":
            challenge += f', nonce="{self.site.living}", qop="auth"'
        elif "Authorization" in self.headers:
            challenge += f', error="{_EXPIRED[self.site.scheme]}"'
        if self.site.late and len(self.site.visits) % 2:
            time.sleep(self.site.late)
        self._answer(401, b"refused", {"WWW-Authenticate": challenge})

    def _answer(self, status: int, body: bytes, fields: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server calls it so
        """Stay silent."""


_EXPIRED = {"Session": "session_expired", "Bearer": "invalid_token"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is one of the things measured."""


@contextmanager
def served(scheme: str, host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve a site on a free loopback port."""
    site = Site(scheme=scheme)
    server = _Server((host, 0), type("Handler", (_Handler,), {"site": site}))
    site.url = f"http://{host}:{server.server_address[1]}"
    site.log_in()
    site.logins = 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
