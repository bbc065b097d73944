"""Where a login runs: a request made inside one is neither signed nor renewed for.

The mark is a context variable, so it follows threads and tasks rightly, and it names the renewal:
a task that the login started and left behind is a stranger again once that renewal has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reauth.client.book import Book, Flight, Status

__all__ = ["inside", "logging_in"]

_running: ContextVar[tuple[tuple[Book, Flight], ...]] = ContextVar("reauth_logins", default=())


@contextmanager
def logging_in(book: Book, flight: Flight) -> Iterator[None]:
    """Mark what runs in this block as the login of this renewal."""
    token = _running.set((*_running.get(), (book, flight)))
    try:
        yield
    finally:
        _running.reset(token)


def inside(book: Book) -> bool:
    """Tell whether the caller runs inside a login that this book waits for."""
    return any(b is book and flight.status is Status.RUNNING for b, flight in _running.get())
