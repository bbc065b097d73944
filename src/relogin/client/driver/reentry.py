"""Marks what runs inside a login: its requests are not signed, and cause no login.

The mark is a context variable, so threads and tasks inherit it, and it names the call. A task that
the login left behind is no longer inside once that call has returned. An abandoned login that still
runs in its thread is inside.
"""

from __future__ import annotations

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential
from relogin.client.terms.origins import sent_to
from relogin.client.terms.progress import CALLS, Progress

__all__ = ["ending", "inside", "logging_in"]


class logging_in:  # noqa: N801 - used as a function
    """Mark this block as a login that this cache waits for, or as a logout."""

    __slots__ = ("_token", "cache", "ending", "progress", "running")

    def __init__(
        self,
        cache: CredentialCache,
        ending: Credential | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.cache: CredentialCache = cache
        self.ending: Credential | None = ending
        self.progress: Progress | None = progress
        self.running: bool = True

    def __enter__(self) -> None:
        self._token = CALLS.set((*CALLS.get(), self))

    def __exit__(self, *_: object) -> None:
        self.running = False
        CALLS.reset(self._token)


def inside(cache: CredentialCache) -> bool:
    """Tell whether the caller runs inside a login that this cache waits for."""
    calls = CALLS.get()
    return bool(calls) and any(call.cache is cache and call.running for call in calls)


def ending(cache: CredentialCache, url: str) -> Credential | None:
    """Return the session that a logout of this cache is ending, for a request to its origin."""
    calls = (call for call in reversed(CALLS.get()) if call.cache is cache and call.running)
    found = next((call.ending for call in calls), None)
    return found if found is not None and sent_to(url) == found.key.origin else None
