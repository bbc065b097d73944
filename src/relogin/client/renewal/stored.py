"""What a store holds for an origin and an account: reading, changing, and waiting for it.

If the store fails, an event says so, and the caller continues without it. Like the flow, these are
generators without I/O: see `relogin.client.renewal.shared`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

from relogin.client.events import Event, EventKind, tell, warn
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Pause
from relogin.client.renewal.credential import Key
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.record import Block, Record
from relogin.client.terms.outcomes import Outcome

__all__ = [
    "Asking",
    "Change",
    "View",
    "Waiting",
    "ask",
    "look",
    "past",
    "polls",
    "read",
    "report",
    "stand_by",
    "swap",
    "view_of",
]

T = TypeVar("T")
Asking: TypeAlias = Generator[Ask, Any, T]
Waiting: TypeAlias = Generator[Ask | Pause, Any, T]

# In seconds: how long to leave a failed store alone, and how often to poll for the end of another
# process's renewal.
_AWAY = 1.0
_FIRST_POLL, _LONGEST_POLL = 0.02, 0.2
# In seconds: the longest single wait for a store that notifies of changes.
_LONGEST_WAIT = 1.0
# How long to poll a store that could not notify.
_SILENT = 10.0
# A change fails only if another process's change succeeds, which usually ends the need for it.
_MOST_TRIES = 16


class View(NamedTuple):
    """The records of one origin and account, by realm, as they were at `now`."""

    records: Mapping[str, Record]
    entries: Mapping[str, Entry]
    now: float

    def record(self, key: Key) -> Record:
        """Return the record of a realm; an empty one if there is none."""
        return self.records.get(key.realm, Record())

    def entry(self, key: Key) -> Entry:
        """Return the text of a realm and its revision; both are empty if there is none."""
        return self.entries.get(key.realm, Entry("", 0))

    def block(self, key: Key) -> Block | None:
        """Return why no login is allowed; a refused password is refused in every realm."""
        for realm, record in self.records.items():
            block = record.block if record.blocked(self.now) else None
            if block is not None and (realm == key.realm or block.outcome == Outcome.REFUSED):
                return block
        return None


class Change(NamedTuple):
    """The result of a change: the present record, and whether the change was `made`."""

    record: Record
    view: View
    made: bool


def ask(
    cache: CredentialCache,
    origin: str,
    method: str,
    *arguments: object,
    even_if_cancelled: bool = True,
) -> Asking[Any]:
    """Call a method of the store; return `None` if it fails."""
    if cache.clock() < cache.store_away_until:
        return None
    try:
        call = getattr(cache.policy.store, method)
        return (yield Ask(call, arguments, even_if_cancelled=even_if_cancelled))
    except Exception as error:  # noqa: BLE001 - an error of the store fails no request
        cache.store_away_until = cache.clock() + _AWAY
        report(cache, EventKind.STORE_AWAY, Key(origin, ""), reason=type(error).__name__)
        _warn_once(cache, "the store failed (%s): this process logs in on its own", error)
        return None


def _warn_once(cache: CredentialCache, text: str, error: Exception) -> None:
    """Warn of an error of the store, not of each: without a store that works, all seems well."""
    said = text, type(error).__name__  # its own text may hold a password
    if said not in cache.warned:
        cache.warned.add(said)
        warn(*said)


def look(cache: CredentialCache, origin: str) -> Asking[View | None]:
    """Read what is stored; return `None` if the store has failed."""
    snapshot = yield from read(cache, origin)
    return None if snapshot is None else view_of(origin, snapshot)


def read(cache: CredentialCache, origin: str) -> Asking[Snapshot | None]:
    """Read what is stored, as texts; return `None` if the store has failed."""
    snapshot: Snapshot | None = yield from ask(cache, origin, "get", origin, cache.policy.account)
    return snapshot


def view_of(origin: str, snapshot: Snapshot) -> View:
    """Read the records in a snapshot."""
    records = {
        realm: _record(Key(origin, realm), entry.text) for realm, entry in snapshot.entries.items()
    }
    return View(records, snapshot.entries, snapshot.now)


def _record(key: Key, text: str) -> Record:
    """Read a stored record. An invalid one counts as empty, and will be replaced."""
    try:
        return Record.loads(text)
    except (TypeError, ValueError) as error:
        warn("what is stored for %s realm=%r is not used: %s", key.origin, key.realm, error)
        return Record()


def swap(
    cache: CredentialCache, key: Key, change: Callable[[Record, View], Record | None]
) -> Asking[Change | None]:
    """Change a record by compare-and-swap; return `None` if the store fails."""
    for _ in range(_MOST_TRIES):
        view = yield from look(cache, key.origin)
        if view is None:
            break
        changed = change(view.record(key), view)
        if changed is None:
            return Change(view.record(key), view, made=False)
        text, revision, _, before = view.entry(key)
        before = text if before is None else before
        entry = Entry(changed.dumps(), revision, changed.refreshable, before)
        if (yield from ask(cache, key.origin, "put", key.origin, key.account, key.realm, entry)):
            return Change(changed, view, made=True)
    return None


def past(cache: CredentialCache, key: Key) -> tuple[str, ...]:
    """Return the names of the store's grants that are over, as far as this process knows."""
    space = cache.space(key)
    return () if space is None else space.past


# Waiting


def stand_by(
    cache: CredentialCache, key: Key, view: View, pause: float, waited: int | None
) -> Waiting[int]:
    """Wait until the record changes if the store can notify, or else for `pause`.

    `waited` is the revision that was waited for before, in vain if it is still the same.
    """
    revision = view.entry(key).revision
    if waited == revision or not _tells(cache):
        yield Pause(pause)
    if _tells(cache):
        yield from _wait(cache, key, view, revision)
    return revision


def _tells(cache: CredentialCache) -> bool:
    return hasattr(cache.policy.store, "wait") and cache.clock() >= cache.store_silent_until


def _wait(cache: CredentialCache, key: Key, view: View, revision: int) -> Asking[None]:
    """Wait for the store to notify. If it cannot, poll it for a while: it is not away."""
    lease, store = view.record(key).lease, cache.policy.store
    # An asynchronous client gives the store up after the timeout of a login.
    seconds = min(_LONGEST_WAIT, cache.policy.login_timeout / 2)
    seconds = seconds if lease is None else min(lease.left(view.now), seconds)
    place = (key.origin, key.account, key.realm, revision, seconds)
    try:
        # `_tells` said that the store has it.
        yield Ask(store.wait, place, even_if_cancelled=False)  # type: ignore[union-attr]
    except Exception as error:  # noqa: BLE001 - an error of the store fails no request
        cache.store_silent_until = cache.clock() + _SILENT
        _warn_once(cache, "the store cannot announce changes (%s): it is polled instead", error)


def polls() -> Iterator[float]:
    """Yield how long to pause before each next poll."""
    pause = _FIRST_POLL
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        pause = min(pause * 1.5, _LONGEST_POLL)


def report(cache: CredentialCache, kind: EventKind, key: Key, *, reason: str | None = None) -> None:
    """Report an event of a realm."""
    tell(cache.policy.listener, Event(kind, key.origin, cache.realm_of(key), reason=reason))
