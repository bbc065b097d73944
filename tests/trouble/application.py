"""What the fleet calls: an application with one account, in a gunicorn process of its own.

    TROUBLE_LOG=server.jsonl gunicorn -k gthread tests.trouble.application:application

Each request has a number, and the log says which numbers were applied and with which body. Refresh
tokens are good for one use. `/_kill` ends every session; the proxy does not let it through.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

__all__ = ["application"]

_EXPIRED = 'Session realm="orders", error="session_expired"'


class _State:
    """Sessions that live, and a log that is written line by line."""

    def __init__(self, log: str, seed: int) -> None:
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.living: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.used: set[str] = set()
        self.faults = True
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, **said: Any) -> None:
        os.write(self._log, json.dumps(said).encode() + b"\n")

    def chance(self, one_in: int) -> bool:
        with self.lock:
            return self.faults and self.random.randrange(one_in) == 0


_state = _State(os.environ.get("TROUBLE_LOG", os.devnull), int(os.environ.get("TROUBLE_SEED", "0")))
_foreign = os.environ.get("TROUBLE_FOREIGN", "")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request, after its whole body has been read."""
    body, path = environ["wsgi.input"].read(), environ["PATH_INFO"]
    if path == "/token":
        status, fields, answer = _log_in(parse_qs(body.decode()))
    elif path.startswith("/_"):
        status, fields, answer = _control(path)
    else:
        status, fields, answer = _serve(environ, path, body)
    length = ("Content-Length", str(len(answer)))
    start_response(status, [length, ("Cache-Control", "no-store"), *fields])
    return [answer]


Answer = tuple[str, list[tuple[str, str]], bytes]


def _serve(environ: dict[str, Any], path: str, body: bytes) -> Answer:
    where, _, number = path[1:].partition("/")
    if where == "away":
        return "302 Found", [("Location", f"{_foreign}/orders/{number}")], b""
    token = environ.get("HTTP_AUTHORIZATION", "").partition('token="')[2].rstrip('"')
    if token not in _state.living:
        if _state.chance(5):
            time.sleep(0.3)  # a refusal that arrives when there is a newer session
        challenge = _EXPIRED if token else 'Session realm="orders"'
        head = environ["REQUEST_METHOD"] == "HEAD"
        fields = [("WWW-Authenticate", challenge)]
        return "401 Unauthorized", fields, b"" if head else b"refused"
    if environ["REQUEST_METHOD"] == "HEAD":  # a client asks whether its session lives
        return "200 OK", [], b""
    digest = hashlib.sha256(body).hexdigest()
    _state.note(what="applied", number=number, digest=digest)
    return "200 OK", [], digest.encode()


def _log_in(form: dict[str, list[str]]) -> Answer:
    if _state.chance(8):
        time.sleep(0.8)
    if _state.chance(12):
        return "503 Service Unavailable", [("Retry-After", "0")], b""
    refresh = form.get("refresh_token", [""])[0]
    with _state.lock:
        if refresh in _state.used:
            _state.note(what="refresh token used twice")
        if refresh and refresh not in _state.refresh_tokens:
            return "400 Bad Request", [], b"invalid_grant"
        _state.refresh_tokens.discard(refresh)
        _state.used |= {refresh} - {""}
        token, following = secrets.token_hex(8), secrets.token_hex(8)
        _state.living.add(token)
        _state.refresh_tokens.add(following)
    _state.note(what="login")
    return "200 OK", [], f"{token} {following}".encode()


def _control(path: str) -> Answer:
    if path == "/_kill":
        with _state.lock:
            _state.living.clear()
        _state.note(what="death")
    elif path == "/_calm":
        _state.faults = False
    return "200 OK", [], b""
