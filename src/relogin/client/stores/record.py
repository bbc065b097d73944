"""What processes settle among themselves about one session, and the text they keep it in.

Every change is a function from one record to the next, and the store's compare-and-swap makes it
one step. A change that must not be made any more returns `None`. There is no clock here: `now` is
the store's, in seconds.

A renewal takes the lease, logs in, and puts its grant. The lease ends at a deadline, so a holder
that dies is replaced. Each lease has a fencing number, larger than any before it, and a grant is
put only under the latest: a slow holder cannot overwrite what its successor obtained. That number
becomes the grant's version.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from relogin.client.terms.grant import Grant, granted

__all__ = ["Block", "Period", "Record"]

T = TypeVar("T")

# A clock that is set back must not prolong a lease; by less than this, it must not end one either.
_SETBACK = 1.0


class Period(NamedTuple):
    """A stretch of time on the store's clock, in seconds."""

    since: float
    seconds: float

    def left(self, now: float) -> float:
        """Return how much of it is left: nothing before it began, for the clock was set back."""
        return self.since + self.seconds - now if now >= self.since - _SETBACK else 0.0


class Block(NamedTuple):
    """Why nobody shall log in for a time: an outcome, and how many logins failed in a row."""

    outcome: str
    period: Period
    failures: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """What is known of the session of one origin, account and realm.

    `version` is the fence its `grant` was put under, and 0 where there never was one. A `dropped`
    grant is dead, and kept for what its successor may need of it. `spent` says that its refresh
    token was handed to a holder who did not say yet what came of it. `holder` tells apart two who
    ask for a lease at one moment.
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
        """Tell whether there is a grant that nobody has reported dead."""
        return self.grant is not None and not self.dropped

    @property
    def refreshable(self) -> bool:
        """Whether a refresh token lies in it, or is out with a holder."""
        return self.grant is not None and self.grant.refresh is not None

    def newer(self, than: int) -> bool:
        """Tell whether there is a grant from a later login than the version given."""
        return self.version > than and self.alive()

    def blocked(self, now: float) -> bool:
        """Tell whether a failed login forbids the next one for the time being."""
        return self.block is not None and self.block.period.left(now) > 0

    def leased(self, now: float) -> bool:
        """Tell whether somebody is renewing the session."""
        return self.lease is not None and self.lease.left(now) > 0

    def to_use(self, now: float) -> Grant | None:
        """Return the living grant, its `expires_in` counted from now.

        A session that its requests keep alive outlives what was said of it at first. So of one
        that should have ended the expiry is unknown: its next answer will tell.
        """
        grant = self.grant if self.alive() else None
        if grant is None or grant.expires_in is None:
            return grant
        left = Period(self.granted_at, grant.expires_in).left(now)
        return replace(grant, expires_in=left if left > 0 else None)

    # What becomes of it

    def lend(self, than: int, seconds: float, now: float, *, drop: bool = False) -> Record | None:
        """Give out the lease for renewing a version; not if there is a newer one, nor twice.

        The grant in the record that is returned is the one to renew. It has its refresh token
        only if no earlier holder may have used that; `drop` says that the grant is dead.
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
            fence=self._next_fence(now),
            holder=secrets.token_hex(8),
            lease=Period(now, seconds),
        )

    def _next_fence(self, now: float) -> int:
        # Larger than any before, also where the store has lost those: hence the clock.
        return max(self.fence + 1, int(now * 1000))

    def put(self, fence: int, grant: Grant, scheme: str, now: float) -> Record | None:
        """Take in what the holder of the lease obtained; not if the lease is another's by now."""
        if fence != self.fence:
            return None
        return Record(fence, grant, scheme, granted_at=now, fence=fence)

    def give_back(self, fence: int, block: Block | None, *, unused: bool) -> Record | None:
        """End a lease that brought nothing; `unused` makes the refresh token good again."""
        if fence != self.fence or self.lease is None:
            return None
        return replace(self, lease=None, block=block, spent=self.spent and not unused)

    def roll(
        self, version: int, cookies: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Record | None:
        """Take over new values of the cookies and header fields of the current grant."""
        if version != self.version or self.grant is None or self.dropped:
            return None
        fields = {**self.grant.headers, **(headers or {})}
        if self.grant.cookies == cookies and self.grant.headers == fields:
            return None
        return replace(self, grant=replace(self.grant, cookies=dict(cookies), headers=fields))

    def forget(self, now: float) -> Record:
        """Forget the session and every failure; no lease given out before brings one back."""
        fence = self._next_fence(now)
        return Record(version=fence, fence=fence)

    # As text

    def dumps(self) -> str:
        """Write the record as JSON: all of it in plain text, the tokens included."""
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
        """Read a record; raise `ValueError` for what no record is, without a word of it.

        Whoever can write to the store may have written it, or a disk that fails: nothing in it is
        believed because it is there.
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


# More than any server takes in the fields of a request.
_MOST_CHARACTERS = 64 * 1024
# In seconds: longer than any lease or pause that is ever given out.
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
    # Older records have neither.
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
