"""A store in memory, for several objects of one process."""

from __future__ import annotations

import os
import threading
import time
from typing import Any
from weakref import WeakSet

from relogin.client.stores import Entry, Snapshot

__all__ = ["MemoryStore"]

_stores: WeakSet[MemoryStore] = WeakSet()
_noticing = threading.Lock()


class MemoryStore:
    """Shares sessions between several `SessionAuth` objects of one process.

    Use it if two HTTP libraries log in as the same user, for example. A single object needs no
    store: its threads and tasks share a session anyway. Nothing is written to disk, and a copy in
    another process starts empty.

    >>> import relogin
    >>> from relogin.client.requests import SessionAuth
    >>> def login(context):
    ...     return relogin.Grant(token="…")
    >>> store = MemoryStore()
    >>> orders = SessionAuth(login, "https://api.example.com", store=store)
    >>> billing = SessionAuth(login, "https://api.example.com", store=store)
    """

    def __init__(self) -> None:
        self._begin()
        _stores.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], dict[str, Entry]] = {}
        self._process = os.getpid()  # last: until then, other threads wait

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        if self._process != os.getpid():  # uWSGI forks its workers without Python's hooks
            with _noticing:
                if self._process != os.getpid():
                    self._begin()
        with self._lock:
            return Snapshot(dict(self._entries.get((origin, account), {})), time.monotonic())

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        with self._lock:
            snapshot = self._entries.setdefault((origin, account), {})
            stored = snapshot.get(realm)
            if entry.revision != (0 if stored is None else stored.revision):
                return False
            snapshot[realm] = Entry(entry.text, entry.revision + 1)
            return True

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


def _after_fork_in_child() -> None:
    # A thread that does not exist here may hold the lock, or be in the middle of a renewal.
    for store in list(_stores):
        store._begin()


if hasattr(os, "register_at_fork"):  # pragma: no branch - all but Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
