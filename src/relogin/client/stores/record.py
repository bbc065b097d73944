"""The shared state of one session, and the text in which a store keeps it.

Every change is a function from one record to the next; the store's compare-and-swap makes it
atomic. A change that is no longer allowed returns `None`. There is no clock here: `now` is the time
on the store's clock, in seconds.

A renewal takes the lease, logs in, and puts its grant. The lease ends at a deadline, so a holder
that dies is replaced. Each lease has a `Version`, and only the holder of the latest can put a
grant: a slow holder cannot overwrite what its successor obtained. The grant keeps the version of
its lease.

A store may lose its last changes, or all of them, and its clock may be set back at the same time.
Then no number tells which grant is newer. So each version has a random name too, and a grant is new
to a process unless the process knows its name, or a later grant has named it as `past`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from relogin.client.terms.grant import Grant, granted, with_refresh_of

__all__ = ["Block", "Period", "Record", "Version"]

T = TypeVar("T")

# How many past grants are remembered. A store that loses more changes may bring back an older one:
# it is tried once more.
_MOST_PAST = 8
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
    failures: int


class Version(NamedTuple):
    """The fencing token of a lease, which becomes the version of its grant.

    As long as the store loses nothing, each `number` is larger than all before it. The name of its
    `holder` is random. It is empty if an earlier release of relogin has written the grant, and if
    there is none.
    """

    number: int
    holder: str

    def is_new(self, than: Version | None, past: Collection[str] = ()) -> bool:
        """Tell whether this grant is another one than these, and no older one."""
        if self.holder:
            return self.holder not in past and (than is None or self.holder != than.holder)
        return self.number > (0 if than is None else than.number)

    def is_same(self, other: Version) -> bool:
        """Tell whether these are the versions of one grant."""
        if self.holder and other.holder:
            return self.holder == other.holder
        return self.number == other.number


def _latest(*past: str) -> tuple[str, ...]:
    """Return the names of the latest grants among these; later ones come first."""
    return tuple(dict.fromkeys(filter(None, past)))[:_MOST_PAST]


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """What is known about the session of one origin, account and realm.

    `version` and `put_by` are the version of `grant`; they are 0 and empty if there never was one.
    `past` are the names of the grants before it, the latest first. A `dropped` grant is dead; it is
    kept because the next login may need parts of it. `spent` says that its refresh token was given
    to a holder that has not reported the result yet. `fence` and `holder` are the version of the
    latest lease.
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
    put_by: str = ""
    past: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Record version {self.version}, fence {self.fence}>"

    # What it says

    @property
    def of_grant(self) -> Version:
        """The version of its grant."""
        return Version(self.version, self.put_by)

    @property
    def of_lease(self) -> Version:
        """The version of its latest lease."""
        return Version(self.fence, self.holder)

    def alive(self) -> bool:
        """Tell whether there is a grant that was not reported dead."""
        return self.grant is not None and not self.dropped

    @property
    def refreshable(self) -> bool:
        """Whether its grant has a refresh token, even one that a holder is using."""
        return self.grant is not None and self.grant.refresh is not None

    def newer(self, than: Version | None, past: Collection[str] = ()) -> bool:
        """Tell whether there is a living grant that is newer than this one and all `past` ones."""
        return self.alive() and self.of_grant.is_new(than, past)

    def has_ended(self, version: Version) -> bool:
        """Tell whether a grant is over, and no other one lives: it or a later one was dropped."""
        if self.alive():
            return False
        if self.put_by and version.holder:
            return version.holder in {self.put_by, *self.past}
        return version.holder in self.past or version.number <= self.version

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
        self,
        than: Version | None,
        seconds: float,
        now: float,
        *,
        drop: bool = False,
        past: Collection[str] = (),
    ) -> Record | None:
        """Acquire the lease for renewing a version, unless it is taken or a newer version is there.

        The grant in the returned record is the one to renew. It has its refresh token only if no
        earlier holder can have used that. `drop` says that the grant is dead.
        """
        if self.newer(than, past) or self.blocked(now) or self.leased(now):
            return None
        grant = self.grant
        if grant is not None and self.spent:
            grant = replace(grant, refresh=None)
        return replace(
            self,
            grant=grant,
            dropped=self.dropped or drop,
            spent=grant is not None and grant.refresh is not None,
            fence=max(self._next_fence(now), 0 if than is None else than.number + 1),
            holder=secrets.token_hex(8),
            lease=Period(now, seconds),
        )

    def with_lost(self, version: Version | None, grant: Grant, past: tuple[str, ...]) -> Record:
        """Bring back a grant that is later than this one, if this one is over: it is in `past`.

        The store has lost that grant; or it never had it: then there is no `version`, and no other
        process can use it. The refresh token of this one may be used up.
        """
        if self.put_by not in past:
            return self
        name = secrets.token_hex(8) if version is None else version.holder
        if name in {"", self.put_by}:
            return self
        number = self.version if version is None else version.number
        return replace(
            self,
            version=number,
            put_by=name,
            grant=replace(grant, expires_in=None),
            dropped=version is None,
            spent=False,
            fence=max(self.fence, number),
            past=_latest(*(one for one in past if one != name), *self.past),
        )

    def _next_fence(self, now: float) -> int:
        # Uses the clock, so that it is larger than all before even if the store has lost those:
        # earlier releases of relogin go by the number alone.
        return max(self.fence + 1, int(now * 1000))

    def put(
        self, lease: Version, grant: Grant, scheme: str, now: float, past: tuple[str, ...] = ()
    ) -> Record | None:
        """Store the grant of the holder, unless another process has taken the lease."""
        if lease != self.of_lease:
            return None
        before = "" if self.put_by == lease.holder else self.put_by  # it may be put twice
        # A holder that does not know this grant has missed others: it knows one of the latest.
        later = past if self.put_by in past else past[:1]
        return Record(
            version=lease.number,
            grant=grant,
            scheme=scheme,
            granted_at=now,
            fence=lease.number,
            holder=lease.holder,
            put_by=lease.holder,
            past=_latest(before, *later, *self.past, *past),
        )

    def release(
        self, lease: Version, block: Block | None, *, unused: bool, newest: Grant | None = None
    ) -> Record | None:
        """End a lease that brought no grant. `unused`: the refresh token may be used again.

        `newest` is a grant that the login had obtained when it failed: its refresh token is kept.
        """
        if lease != self.of_lease or self.lease is None:
            return None
        ended = replace(self, lease=None, block=block, spent=self.spent and not unused)
        if newest is None:
            return ended
        dropped = self.dropped or self.grant is None
        return replace(
            ended, grant=with_refresh_of(self.grant, newest), dropped=dropped, spent=False
        )

    def roll(
        self, version: Version, cookies: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Record | None:
        """Update the cookies and header fields of the current grant."""
        if self.grant is None or self.dropped or not self.of_grant.is_same(version):
            return None
        fields = {**self.grant.headers, **(headers or {})}
        if self.grant.cookies == cookies and self.grant.headers == fields:
            return None
        return replace(self, grant=replace(self.grant, cookies=dict(cookies), headers=fields))

    def forget(self, now: float) -> Record:
        """Forget the session and every failure; earlier leases can no longer put a grant."""
        fence = self._next_fence(now)
        return Record(version=fence, fence=fence, past=_latest(self.put_by, *self.past))

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
        raise ValueError("it is not a text that relogin wrote")


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


def _names(written: Any) -> tuple[str, ...]:
    return _latest(*map(_of(str), _of(list)(written)))


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
    "put_by": _of(str),
    "past": _names,
}
_EMPTY = Record()
