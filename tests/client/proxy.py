"""A proxy on loopback that makes tunnels (RFC 9110 §9.3.6), or asks for a password first."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from tests.threads import in_thread

__all__ = ["Proxy", "proxying"]

ASKS = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Session realm="api", error="session_expired"\r\n'
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


@dataclass
class Proxy:
    """What it was asked for, in the clear, and the ports that its tunnels come out of.

    `asks` makes it ask for a password instead.
    """

    url: str
    asks: bool = False
    heads: list[str] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)


class _Handler(StreamRequestHandler):
    server: _Server
    timeout = 10

    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        proxy = self.server.proxy
        proxy.heads.append(head.decode())
        if proxy.asks:
            self.wfile.write(ASKS)
            return
        method, target, _ = head.split(maxsplit=2)
        assert method == b"CONNECT"
        host, _, port = target.decode().rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as there:
            proxy.ports.add(there.getsockname()[1])
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_carry, args=(there, self.connection), daemon=True)
            back.start()
            _carry(self.connection, there)
            back.join(10)


def _carry(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while octets := here.recv(65536):
            there.sendall(octets)
    with suppress(OSError):
        there.shutdown(socket.SHUT_WR)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy


@contextmanager
def proxying() -> Generator[Proxy]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        with in_thread(server):
            yield server.proxy
