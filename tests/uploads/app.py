"""The application that is uploaded to, behind the gate, under WSGI and under ASGI.

It is loaded by the servers themselves, each in one process. `GET /log` tells what was applied.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import relogin
import relogin.server.asgi
import relogin.server.wsgi

_MIB = 1024 * 1024
_PIECE = 64 * 1024


class Site:
    """One principal's session, and what was applied under it."""

    def __init__(self) -> None:
        self.living = ""
        self.logins = 0
        self.uploads: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self._numbers = itertools.count(1)

    def verify(self, token: str) -> str:
        if token != self.living:
            raise relogin.Refused("session_expired")
        return "ada"

    def log_in(self) -> str:
        with self.lock:
            self.logins += 1
            self.living = f"token-{next(self._numbers)}"
            return self.living

    def apply(self, path: str, length: int, digest: str) -> str:
        with self.lock:
            self.uploads.append({"path": path, "length": length, "sha256": digest})
        return digest

    def kill(self) -> str:
        self.living = ""
        return "killed"

    def log(self) -> str:
        """Return what happened since the last time, and start counting from zero."""
        peak = resource.getrusage(resource.RUSAGE_SELF)
        with self.lock:
            told = {
                "logins": self.logins,
                "uploads": self.uploads,
                "peak_kib": peak.ru_maxrss,
                "cpu": peak.ru_utime + peak.ru_stime,
            }
            self.logins, self.uploads = 0, []
        return json.dumps(told)

    def answer(self, method: str, path: str, length: int, digest: str) -> str:
        """Answer a request that was read to its end."""
        if path == "/login":
            return self.log_in()
        if path == "/kill":
            return self.kill()
        if path == "/log":
            return self.log()
        if path.startswith("/upload/") and method != "HEAD":
            return self.apply(path, length, digest)
        return "alive"


site = Site()
_gate: dict[str, Any] = {
    "realm": "uploads",
    "public": ["/login", "/kill", "/log"],
    "drain": (256 * _MIB, 60.0) if os.environ.get("UPLOADS_DRAIN", "1") == "1" else 0,
}


def _wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    digest, length = hashlib.sha256(), 0
    stated = environ.get("CONTENT_LENGTH")
    ends = bool(stated) or bool(environ.get("wsgi.input_terminated"))
    left = int(stated) if stated else 1 << 62
    while ends and left and (piece := environ["wsgi.input"].read(min(_PIECE, left))):
        digest.update(piece)
        length, left = length + len(piece), left - len(piece)
    if stated and left:
        start_response("400 Bad Request", [("Content-Length", "0")])
        return [b""]
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    said = site.answer(method, path, length, digest.hexdigest()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [] if method == "HEAD" else [said]


Message = MutableMapping[str, Any]


async def _asgi(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    digest, length, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        digest.update(message.get("body", b""))
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    if length != int(dict(scope["headers"]).get(b"content-length", length)):
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body"})
        return
    said = site.answer(scope["method"], scope["path"], length, digest.hexdigest()).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else said
    await send({"type": "http.response.body", "body": body})


wsgi = relogin.server.wsgi.SessionGate(_wsgi, site.verify, **_gate)
asgi = relogin.server.asgi.SessionGate(_asgi, site.verify, **_gate)
