"""The connections that a store keeps open between two uses, for whichever thread comes next."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Generic, TypeVar
from weakref import finalize

__all__ = ["Idle"]

T = TypeVar("T")


class Idle(Generic[T]):
    """Keeps idle connections until it is closed; no thread ever waits for a lock of it.

    A connection that is in use when this is closed is closed as soon as it is given back: no other
    thread can close it safely. They all belong to one process: a child of a fork must neither use
    nor close them.
    """

    def __init__(self, close: Callable[[T], None], most: float = inf) -> None:
        self.pid: int = os.getpid()
        self.connections: deque[T] = deque()
        self._most = most
        self._close = close
        self._is_closed = False
        finalize(self, _close_all, self.connections, self.pid, close)

    @property
    def is_inherited(self) -> bool:
        """Whether the connections belong to the parent of this process."""
        return self.pid != os.getpid()

    def take(self, connect: Callable[[], T]) -> T:
        """Take the connection that was used last, or make one if none is idle."""
        try:
            return self.connections.pop()
        except IndexError:  # asked first, another thread could take the last one in between
            return connect()

    @contextmanager
    def lend(self, connection: T) -> Iterator[T]:
        """Take a connection back after this block; close it if the block fails."""
        try:
            yield connection
        except BaseException:  # an interrupt leaves a statement or a transaction open too
            self._close(connection)
            raise
        self.give_back(connection)

    def give_back(self, connection: T) -> None:
        """Keep a connection, unless there are enough or the store was closed meanwhile."""
        if len(self.connections) >= self._most:
            self._close(connection)
            return
        self.connections.append(connection)
        if self._is_closed:  # only now: `close` may have run since the line before
            self.close()

    def close(self) -> None:
        """Close what is idle now, and later what is still in use."""
        self._is_closed = True
        _close_all(self.connections, self.pid, self._close)


# The connections of parents. They are kept, because collecting one would close it.
_inherited: list[deque[object]] = []


def _close_all(connections: deque[T], pid: int, close: Callable[[T], None]) -> None:
    if pid != os.getpid():
        _inherited.append(connections)  # type: ignore[arg-type]  # nobody puts anything in
        return
    while True:
        try:
            connection = connections.pop()
        except IndexError:  # asked first, another thread could take the last one in between
            return
        close(connection)
