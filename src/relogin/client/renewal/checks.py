"""The checks in progress: who is asking a server now whether a session lives."""

from __future__ import annotations

import threading

from relogin.client.renewal.credential import Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Decision, ResponseInfo

__all__ = ["Checks", "PendingCheck"]


class PendingCheck(Flight):
    """The check whether a session lives: one request asks, for all that wait."""

    answer: tuple[ResponseInfo, Decision] | None = None
    """The response and the decision about it, if the session was refused."""


class Checks:
    """The checks in progress. Its lock is held for dictionary work only."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all checks: after a fork, none is running here."""
        self._lock = threading.Lock()
        self._asking: dict[Key, PendingCheck] = {}

    def join(self, mine: PendingCheck, now: float) -> PendingCheck:
        """Return the check to wait for: that of another request, or `mine` to lead."""
        with self._lock:
            asked = self._asking.get(mine.key)
            if asked is None or asked.status is not Status.RUNNING or now >= asked.deadline:
                asked = self._asking[mine.key] = mine
            return asked
