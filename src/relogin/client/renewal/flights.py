"""The renewals in progress, and who waits for their end."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable

from relogin.client.renewal.checks import PendingCheck
from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.grants import Grants
from relogin.client.renewal.policy import Policy

__all__ = ["Flights"]

# Before Python 3.12, each look at a member of an enum is slow.
_RUNNING, _ABANDONED = Status.RUNNING, Status.ABANDONED

_noticing = threading.Lock()


class Flights(Grants):
    """The renewals of one principal, by protection space."""

    process: int
    """The process that all this belongs to."""

    def __init__(self, policy: Policy, clock: Callable[[], float]) -> None:
        super().__init__(policy, clock)
        self._flights: dict[Key, Flight] = {}
        self._checks: dict[Key, PendingCheck] = {}

    def under_way(self, key: Key, dead: Credential | None) -> Credential | Flight | None:
        """Return a newer grant, or the flight to wait for, for a request that does not log in."""
        if key not in self._flights:
            return self.newer(key, dead)
        self._notice_fork()
        with self._lock:
            return self._under_way(key, dead, self.clock())

    def join_check(self, mine: PendingCheck) -> PendingCheck:
        """Return the check to wait for: that of another request, or `mine` to lead."""
        self._notice_fork()
        now = self.clock()
        with self._lock:
            asked = self._checks.get(mine.key)
            if asked is None or asked.status is not _RUNNING or now >= asked.deadline:
                asked = self._checks[mine.key] = mine
            return asked

    def _notice_fork(self) -> None:
        # uWSGI forks its workers without Python's hooks.
        if self.process != os.getpid():
            with _noticing:
                if self.process != os.getpid():
                    self._begin_in_child()

    @abstractmethod
    def _begin_in_child(self) -> None:
        """Leave to the parent of a fork what belongs to it."""

    def _under_way(
        self, key: Key, dead: Credential | None, now: float
    ) -> Credential | Flight | None:
        credential = self.newer(key, dead)
        if credential is not None:
            return credential
        flight = self._flights.get(key)
        return flight if flight is not None and now < flight.deadline else None

    def prolong(self, flight: Flight) -> None:
        """Prevent the takeover of a renewal that waits for another process's renewal."""
        flight.deadline = self.clock() + self.policy.flight_timeout

    def end(self, flight: Flight, status: Status) -> None:
        """End a renewal and wake all who wait for it. The first status counts.

        If an interrupt stops this half way, call it again: wakers stay until `unwatch`.
        """
        if not flight.is_open:
            return
        with self._lock:
            wakers = self._ended(flight, status)
        self._wake(flight, wakers)

    def _ended(self, flight: Flight, status: Status) -> tuple[Callable[[], object], ...]:
        leads = self._flights.get(flight.key) is flight
        if leads:
            del self._flights[flight.key]
        if flight.status is _RUNNING:
            flight.status = status
            if status is _ABANDONED:
                self._cancelled(flight, leads=leads)
        return tuple(flight.wakers)

    @abstractmethod
    def _cancelled(self, flight: Flight, *, leads: bool) -> None:
        """Note that a renewal ended without any result."""

    def _wake(self, flight: Flight, wakers: Iterable[Callable[[], object]]) -> None:
        for wake in wakers:
            wake()
        flight.is_open = False

    def watch(self, flight: Flight, wake: Callable[[], object]) -> bool:
        """Call `wake` when the renewal ends; return `False` if it has ended already."""
        with self._lock:
            if flight.status is not Status.RUNNING:
                return False
            flight.wakers[wake] = None
            return True

    def unwatch(self, flight: Flight, wake: Callable[[], object]) -> None:
        """Forget a waker that is no longer needed."""
        with self._lock:
            flight.wakers.pop(wake, None)
