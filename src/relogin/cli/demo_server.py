"""The server of the demo: real sockets, sessions that live two seconds, and a record of what came.

It is a plain WSGI application on the standard library's server. The only line that is about
sessions and challenges is the `SessionGate` in `DemoServer.__init__`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from relogin.cli.loopback import Loopback, answer
from relogin.server.gate import Refused
from relogin.server.wsgi import SessionGate

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOGIN_SECONDS = 0.2  # like a real login; long enough for every thread to meet the dead session
USER = "ada"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, as they crossed the wire."""

    method: str
    path: str
    authorization: str
    status: int
    challenge: str


class Sessions:
    """Sessions that die after `lifetime` seconds, whatever they are used for."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self._ends: dict[str, float] = {}

    def start(self) -> str:
        """Begin a session, and return its token."""
        token = secrets.token_urlsafe(24)
        self._ends[token] = time.monotonic() + self.lifetime
        return token

    def verify(self, token: str) -> str:
        """Say whose session this is, as a verifier of `SessionGate` does."""
        if token not in self._ends:
            raise Refused("session_invalid")
        if self._ends[token] <= time.monotonic():
            raise Refused("session_expired")
        return USER


class DemoServer(Loopback):
    """Serves `/login` and `/orders` while entered."""

    def __init__(self, lifetime: float) -> None:
        self._sessions = Sessions(lifetime)
        self._record: list[Exchange] = []
        self._recording = Lock()
        gate = SessionGate(self._serve, self._sessions.verify, realm="orders", public=["/login"])
        super().__init__(self._recorded(gate))

    def exchanges(self) -> list[Exchange]:
        """Return what was recorded since the last call, in the order of the responses."""
        with self._recording:
            record, self._record = self._record, []
        return record

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/login":
            return answer(start_response, "200 OK", {"orders": ["tea", "ink"]})
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if json.loads(sent) != {"user": USER, "password": PASSWORD}:
            return answer(start_response, "403 Forbidden", {"error": "wrong password"})
        time.sleep(LOGIN_SECONDS)
        return answer(start_response, "200 OK", {"access_token": self._sessions.start()})

    def _recorded(self, application: WSGIApplication) -> WSGIApplication:
        def recorded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                fields = {name.lower(): value for name, value in headers}
                exchange = Exchange(
                    environ["REQUEST_METHOD"],
                    environ["PATH_INFO"],
                    environ.get("HTTP_AUTHORIZATION", ""),
                    int(status[:3]),
                    fields.get("www-authenticate", ""),
                )
                with self._recording:
                    self._record.append(exchange)
                return start_response(status, headers, *more)

            return application(environ, start)

        return recorded
