"""A Redis server of a test's own, on a socket in a folder, that can be stopped and started."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["RedisServer", "a_redis_server"]


class RedisServer:
    """Nothing in it outlives a stop, unless it is told to save."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = [
            *("redis-server", "--port", "0", "--unixsocket", str(self.socket)),
            *("--save", "", "--dir", str(folder), *options),
        ]
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + 20
        while not self._answers():
            assert self._running.poll() is None, "redis-server did not start"
            assert time.monotonic() < give_up, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(1)
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(5) in {b"+PONG", b"-NOAU"}
        return False

    def stop(self) -> None:
        """Kill it, as a machine dies."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(20)
            self._running = None


@contextlib.contextmanager
def a_redis_server(*options: str) -> Iterator[RedisServer]:
    """Run a server; its folder is a short one, because the name of a socket must be."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
