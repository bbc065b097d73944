"""Threads of a test: a server in one, and many that begin at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from socketserver import BaseServer
from typing import Protocol, TypeVar

__all__ = ["in_thread", "in_threads", "until"]

T = TypeVar("T")


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


def in_threads(number: int, do: Callable[[int], T]) -> list[T]:
    """Call `do` in so many threads that all begin at the same moment."""
    begin = threading.Barrier(number)

    def one(index: int) -> T:
        begin.wait(10)
        return do(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread or process brings about."""
    give_up = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.01)
