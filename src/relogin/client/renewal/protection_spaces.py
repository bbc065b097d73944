"""What is remembered about a protection space: its paths, and the results of its logins."""

from __future__ import annotations

import random
from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relogin.client.renewal.scopes import Demands
from relogin.client.terms.grant import Grant, with_refresh_of
from relogin.client.terms.outcomes import Outcome

if TYPE_CHECKING:
    from relogin.client.stores.record import Version

__all__ = ["Blocked", "ProtectionSpace", "outage"]

_MOST_PLACES = 16
_MOST_PAST = 32  # names of grants: more than a store that loses changes is likely to bring back
_MOST_PERSISTENT = 64  # methods and paths whose 401 is not about the session
_PERSISTS_FOR = 300.0  # in seconds; after that, their 401 may be about the session
_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_RETRY_AFTER = 1.0, 60.0, 3600.0


class Blocked:
    """Why no login is tried `until` then, on the cache's clock; `None` means forever."""

    def __init__(
        self,
        outcome: Outcome,
        cause: BaseException | None = None,
        until: float | None = None,
        failures: int = 0,
    ) -> None:
        self.outcome = outcome
        self.cause = cause
        self.until = until
        self.failures = failures


def outage(cause: BaseException, attempt: int, now: float) -> Blocked:
    """Back off after a failed login: for its `retry_after`, or else longer each time."""
    until = now + _pause(attempt, getattr(cause, "retry_after", None))
    return Blocked(Outcome.UNAVAILABLE, cause, until, attempt)


def _pause(attempt: int, retry_after: object) -> float:
    # Any exception may have an attribute of that name, so it may be anything, even NaN.
    if isinstance(retry_after, int | float) and abs(retry_after) >= 0:
        return min(max(retry_after, 0.0), _LONGEST_RETRY_AFTER)
    longest = min(_FIRST_PAUSE * 2.0 ** min(attempt - 1, 16), _LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class ProtectionSpace:
    """One protection space. `latest` is its last grant, even if that was dropped since."""

    latest: Grant | None = None
    version: Version | None = None
    """The version of `latest`, if it is of the store."""
    blocked: Blocked | None = None
    latest_url: str = ""
    challenges: bool = False
    accepted: bool = False
    demands: Demands | None = None
    """The scopes that the server has demanded, if any."""
    past: tuple[str, ...] = ()
    """The names of the store's grants that are over, the latest first."""

    def __init__(self, *, is_kept: bool = True) -> None:
        self.is_kept = is_kept
        """Whether there was room to remember it."""
        self.logins: deque[float] = deque()
        """When logins began that count in the budget."""
        self.cancelled: list[float] = []
        """The same of logins that were cancelled after they may have sent something."""
        self.places: dict[str, int] = {}
        """Folders and paths where the server asked for it, with a number that grows each time."""
        self.persistent: dict[tuple[str, str], tuple[int, float]] = {}
        """Methods and paths whose 401 persisted after a login: its generation, and when."""

    def attempt(self) -> int:
        """Return the number of the next login, counting those that failed before it."""
        return 1 + (self.blocked.failures if self.blocked is not None else 0)

    def pausing(self, now: float) -> Blocked | None:
        """Return the outage that forbids a login now, if there is one."""
        until = None if self.blocked is None else self.blocked.until
        return self.blocked if until is not None and now < until else None

    def is_within(self, budget: int, window: float, now: float) -> bool:
        """Tell whether another login may start now.

        Logins that were cancelled count, but they alone lock nobody out: one login is left for
        each share of the window.
        """
        self._forget(now - window)
        if len(self.logins) + len(self.cancelled) < budget:
            return True
        last = max((*self.cancelled, *self.logins), default=now)
        return len(self.logins) < budget and now - last >= window / budget

    def is_at_rest(self, window: float, now: float) -> bool:
        """Tell whether there was no login in this time, and none is waited for."""
        self._forget(now - window)
        return not self.logins and not self.cancelled and self.pausing(now) is None

    def _forget(self, moment: float) -> None:
        while self.logins and self.logins[0] <= moment:
            self.logins.popleft()
        if self.cancelled:
            self.cancelled = [began for began in self.cancelled if began > moment]

    def refund(self, began: float | None, *, sent: bool = False) -> None:
        """Take a login out of the budget again; one that has `sent` something still counts."""
        if began is not None and began in self.logins:
            self.logins.remove(began)
            if sent:
                insort(self.cancelled, began)  # a later login may have been cancelled before

    def postpone(self, began: float | None, now: float) -> float | None:
        """Move the place of a login in the budget to now, when it really begins."""
        if began is None or began not in self.logins:
            return began
        self.logins.remove(began)
        self.logins.append(now)
        return now

    def forget_refresh_token(self) -> None:
        """Forget the refresh token: it may be used up."""
        if self.latest is not None:
            self.latest = replace(self.latest, refresh=None)

    def keep_refresh_token(self, newest: Grant | None, *, spent: bool) -> None:
        """After a login that failed, keep the newest refresh token that it had obtained, if any."""
        if newest is not None:
            self.latest = with_refresh_of(self.latest, newest)
        elif spent:
            self.forget_refresh_token()

    def leave_behind(self, past: Iterable[str]) -> None:
        """Remember the names of grants that are over, the latest first."""
        names = dict.fromkeys((*past, *self.past))
        self.past = tuple(filter(None, names))[:_MOST_PAST]

    def reaches(self, url: str, moment: int, *, contested: bool) -> None:
        """Remember that the server asked for this space at `url` (RFC 7617 §2.2).

        Usually the whole folder belongs to one space. If it is `contested`, remember the path too.
        """
        if url == self.latest_url and not contested:
            return
        self.latest_url, path = url, urlsplit(url).path
        for place in (_folder(path), path) if contested else (_folder(path),):
            self.places.pop(place, None)
            self.places[place] = moment
        while len(self.places) > _MOST_PLACES:
            del self.places[next(iter(self.places))]

    def depth(self, url: str) -> tuple[int, int]:
        """Return how many characters of the path of `url` lie in this space, and since when.

        Returns `(0, 0)` if it is not known to lie there.
        """
        path = urlsplit(url).path
        fits = ((len(p), since) for p, since in self.places.items() if _lies_in(path, p))
        return max(fits, default=(0, 0))

    def note_persistent(self, generation: int, method: str, url: str, now: float) -> None:
        """Remember that a 401 without an error code persisted after the login `generation`."""
        if any(latest != generation for latest, _ in self.persistent.values()):
            self.persistent.clear()
        if len(self.persistent) < _MOST_PERSISTENT:
            self.persistent[method, urlsplit(url).path] = generation, now

    def has_persisted(self, generation: int, method: str, url: str, now: float) -> bool:
        """Tell whether such a 401 persisted there after this login, recently."""
        latest, since = self.persistent.get((method, urlsplit(url).path), (0, now))
        return latest == generation and now - since < _PERSISTS_FOR

    def note_accepted(self, method: str, url: str) -> None:
        """Remember that a request was accepted: its next 401 may be about the session."""
        self.persistent.pop((method, urlsplit(url).path), None)


def _folder(path: str) -> str:
    return path.rpartition("/")[0] + "/"


def _lies_in(path: str, place: str) -> bool:
    return path == place or (place.endswith("/") and path.startswith(place))
