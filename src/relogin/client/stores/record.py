"""The shared state of one session, and the text in which a store keeps it.

Every change is a function from one record to the next; the store's compare-and-swap makes it
atomic. A change that is no longer allowed returns `None`. There is no clock here: `now` is the time
on the store's clock, in seconds.

A renewal takes the lease, logs in, and puts its grant. The lease ends at a deadline, so a holder
that dies is replaced. Each lease has a fencing token, a number larger than all before it, and only
the holder of the latest can put a grant: a slow holder cannot overwrite what its successor
obtained. That number becomes the version of the grant.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from relogin.client.terms.grant import Grant, granted, with_refresh_of

__all__ = ["Block", "Period", "Record"]

T = TypeVar("T")

# If the clock is set back, that must not prolong a lease; by less than this, it must not end one.
_SETBACK = 1.0


class Period(NamedTuple):
    """A period on the store's clock, in seconds."""

    since: float
    seconds: float

    def left(self, now: float) -> float:
        """Return how much of it is left; 0 before its start, since the clock was set back."""
        return self.since + self.seconds - now if now >= self.since - _SETBACK else 0.0


class Block(NamedTuple):
    """Why no process may log in for a period, and how many logins failed in a row."""

    outcome: str
    period: Period
    failures: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """What is known about the session of one origin, account and realm.

    `version` is the fencing token under which `grant` was put, or 0 if there never was one. A
    `dropped` grant is dead; it is kept because the next login may need parts of it. `spent` says
    that its refresh token was given to a holder that has not reported the result yet. `holder`
    distinguishes two processes that ask for a lease at the same moment.
    """

    version: int = 0
    grant: Grant | None = None
    scheme: str = ""
    granted_at: float = 0.0
    dropped: bool = False
    spent: bool = False
    fence: int = 0
    holder: str = ""
    lease: Period | None = None
    block: Block | None = None

    def __repr__(self) -> str:
        return f"<Record version {self.version}, fence {self.fence}>"

    # What it says

    def alive(self) -> bool:
        """Tell whether there is a grant that was not reported dead."""
        return self.grant is not None and not self.dropped

    @property
    def refreshable(self) -> bool:
        """Whether its grant has a refresh token, even one that a holder is using."""
        return self.grant is not None and self.grant.refresh is not None

    def newer(self, than: int) -> bool:
        """Tell whether there is a living grant with a later version than this."""
        return self.version > than and self.alive()

    def blocked(self, now: float) -> bool:
        """Tell whether a failed login forbids the next one for now."""
        return self.block is not None and self.block.period.left(now) > 0

    def leased(self, now: float) -> bool:
        """Tell whether a process is renewing the session."""
        return self.lease is not None and self.lease.left(now) > 0

    def to_use(self, now: float) -> Grant | None:
        """Return the living grant, with `expires_in` counted from now.

        Requests may have prolonged the session. If it should have ended by now, its expiry is
        unknown (`None`) until the next answer tells.
        """
        grant = self.grant if self.alive() else None
        if grant is None or grant.expires_in is None:
            return grant
        left = Period(self.granted_at, grant.expires_in).left(now)
        return replace(grant, expires_in=left if left > 0 else None)

    # What becomes of it

    def acquire(
        self, than: int, seconds: float, now: float, *, drop: bool = False
    ) -> Record | None:
        """Acquire the lease for renewing a version, unless it is taken or a newer version is there.

        The grant in the returned record is the one to renew. It has its refresh token only if no
        earlier holder can have used that. `drop` says that the grant is dead.
        """
        if self.newer(than) or self.blocked(now) or self.leased(now):
            return None
        grant = self.grant
        if grant is not None and self.spent:
            grant = replace(grant, refresh=None)
        return replace(
            self,
            grant=grant,
            dropped=self.dropped or drop,
            spent=grant is not None and grant.refresh is not None,
            # Later than what the holder has, even if the store has lost that and was set back.
            fence=max(self._next_fence(now), than + 1),
            holder=secrets.token_hex(8),
            lease=Period(now, seconds),
        )

    def _next_fence(self, now: float) -> int:
        # Uses the clock, so that it is larger than all before even if the store has lost those.
        return max(self.fence + 1, int(now * 1000))

    def put(self, fence: int, grant: Grant, scheme: str, now: float) -> Record | None:
        """Store the grant of the holder, unless another process has taken the lease."""
        if fence != self.fence:
            return None
        return Record(fence, grant, scheme, granted_at=now, fence=fence)

    def release(
        self, fence: int, block: Block | None, *, unused: bool, newest: Grant | None = None
    ) -> Record | None:
        """End a lease that brought no grant. `unused`: the refresh token may be used again.

        `newest` is a grant that the login had obtained when it failed: its refresh token is kept.
        """
        if fence != self.fence or self.lease is None:
            return None
        ended = replace(self, lease=None, block=block, spent=self.spent and not unused)
        if newest is None:
            return ended
        dropped = self.dropped or self.grant is None
        return replace(
            ended, grant=with_refresh_of(self.grant, newest), dropped=dropped, spent=False
        )

    def roll(
        self, version: int, cookies: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Record | None:
        """Update the cookies and header fields of the current grant."""
        if version != self.version or self.grant is None or self.dropped:
            return None
        fields = {**self.grant.headers, **(headers or {})}
        if self.grant.cookies == cookies and self.grant.headers == fields:
            return None
        return replace(self, grant=replace(self.grant, cookies=dict(cookies), headers=fields))

    def forget(self, now: float) -> Record:
        """Forget the session and every failure; earlier leases can no longer put a grant."""
        fence = self._next_fence(now)
        return Record(version=fence, fence=fence)

    # As text

    def dumps(self) -> str:
        """Write the record as JSON in plain text, including the tokens."""
        written = {name: getattr(self, name) for name in _READERS}
        if self.grant is not None:
            written["grant"] = {name: getattr(self.grant, name) for name in _GRANT}
            written["grant"]["cookies"] = dict(self.grant.cookies)  # type: ignore[arg-type]  # no jar
            if self.grant.headers:
                written["grant"]["headers"] = dict(self.grant.headers)
            if self.grant.location is not None:
                written["grant"]["location"] = self.grant.location
            if self.grant.scope:
                written["grant"]["scope"] = list(self.grant.scope)
        said = {name: value for name, value in written.items() if value != getattr(_EMPTY, name)}
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> Record:
        """Read a record. Raise `ValueError` for anything else; the error does not show it.

        Others may be able to write to the store, and disks fail: so every value is checked.
        """
        if len(text) > _MOST_CHARACTERS:
            raise ValueError("it is too long")
        with suppress(ValueError, RecursionError):
            written = json.loads(text)
            if isinstance(written, dict):
                read = cls(**{n: _read(n, written[n]) for n in _READERS if n in written})
                if read.version <= read.fence:
                    return read
        raise ValueError("it is not one of ours")


# More than any server accepts in the header fields of a request.
_MOST_CHARACTERS = 64 * 1024
# In seconds: longer than any lease or pause.
_LONGEST = 2 * 86_400
_LARGEST = 2**53


def _read(name: str, written: Any) -> Any:
    try:
        return _READERS[name](written)
    except (TypeError, LookupError, AttributeError, OverflowError):
        raise ValueError(name) from None


def _of(kind: type[T]) -> Callable[[Any], T]:
    def read(written: Any) -> T:
        if type(written) is not kind:
            raise TypeError
        return written

    return read


def _count(written: Any) -> int:
    if type(written) is not int or not 0 <= written <= _LARGEST:
        raise ValueError
    return written


def _moment(written: Any) -> float:
    if not isfinite(written):
        raise ValueError
    return float(written)


def _grant(written: Any) -> Grant | None:
    # Older records lack these.
    more = {"headers": written.get("headers", {}), "scope": written.get("scope", ())}
    more["location"] = written.get("location")
    return granted(Grant(**{name: written[name] for name in _GRANT}, **more), "")


def _period(written: Any) -> Period:
    since, seconds = map(_moment, written)
    if not 0 <= seconds <= _LONGEST:
        raise ValueError
    return Period(since, seconds)


def _block(written: Any) -> Block:
    outcome, period, failures = written
    return Block(_of(str)(outcome), _period(period), _count(failures))


_GRANT = ("token", "cookies", "expires_in", "refresh")
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "version": _count,
    "grant": _grant,
    "scheme": _of(str),
    "granted_at": _moment,
    "dropped": _of(bool),
    "spent": _of(bool),
    "fence": _count,
    "holder": _of(str),
    "lease": _period,
    "block": _block,
}
_EMPTY = Record()
