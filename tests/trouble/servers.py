"""The servers that a fleet calls: gunicorn, uvicorn, and gunicorn behind nginx.

Each has an account of its own, and a proxy before it that breaks connections.
"""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.programs import free_port, running
from tests.trouble.explained import HALF_REFUSAL
from tests.trouble.proxy import BreakingProxy, breaking_proxy
from tests.uploads.programs import via

__all__ = ["SERVERS", "Server", "servers"]

_GUNICORN = (
    *("gunicorn", "--worker-class", "gthread", "--threads", "24", "--keep-alive", "30"),
    *("--no-control-socket", "--log-level", "error", "tests.trouble.application:wsgi"),
)
_UVICORN = (
    *("uvicorn", "--lifespan", "off", "--no-access-log", "--log-level", "error"),
    *("--timeout-keep-alive", "30", "tests.trouble.application:asgi"),
)
SERVERS = ("gunicorn", "uvicorn", "nginx")


@dataclass
class Server:
    """Where callers find it, through the proxy, and where faults find it."""

    name: str
    url: str
    proxy: BreakingProxy
    _direct: str

    def death(self) -> None:
        """End every session."""
        urllib.request.urlopen(f"{self._direct}/_kill", timeout=30).close()

    def calm(self) -> None:
        """Do nothing wrong from now on."""
        self.proxy.calm = True
        urllib.request.urlopen(f"{self._direct}/_calm", timeout=30).close()

    def note_half_refusals(self, folder: Path) -> None:
        """Add to the log what only the proxy knows."""
        with (folder / "server.jsonl").open("a") as notes:
            for at in self.proxy.half_refusals:
                line = {"server": self.name, "at": at, "what": HALF_REFUSAL}
                notes.write(json.dumps(line) + "\n")


@contextmanager
def servers(names: tuple[str, ...], folder: Path, seed: int) -> Iterator[list[Server]]:
    """Run these, and another origin, which they redirect to."""
    with contextlib.ExitStack() as opened:
        stranger = opened.enter_context(_stranger(folder))
        yield [
            opened.enter_context(_server(name, folder, seed + number, stranger))
            for number, name in enumerate(names)
        ]


@contextmanager
def _server(name: str, folder: Path, seed: int, stranger: int) -> Iterator[Server]:
    port = free_port()
    facts = {
        "TROUBLE_NAME": name,
        "TROUBLE_LOG": str(folder / "server.jsonl"),
        "TROUBLE_SEED": str(seed),
        "TROUBLE_FOREIGN": f"http://127.0.0.1:{stranger}",
    }
    at = ["--port", str(port)] if name == "uvicorn" else ["--bind", f"127.0.0.1:{port}"]
    command = [*(_UVICORN if name == "uvicorn" else _GUNICORN), *at]
    with contextlib.ExitStack() as opened:
        opened.enter_context(running(command, port, folder / f"{name}-application.log", **facts))
        front = port
        if name == "nginx":
            front = opened.enter_context(via("nginx", port, folder, tls=False))
        proxy = opened.enter_context(breaking_proxy(front, seed))
        yield Server(name, f"http://127.0.0.1:{proxy.port}", proxy, f"http://127.0.0.1:{port}")


class _Stranger(BaseHTTPRequestHandler):
    """Another origin, that requests are redirected to: it notes what should not have come."""

    protocol_version = "HTTP/1.1"

    def __init__(self, log: Path, *rest: Any) -> None:
        self._notes = log
        super().__init__(*rest)

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = f"{self.path}{self.headers}{body!r}"
        secret = any(f"{name}-" in said for name in SERVERS) or "pa55word" in said
        secret |= "Authorization" in self.headers or "Cookie" in self.headers
        with self._notes.open("a") as notes:
            notes.write(json.dumps({"path": self.path, "credentials": secret}) + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a caller was killed
            super().handle()

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - as http.server has it

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


@contextmanager
def _stranger(folder: Path) -> Iterator[int]:
    handler = partial(_Stranger, folder / "stranger.jsonl")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
