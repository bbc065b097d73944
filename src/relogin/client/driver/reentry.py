"""Where a login runs: a request made inside one is neither signed nor renewed for.

The mark is a context variable, so it follows threads and tasks rightly, and it names the call: a
task that the login started and left behind is a stranger again once that call has returned, and
what an abandoned login still does in its thread is inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from relogin.client.renewal.cache import CredentialCache

__all__ = ["inside", "logging_in"]


@dataclass(eq=False, slots=True)
class _Call:
    cache: CredentialCache
    running: bool = True


_calls: ContextVar[tuple[_Call, ...]] = ContextVar("relogin_logins", default=())


@contextmanager
def logging_in(cache: CredentialCache) -> Iterator[None]:
    """Mark what runs in this block as a login that this cache waits for."""
    call = _Call(cache)
    token = _calls.set((*_calls.get(), call))
    try:
        yield
    finally:
        call.running = False
        _calls.reset(token)


def inside(cache: CredentialCache) -> bool:
    """Tell whether the caller runs inside a login that this cache waits for."""
    calls = _calls.get()
    return bool(calls) and any(call.cache is cache and call.running for call in calls)
