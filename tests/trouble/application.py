"""What the fleet calls: an application with one account, in a server's process of its own.

    TROUBLE_LOG=server.jsonl gunicorn -k gthread tests.trouble.application:wsgi
    TROUBLE_LOG=server.jsonl uvicorn tests.trouble.application:asgi

Each request has a number, and the log says which numbers were applied and with which body. Refresh
tokens are good for one use. `/_kill` ends every session; the proxy does not let it through.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

__all__ = ["asgi", "wsgi"]

_NAME = os.environ.get("TROUBLE_NAME", "")
_FOREIGN = os.environ.get("TROUBLE_FOREIGN", "")
_EXPIRED = 'Session realm="orders", error="session_expired"'
# In seconds: longer than a caller waits for a login, so that its answer is lost.
_TOO_LONG = 2.5
# In octets: an answer that is long can be cut short.
_PADDING = 20_000

Answer = tuple[int, list[tuple[str, str]], bytes]


class _State:
    """Sessions that live, and a log that is written line by line."""

    def __init__(self, log: str, seed: int) -> None:
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.living: dict[str, float] = {}  # and when each ends
        self.refresh_tokens: set[str] = set()
        self.used: set[str] = set()
        self.faults = True
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, **said: Any) -> None:
        line = {"server": _NAME, "at": time.monotonic()} | said
        os.write(self._log, json.dumps(line).encode() + b"\n")

    def chance(self, one_in: int) -> bool:
        with self.lock:
            return self.faults and self.random.randrange(one_in) == 0

    def accepts(self, token: str) -> bool:
        with self.lock:
            end = self.living.get(token)
            if end is not None and end < time.monotonic():
                self.end({token: end}, expired=True)
                return False
            return end is not None

    def end(self, sessions: Iterable[str], *, expired: bool = False) -> None:
        """End sessions, and note which of them were alive; under the lock."""
        for token in list(sessions):
            del self.living[token]
        self.note(what="death", expired=expired)


_state = _State(os.environ.get("TROUBLE_LOG", os.devnull), int(os.environ.get("TROUBLE_SEED", "0")))


def _respond(method: str, path: str, authorization: str, body: bytes) -> Answer:
    """Answer one request, after its whole body has been read."""
    if path == "/token":
        status, fields, content = _log_in(parse_qs(body.decode()))
    elif path.startswith("/_"):
        status, fields, content = _control(path)
    else:
        status, fields, content = _serve(method, path, authorization, body)
    length = ("Content-Length", str(len(content)))
    return status, [length, ("Cache-Control", "no-store"), *fields], content


def _serve(method: str, path: str, authorization: str, body: bytes) -> Answer:
    where, _, number = path[1:].partition("/")
    if where == "away":
        return 302, [("Location", f"{_FOREIGN}/orders/{number}")], b""
    token = authorization.partition('token="')[2].rstrip('"')
    _check_is_own(token)
    if not _state.accepts(token):
        if _state.chance(5):
            time.sleep(0.3)  # a refusal that arrives when there is a newer session
        challenge = _EXPIRED if token else 'Session realm="orders"'
        return 401, [("WWW-Authenticate", challenge)], b"" if method == "HEAD" else b"refused"
    if method == "HEAD":  # a client asks whether its session lives
        return 200, [], b""
    digest = hashlib.sha256(number.encode() + body).hexdigest()  # no two are the same
    _state.note(what="applied", number=number, digest=digest)
    return 200, [], digest.encode() + b"." * (_PADDING if _state.chance(4) else 0)


def _check_is_own(token: str) -> None:
    if token and not token.startswith(_NAME):
        _state.note(what="credential of another server", number=token)


def _log_in(form: dict[str, list[str]]) -> Answer:
    if _state.chance(10):
        time.sleep(0.8)
    if _state.chance(12):
        return 503, [("Retry-After", "0")], b""
    if _state.chance(20):
        time.sleep(_TOO_LONG)  # it acts when nobody waits for it any more
    answer = _act(form)
    if _state.chance(20):
        time.sleep(_TOO_LONG)  # it has acted, and its answer is lost
    return answer


def _act(form: dict[str, list[str]]) -> Answer:
    refresh = form.get("refresh_token", [""])[0]
    _check_is_own(refresh)
    lifetime = 8.0 if _state.chance(4) else 0.0
    alone = _state.chance(4)  # this login ends the sessions before it
    with _state.lock:
        if refresh in _state.used:
            _state.note(what="refresh token used twice", token=refresh)
        if refresh and refresh not in _state.refresh_tokens:
            return 400, [], b"invalid_grant"
        _state.refresh_tokens.discard(refresh)
        _state.used |= {refresh} - {""}
        token, following = (f"{_NAME}-{secrets.token_hex(8)}" for _ in range(2))
        if alone and _state.living:
            _state.end(_state.living)
        _state.living[token] = time.monotonic() + lifetime if lifetime else float("inf")
        _state.refresh_tokens.add(following)
        _state.note(what="login", session=token, lifetime=lifetime)
    return 200, [], f"{token} {following} {lifetime:g}".encode()


def _control(path: str) -> Answer:
    if path == "/_kill":
        with _state.lock:
            if _state.living:
                _state.end(_state.living)
    elif path == "/_calm":
        _state.faults = False
    return 200, [], b""


# The two doors


_REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized"}


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve gunicorn."""
    body = environ["wsgi.input"].read()
    if len(body) < int(environ.get("CONTENT_LENGTH") or 0):
        # gunicorn hands on what came of a body whose sender is gone: nothing is applied.
        start_response("400 Bad Request", [])
        return []
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    status, fields, content = _respond(
        environ["REQUEST_METHOD"], environ["PATH_INFO"], authorization, body
    )
    start_response(f"{status} {_REASONS.get(status, 'Service Unavailable')}", fields)
    return [content]


_threads = ThreadPoolExecutor(48)


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Serve uvicorn."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # the body is not whole: nothing is applied
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
    status, fields, content = await asyncio.get_running_loop().run_in_executor(
        _threads, _respond, scope["method"], scope["path"], authorization, body
    )
    headers = [(name.lower().encode(), value.encode()) for name, value in fields]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
