"""`relogin demo --browser`: a page whose session dies, and whose script goes on.

The page and its script are beside this file, in `browser/`. The server is a plain WSGI
application on the standard library's server, behind a gate that reads the session from a cookie.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from relogin.cli.demo_server import PASSWORD
from relogin.cli.loopback import Loopback, answer
from relogin.cli.terminal import show
from relogin.server.gate import Refused
from relogin.server.wsgi import SessionGate

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

IDLE = 15 * 60  # seconds, of the demo's own clock

OPENING = """\
relogin demo: a session dies in a browser.

Open {url} and press "Let 15 minutes pass". Press Ctrl-C to end the demo.
"""

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    **{f"/{name}": (name, "text/javascript; charset=utf-8") for name in ("renew.js", "strict.js")},
}


def run() -> int:
    """Serve the page until the user presses Ctrl-C."""
    with BrowserDemo() as demo, suppress(KeyboardInterrupt):
        show(OPENING.format(url=demo.url))
        demo.wait()
    return 0


@dataclass(slots=True)
class _Session:
    user: str
    seen: float
    signed_out: bool = False


class BrowserDemo(Loopback):
    """Serves the page and what it calls while entered."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._skipped = 0.0
        gate = SessionGate(
            self._serve,
            self._verify,
            realm="demo",
            public=[*_FILES, "/login", "/demo/*"],
            cookie="sid",
        )
        super().__init__(gate)

    def _now(self) -> float:
        return time.monotonic() + self._skipped

    def _verify(self, token: str) -> str | None:
        session = self._sessions.get(token)
        if session is None:
            return None
        if session.signed_out:
            raise Refused("session_revoked", "Signed out on another device")
        if self._now() - session.seen >= IDLE:
            raise Refused("session_expired", "Idle for 15 minutes")
        session.seen = self._now()
        return session.user

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in _FILES:
            name, content_type = _FILES[path]
            start_response("200 OK", [("Content-Type", content_type)])
            return [files("relogin.cli").joinpath("browser", name).read_bytes()]
        if path == "/login":
            return self._log_in(environ, start_response)
        if path == "/demo/fifteen-minutes":
            self._skipped += IDLE
        if path == "/demo/elsewhere":
            for session in self._sessions.values():
                session.signed_out = True
        return answer(start_response, "200 OK", {"user": environ["relogin.session"]})

    def _log_in(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        account = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if account["password"] != PASSWORD:
            return answer(start_response, "403 Forbidden", {"error": "wrong password"})
        token = secrets.token_urlsafe(24)
        self._sessions[token] = _Session(account["user"], self._now())
        # No Max-Age: the cookie outlives the session, or nobody could be told that it expired.
        cookie = f"sid={token}; Path=/; HttpOnly; SameSite=Strict"
        return answer(start_response, "200 OK", {"user": account["user"]}, ("Set-Cookie", cookie))
