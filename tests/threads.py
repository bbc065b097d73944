"""A server that a test runs in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import Protocol

__all__ = ["in_thread"]


class _Server(Protocol):
    def serve_forever(self) -> None: ...

    def shutdown(self) -> None: ...


@contextmanager
def in_thread(server: _Server) -> Iterator[None]:
    """Serve until the end of the block; whoever opened the server closes it."""
    # By default, `shutdown` of a server of the standard library waits half a second.
    options = {"poll_interval": 0.01} if isinstance(server, BaseServer) else {}
    thread = threading.Thread(target=server.serve_forever, kwargs=options)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
