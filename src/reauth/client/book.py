"""What all requests of one principal share: the grants, and the renewals under way.

One lock, held for dictionary work only: never across a wait, a callback or any I/O. It is a
thread's lock in coroutines too, because one book may serve several event loops and threads at once.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from urllib.parse import urlsplit
from weakref import WeakSet

from reauth.client.grant import Grant
from reauth.client.outcomes import Outcome
from reauth.client.policy import Demand, Held, Key, Policy

__all__ = ["Blocked", "Book", "Flight", "Status"]


class Status(Enum):
    """How a renewal ended, or that it has not."""

    RUNNING = auto()
    GRANTED = auto()
    DECLINED = auto()
    FAILED = auto()
    ABANDONED = auto()


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why no login is tried now: `until` on the book's clock, or for good where it is `None`."""

    outcome: Outcome
    cause: BaseException | None = None
    until: float | None = None
    failures: int = 0


@dataclass(eq=False, slots=True)
class Flight:
    """One renewal: led by one request, joined by all others that meet the same dead session."""

    key: Key
    deadline: float
    attempt: int = 1
    previous: Grant | None = None
    status: Status = Status.RUNNING
    blocked: Blocked | None = None
    wakers: list[Callable[[], object]] = field(default_factory=list)


# A server may name realms without end; a principal has few.
_MOST_REALMS = 16
_MOST_SCOPES = 16
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_RETRY_AFTER = 1.0, 60.0, 3600.0

_books: WeakSet[Book] = WeakSet()


class Book:
    """The shared state. Nothing in it knows what a request, a response or a thread is."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self.policy = policy
        self.clock = clock
        self._generations = itertools.count(1)
        self._held: dict[str, dict[Key, Held]] = {}
        self._scopes: dict[Key, set[str]] = {}
        self._blocked: dict[Key, Blocked] = {}
        self._led: dict[Key, deque[float]] = {}
        self._reset_after_fork()
        _books.add(self)

    def _reset_after_fork(self) -> None:
        # The parent's other threads do not exist in the child: their lock would stay taken and
        # their renewals would never end.
        self._lock = threading.Lock()
        self._flights: dict[Key, Flight] = {}

    # The grants

    def newer(self, key: Key, than: Held | None) -> Held | None:
        """Return the grant for `key` if it comes from a later login than the one given."""
        held = self._held.get(key.origin, {}).get(key)
        if held is None or (than is not None and held.generation <= than.generation):
            return None
        return held

    def current(self, held: Held) -> Held:
        """Return a grant with what its server has changed of it since."""
        found = self._held.get(held.key.origin, {}).get(held.key)
        return found if found is not None and found.generation == held.generation else held

    def for_request(self, origin: str, url: str) -> Held | None:
        """Choose the grant to send before anybody asked: the realm's that `url` lies in.

        With several realms known it is the deepest path that was challenged (RFC 7617 §2.2).
        """
        realms = self._held.get(origin)
        if not realms:
            return None
        if len(realms) == 1:
            return next(iter(realms.values()), None)
        with self._lock:
            depth = {key: self._depth(key, urlsplit(url).path) for key in realms}
            key = max(depth, key=depth.__getitem__)
            return realms[key] if depth[key] else None

    def _depth(self, key: Key, path: str) -> int:
        return max((len(s) for s in self._scopes.get(key, ()) if path.startswith(s)), default=0)

    def roll(self, held: Held, cookies: Mapping[str, str]) -> None:
        """Take over new values of the cookies that a grant owns, if it is still the current one."""
        self._update(held, cookies={**held.cookies, **cookies})

    def extend(self, held: Held, expires_in: float) -> None:
        """Take over how many seconds the session still lives, as its server just said."""
        self._update(held, renew_at=self._renew_at(expires_in))

    def _update(self, held: Held, **changes: object) -> None:
        with self._lock:
            current = self._held.get(held.key.origin, {}).get(held.key)
            if current is not None and current.generation == held.generation:
                self._held[held.key.origin][held.key] = replace(current, **changes)  # type: ignore[arg-type]

    def drop(self, held: Held) -> None:
        """Forget a grant that its server no longer knows, unless there is a newer one."""
        with self._lock:
            realms = self._held.get(held.key.origin, {})
            if held.key in realms and realms[held.key].generation <= held.generation:
                del realms[held.key]

    def reset(self) -> None:
        """Forget every grant and every refusal: the next challenge is answered with a login."""
        with self._lock:
            self._held.clear()
            self._blocked.clear()
            self._led.clear()
            self._flights.clear()  # whatever they bring was obtained with what is now forgotten

    # The renewals

    def flight(self, key: Key) -> Flight:
        """Prepare a renewal, which takes place only if `join` returns this very object."""
        return Flight(key, self.clock() + self.policy.flight_timeout)

    def join(self, mine: Flight, dead: Held | None) -> Held | Flight | Blocked:
        """Find who renews: nobody (a newer grant is there), somebody, or `mine`; or why not."""
        now = self.clock()
        with self._lock:
            held = self.newer(mine.key, dead)
            if held is not None:
                return held
            flight = self._flights.get(mine.key)
            if flight is not None and now < flight.deadline:
                return flight
            blocked = self._why_not(mine.key, now)
            if blocked is not None:
                return blocked
            self._lead(mine, dead, now)
            return mine

    def _why_not(self, key: Key, now: float) -> Blocked | None:
        blocked = self._blocked.get(key)
        if blocked is not None and (blocked.until is None or now < blocked.until):
            return blocked
        led = self._led.setdefault(key, deque())
        while led and led[0] <= now - self.policy.budget_window:
            led.popleft()
        return Blocked(Outcome.OVER_BUDGET) if len(led) >= self.policy.budget else None

    def _lead(self, mine: Flight, dead: Held | None, now: float) -> None:
        blocked = self._blocked.get(mine.key)
        mine.attempt = 1 + (blocked.failures if blocked is not None else 0)
        mine.previous = None if dead is None else dead.grant
        self._flights[mine.key] = mine
        self._led[mine.key].append(now)

    def granted(self, flight: Flight, demand: Demand, grant: Grant, url: str) -> Held | None:
        """End a renewal with what it obtained; `None` where it was overtaken by a newcomer."""
        token = grant.token
        held = Held(
            flight.key,
            grant,
            next(self._generations),
            demand.responder,
            None if token is None else demand.responder.authorization(token),
            dict(grant.cookies),  # type: ignore[arg-type]  # `granted` has made a mapping of it
            None if grant.expires_in is None else self._renew_at(grant.expires_in),
        )
        with self._lock:
            if self._flights.get(flight.key) is not flight:
                return None
            self._hold(held, url)
            self._blocked.pop(flight.key, None)
        self.end(flight, Status.GRANTED)
        return held

    def _hold(self, held: Held, url: str) -> None:
        realms = self._held.setdefault(held.key.origin, {})
        if held.key not in realms and len(realms) >= _MOST_REALMS:
            oldest = next(iter(realms))
            del realms[oldest]
            self._scopes.pop(oldest, None)
        realms[held.key] = held
        scopes = self._scopes.setdefault(held.key, set())
        if len(scopes) < _MOST_SCOPES:
            scopes.add(urlsplit(url).path.rpartition("/")[0] + "/")

    def _renew_at(self, expires_in: float) -> float:
        # Ahead of the end by a tenth to a fifth, so that a fleet does not renew in step.
        return self.clock() + expires_in * random.uniform(0.8, 0.9)  # noqa: S311 - no secret

    def failed(self, flight: Flight, cause: BaseException, *, refused: bool) -> None:
        """End a renewal with its failure: for good if the login was refused, else for a pause."""
        if refused:
            blocked = Blocked(Outcome.REFUSED, cause)
        else:
            until = self.clock() + _pause(flight.attempt, getattr(cause, "retry_after", None))
            blocked = Blocked(Outcome.UNAVAILABLE, cause, until, flight.attempt)
        with self._lock:
            if self._flights.get(flight.key) is flight:
                self._blocked[flight.key] = blocked
            flight.blocked = blocked
        self.end(flight, Status.FAILED)

    def end(self, flight: Flight, status: Status) -> None:
        """End a renewal, whatever came of it, and wake whoever waits; twice is once."""
        with self._lock:
            if flight.status is not Status.RUNNING:
                return
            flight.status = status
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            wakers, flight.wakers = flight.wakers, []
        for wake in wakers:
            wake()

    def watch(self, flight: Flight, wake: Callable[[], object]) -> bool:
        """Have `wake` called when the renewal ends; `False` where it already has."""
        with self._lock:
            if flight.status is not Status.RUNNING:
                return False
            flight.wakers.append(wake)
            return True

    def unwatch(self, flight: Flight, wake: Callable[[], object]) -> None:
        """Forget a waker that nobody waits for any more."""
        with self._lock:
            if wake in flight.wakers:
                flight.wakers.remove(wake)


def _pause(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return min(max(retry_after, 0.0), _LONGEST_RETRY_AFTER)
    longest = min(_FIRST_PAUSE * 2.0 ** min(attempt - 1, 16), _LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _after_fork_in_child() -> None:
    for book in list(_books):
        book._reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
