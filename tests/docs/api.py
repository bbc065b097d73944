"""The server that `https://api.example.com` stands for in the documentation.

`POST /login` gives anybody an access token; everything else needs a living session and answers
with JSON. `POST /expire` ends every session, so that a page can show what happens then.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from relogin.cli.loopback import Loopback
from relogin.server.gate import Refused
from relogin.server.wsgi import SessionGate

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class Api:
    """Orders behind a gate; sessions live until `POST /expire`."""

    def __init__(self) -> None:
        self._living: dict[str, bool] = {}

    def verify(self, token: str) -> str:
        if token not in self._living:
            raise Refused("session_invalid")
        if not self._living[token]:
            raise Refused("session_expired")
        return "ada"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        content: dict[str, Any] = {"orders": ["tea", "ink"]}
        if environ["PATH_INFO"] == "/login":
            token = secrets.token_urlsafe()
            self._living[token] = True
            content = {"access_token": token}
        if environ["PATH_INFO"] == "/expire":
            self._living = dict.fromkeys(self._living, False)
        # wsgiref closes the connection; an unread body would turn that into a reset.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(content).encode()]


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """Serve any WSGI application on loopback, and say at which origin."""
    with Loopback(app) as server:
        yield server.url


@contextmanager
def serve() -> Iterator[str]:
    """Serve the documentation's API, and say at which origin."""
    api = Api()
    gate = SessionGate(api, api.verify, realm="orders", public=["/login", "/expire"])
    with serving(gate) as origin:
        yield origin
