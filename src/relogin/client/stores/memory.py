"""A store in memory, for several objects of one process."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from relogin.client.stores import Entry, Snapshot

__all__ = ["MemoryStore"]


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
        self._kept: dict[int, _Kept] = {}  # by the number of the process: a fork starts empty

    def _of_this_process(self) -> _Kept:
        process = os.getpid()
        kept = self._kept.setdefault(process, _Kept())  # one, whichever thread is first
        for other in list(self._kept):
            if other != process:
                self._kept.pop(other, None)
        return kept

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        kept = self._kept.get(os.getpid()) or self._of_this_process()
        with kept.lock:
            return Snapshot(dict(kept.entries.get((origin, account), {})), time.monotonic())

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        kept = self._kept.get(os.getpid()) or self._of_this_process()
        with kept.lock:
            snapshot = kept.entries.setdefault((origin, account), {})
            stored = snapshot.get(realm)
            if entry.revision != (0 if stored is None else stored.revision):
                return False
            snapshot[realm] = Entry(entry.text, entry.revision + 1)
            return True

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


class _Kept:
    """What one process keeps. In a child of a fork, a lost thread may hold the parent's lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: dict[tuple[str, str], dict[str, Entry]] = {}
