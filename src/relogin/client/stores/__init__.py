"""Where grants are kept, so that one renewal serves every process that shares the place.

A store keeps short texts and gives them back; it knows neither what they say nor what a lease is.
All that processes settle among themselves is in the text (`relogin.client.stores.record`), and it
is changed by compare-and-swap only. So every store behaves alike, and one of your own is two
functions: `get`, and `put` only if nobody was faster. A third, `wait`, is for stores that can tell
of a change: without it, a process that waits for another one's login asks again and again.

In this package: `memory.MemoryStore` for several objects of one process, `sqlite.SQLiteStore` for
the processes of one machine, `redis.RedisStore` and `postgres.PostgresStore` for those of many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

__all__ = ["AnyStore", "AsyncStore", "Entry", "Snapshot", "Store", "TellingStore"]


class Entry(NamedTuple):
    """A text as it is stored, and its revision: a number that every change makes another one.

    What is put as `durable` should outlive a power failure, if the store can see to that: a token
    that is good for one use must not come back.
    """

    text: str
    revision: int
    durable: bool = False

    def __repr__(self) -> str:  # the text holds tokens
        return f"<Entry revision {self.revision}>"


class Snapshot(NamedTuple):
    """What is stored for an origin and an account: an entry for each realm.

    `now` is the store's clock in seconds. Deadlines are measured on it, so all who share a store
    must see the same one: it need not tell the time, and may run on when they stop.
    """

    entries: Mapping[str, Entry]
    now: float


@runtime_checkable
class Store(Protocol):
    """Where texts are kept. Its methods are called from any thread, several at once.

    Whatever they raise costs no request: this process then renews for itself, and an event says
    so. They should not take long to find out that they cannot.
    """

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        ...

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the one whose revision `entry` names, or return `False`.

        Revision 0 stands for no text at all. Comparing and storing are one step that nobody can
        come between.
        """
        ...


@runtime_checkable
class TellingStore(Store, Protocol):
    """A store that can tell of a change, so that nobody has to ask for it again and again."""

    def wait(self, origin: str, account: str, realm: str, revision: int, seconds: float) -> None:
        """Return when the text is another than that revision, or after so many seconds.

        It may return earlier, too: whoever waits looks for itself.
        """
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """A store for asynchronous clients alone; any other one is called in a thread by them."""

    async def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        ...

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Store a text in place of the one whose revision `entry` names, or return `False`."""
        ...


AnyStore: TypeAlias = Store | AsyncStore
