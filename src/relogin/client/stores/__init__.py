"""Stores keep grants, so that one renewal serves every process that shares a store.

A store keeps short texts; it does not know what they mean or what a lease is. All that processes
agree on is in the text (`relogin.client.stores.record`), which they change by compare-and-swap
only. So all stores behave alike, and to write your own you need two methods: `get`, and a `put`
that fails if another process was faster. `conformance.check_store` checks a store. Two more methods
are optional. Add `wait` if your store can notify of a change: without it, a process that waits for
another process's login polls. Add `peek` if your store is faster without its clock:
`fresh="always"` then calls it before each request.

This package has `memory.MemoryStore` for several objects in one process, `sqlite.SQLiteStore` for
the processes of one machine, and `redis.RedisStore` and `postgres.PostgresStore` for many machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, runtime_checkable

from relogin.lazy import lazy_modules

__all__ = ["AnyStore", "AsyncStore", "Entry", "PeekingStore", "Snapshot", "Store", "TellingStore"]

if not TYPE_CHECKING:  # pragma: no branch - a type checker knows the names
    __getattr__ = lazy_modules(__name__)  # imports nothing, and says where SQLiteStore is


class Entry(NamedTuple):
    """A stored text and its revision, a number that is different after each change.

    The text is JSON in ASCII, of 64 KiB at most. A `durable` entry should survive a power failure,
    if the store can ensure that: a token that is valid for one use only must not come back.
    `before` is the text that this one replaces, if it is known, and empty with revision 0: a store
    that loses changes may give a revision twice, and compares this text too. If such a store
    returns it with each entry, another store may wrap it and change the texts.
    """

    text: str
    revision: int
    durable: bool = False
    before: str | None = None

    def __repr__(self) -> str:  # the text holds tokens
        return f"<Entry revision {self.revision}>"


class Snapshot(NamedTuple):
    """What is stored for an origin and an account: an entry for each realm.

    `now` is the store's clock in seconds. Deadlines are measured on it, so all processes that share
    a store must see the same clock: that of its server, or `time.time()` if the clocks of their
    machines agree. It need not be the time of day, and may run on when they stop.
    """

    entries: Mapping[str, Entry]
    now: float


@runtime_checkable
class Store(Protocol):
    """The protocol of a store. Its methods are called from any thread, several at once.

    If a method raises an exception, no request fails: this process then renews by itself, and an
    event says so. A method that cannot do its work should fail quickly.
    """

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        ...

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the one whose revision `entry` names, or return `False`.

        Revision 0 means that there is no text yet. Compare and store in one atomic step.
        """
        ...


@runtime_checkable
class TellingStore(Store, Protocol):
    """A store that can notify of a change, so that no process needs to poll."""

    def wait(self, origin: str, account: str, realm: str, revision: int, seconds: float) -> None:
        """Wait until the text has another revision, for at most `seconds`.

        You may return earlier: the caller reads the text again.
        """
        ...


@runtime_checkable
class PeekingStore(Store, Protocol):
    """A store that is asked before each request, and answers faster without its clock."""

    def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        """Return the entries as `get` does, without the time."""
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """A store for asynchronous clients only; they call any other store in a thread."""

    async def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        ...

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the one whose revision `entry` names, or return `False`."""
        ...


AnyStore: TypeAlias = Store | AsyncStore
