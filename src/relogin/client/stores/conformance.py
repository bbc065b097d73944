"""Check a store of your own: does it do what the clients rely on?

Call `check_store` in a test, or `check_async_store` if the methods of your store are coroutines.
Each of `LAWS` is one thing that every store does. All that a check stores, it stores for origins
with random names, so it disturbs nobody, and you may run it again without clearing the store.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any, TypeAlias, cast

from relogin.client.stores import AsyncStore, Entry, Snapshot, Store

__all__ = ["LAWS", "check_async_store", "check_store"]

Open: TypeAlias = Callable[[], Store]
Law: TypeAlias = Callable[[Open], None]

# In seconds: how long a clock may stand, and how long a store may take to tell of a change.
_PATIENCE = 4.0


def check_store(open_store: Open) -> None:
    """Check a store. `open_store` opens it once more each time, as another process does.

    Raises `AssertionError` if the store breaks a law of `LAWS`, and says which; an error of the
    store is raised as it is. It takes about as long as a thousand calls of your store, and up to
    two seconds more if its clock counts in seconds.

    >>> from relogin.client.stores.memory import MemoryStore
    >>> store = MemoryStore()
    >>> check_store(lambda: store)
    """
    for law in LAWS:
        law(open_store)


async def check_async_store(open_store: Callable[[], AsyncStore]) -> None:
    """Check a store whose methods are coroutines, under asyncio; `check_store` says how."""
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(check_store, lambda: cast("Store", _InLoop(open_store(), loop)))


class _InLoop:
    """An asynchronous store that threads may call: its methods run in the event loop."""

    def __init__(self, store: AsyncStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)
        return lambda *given: asyncio.run_coroutine_threadsafe(method(*given), self._loop).result()

    def __repr__(self) -> str:
        return repr(self._store)


class _Place:
    """An origin that nobody else uses, and an account of it. Calls the store for these."""

    def __init__(self, open_store: Open, account: str = "", origin: str = "") -> None:
        self.open_store = open_store
        self.store = open_store()
        self.account = account
        self.origin = origin or f"https://{secrets.token_hex(8)}.example.com:443"

    def get(self) -> Snapshot:
        found = self.store.get(self.origin, self.account)
        _require(isinstance(found, Snapshot), f"get() returns a Snapshot, not {found!r}")
        return found

    def entry(self, realm: str = "api") -> Entry:
        """What is stored for a realm: an empty text and revision 0 if there is nothing."""
        entry = self.get().entries.get(realm, Entry("", 0))
        _require(isinstance(entry, Entry), f"an entry of a Snapshot is an Entry, not {entry!r}")
        return entry

    def texts(self) -> dict[str, str]:
        return {realm: entry.text for realm, entry in self.get().entries.items()}

    def put(
        self, text: str, revision: int, *, realm: str = "api", before: str | None = None
    ) -> bool:
        entry = Entry(text, revision, before=before)
        done = self.store.put(self.origin, self.account, realm, entry)
        _require(isinstance(done, bool), f"put() returns True or False, not {done!r}")
        return done

    def must_put(self, text: str, *, realm: str = "api") -> None:
        """Put in place of what is there, as the clients do."""
        text_before, revision, _, before = self.entry(realm)
        before = text_before if before is None else before  # empty, if there is nothing
        done = self.put(text, revision, realm=realm, before=before)
        _require(done, f"put() of revision {revision} returns True while that is stored")


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)


def nothing_is_there_at_first(open_store: Open) -> None:
    """`get` returns no entries, and no error, for what nobody has put."""
    found = _Place(open_store).get()
    _require(dict(found.entries) == {}, "get() returns no entries where nobody has put any")


def what_is_put_is_there(open_store: Open) -> None:
    """Whoever opens the store finds the text, with a revision that is a number above 0."""
    place = _Place(open_store)
    _require(place.put("one", 0), "put() of revision 0 returns True where nothing is stored")
    place.store = open_store()
    entry = place.entry()
    _require(entry.text == "one", f"another process gets the text 'one', not {entry.text!r}")
    number = type(entry.revision) is int and entry.revision > 0
    _require(number, f"the revision of a text is an int above 0, not {entry.revision!r}")


def a_text_is_replaced(open_store: Open) -> None:
    """`put` stores a text in place of the one whose revision it names."""
    place = _Place(open_store)
    for text in ("one", "two"):
        place.must_put(text)
    _require(place.texts() == {"api": "two"}, f"the last text is stored, not {place.texts()}")


def each_change_gives_another_revision(open_store: Open) -> None:
    """A revision does not come again, even if a text does."""
    place, seen = _Place(open_store), [0]
    for text in ("one", "two", "one", "one"):
        place.must_put(text)
        seen.append(place.entry().revision)
    _require(len({*seen}) == len(seen), f"each put() gives another revision; these came: {seen}")


def what_has_changed_is_not_replaced(open_store: Open) -> None:
    """`put` returns `False` and changes nothing if another process was faster."""
    place = _Place(open_store)
    _require(not place.put("one", 7), "put() of revision 7 returns False where nothing is stored")
    _require(place.texts() == {}, "put() that returns False stores nothing")
    for text in ("one", "two"):
        present = place.entry().revision
        place.must_put(text)
        for revision in {0, present}:
            refused = not place.put("three", revision)
            _require(refused, f"put() of revision {revision} returns False after it has changed")
        _require(place.texts() == {"api": text}, "put() that returns False changes nothing")


def a_text_that_comes_with_before_is_compared(open_store: Open) -> None:
    """If entries come with `before`, `put` compares that with what is stored."""
    place = _Place(open_store)
    place.must_put("one")
    entry = place.entry()
    if entry.before is not None:
        done = place.put("two", entry.revision, before="lost")
        _require(not done, "put() returns False if before= is another text than the stored one")


def places_are_kept_apart(open_store: Open) -> None:
    """Origins, accounts and realms are any text: of each combination one text is kept."""
    origin = f"https://{secrets.token_hex(8)}.example.com"
    accounts = ("", "ada", "Ada", "ada ", "ada api", "ada:api")
    places = [
        _Place(open_store, account, origin + port)
        for account, port in product(accounts, (":443", ":4433"))
    ]
    realms = ("", "api", "API", "api ", ":api", 'say "hi"', "caf\xe9", "cafe", "%", "_", "x" * 4000)
    for place, realm in product(places, realms):
        done = place.put(f"{place.origin}|{place.account}|{realm}", 0, realm=realm)
        which = f"account {place.account!r} with realm {realm!r}"
        _require(done, f"{which} is kept apart from all others; put() of revision 0 returned False")
    for place in places:
        wanted = {realm: f"{place.origin}|{place.account}|{realm}" for realm in realms}
        found = place.texts()
        mixed = [realm for realm in {*wanted, *found} if wanted.get(realm) != found.get(realm)]
        _require(not mixed, f"realms {mixed!r} of account {place.account!r} are kept apart")


def a_text_is_kept_as_it_is(open_store: Open) -> None:
    """A text is JSON in ASCII, of 64 KiB at most."""
    place = _Place(open_store)
    for text in ('{"token":"\\u00e9\\n\\"%s\' --"}', f'{{"token":"{"x" * 65_524}"}}'):
        place.must_put(text)
        _require(place.entry().text == text, f"a text of {len(text)} characters comes back whole")


def a_durable_text_is_stored(open_store: Open) -> None:
    """`durable` asks for more care, and changes nothing else."""
    place = _Place(open_store)
    done = place.store.put(place.origin, "", "api", Entry("one", 0, durable=True))
    _require(done and place.texts() == {"api": "one"}, "an entry with durable=True is stored too")


def a_snapshot_stays_as_it_was(open_store: Open) -> None:
    """What was read does not change when something is put."""
    place = _Place(open_store)
    place.must_put("one")
    before = place.get()
    place.must_put("two")
    place.must_put("other", realm="other")
    kept = {realm: entry.text for realm, entry in before.entries.items()}
    _require(kept == {"api": "one"}, "a Snapshot does not change with the store")


def the_clock_goes_on(open_store: Open) -> None:
    """`now` is a number of seconds that does not stand and does not go back."""
    place, give_up = _Place(open_store), time.monotonic() + _PATIENCE
    moments = [place.get().now]
    while moments[-1] == moments[0] and time.monotonic() < give_up:
        time.sleep(0.02)
        moments.append(_Place(open_store).get().now)
    _require(all(isinstance(now, int | float) for now in moments), "now is a number of seconds")
    _require(moments == sorted(moments), f"now does not go back: {moments[0]} to {moments[-1]}")
    passed = moments[-1] - moments[0]
    _require(0 < passed < 60, f"now counts seconds; within {_PATIENCE:g} it went on by {passed}")


def nothing_stored_shows_in_a_repr(open_store: Open) -> None:
    """The texts hold tokens, and a repr is often logged."""
    place = _Place(open_store)
    place.must_put("s3cret")
    _require("s3cret" not in repr(place.store), "the repr of a store shows nothing that it holds")


# Several threads at once


def one_of_many_threads_is_first(open_store: Open) -> None:
    """If several threads or processes put at once, one `put` returns `True`."""
    place = _Place(open_store)
    done = _at_once(lambda number: place.put(f"by {number}", 0))
    _require(done.count(True) == 1, f"one of 8 threads stores its text; {done.count(True)} did")
    wanted = f"by {done.index(True)}"
    _require(
        place.texts() == {"api": wanted}, "the text is of the thread whose put() returned True"
    )


def no_change_is_lost(open_store: Open) -> None:
    """Compare and store are one step: nobody puts in between."""
    place = _Place(open_store)
    place.must_put("0")

    def count(thread: int) -> int:
        done = 0
        for turn in range(20):
            text, revision, _, before = place.entry()
            counted = int(text.split()[0]) + 1  # the rest tells apart what two threads put
            done += place.put(f"{counted} {thread}.{turn}", revision, before=before or text)
        return done

    done, counted = sum(_at_once(count)), int(place.entry().text.split()[0])
    _require(done == counted, f"put() returned True {done} times, and {counted} changes are there")


def realms_do_not_disturb_each_other(open_store: Open) -> None:
    """Threads that put into several realms of one account at once lose nothing."""
    place = _Place(open_store)

    def put(number: int) -> bool:
        return any(place.put("one", 0, realm=f"realm {number}") for _ in range(50))

    done = _at_once(put)
    found = [f"realm {number}" in place.texts() for number in range(len(done))]
    _require(done == found, "what threads put into several realms at once is all there")
    _require(all(done), "put() returns False again and again, though nobody else uses the realm")


def _at_once(do: Callable[[int], Any], threads: int = 8) -> list[Any]:
    """Call a function in several threads at once, with their numbers."""
    together = threading.Barrier(threads)

    def begin(number: int) -> Any:
        together.wait(30)
        return do(number)

    with _switching_often(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))


@contextmanager
def _switching_often() -> Iterator[None]:
    """Let threads take turns within a few lines, so that a gap between two of them shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


# Methods that a store may have


def peek_agrees_with_get(open_store: Open) -> None:
    """`peek`, if there is one, returns the entries that `get` returns."""
    place = _Place(open_store)
    peek = getattr(place.store, "peek", None)
    for realm in ("api", "", "api"):
        if peek is not None:
            found = peek(place.origin, place.account)
            _require(found == place.get().entries, "peek() returns the entries that get() returns")
        place.must_put(f"{realm} text", realm=realm)


def wait_ends_with_a_change(open_store: Open) -> None:
    """`wait`, if there is one, ends when the text changes, when it has, or after the time.

    It may raise `LookupError` if nobody announces changes here: then the clients poll.
    """
    place = _Place(open_store)
    if hasattr(place.store, "wait"):
        place.must_put("one")
        with suppress(LookupError):
            _check_waits(place, place.entry().revision)


def _check_waits(place: _Place, first: int) -> None:
    waited = _seconds_waited(place, first, 0.2)
    _require(waited < _PATIENCE, f"wait() of 0.2 seconds ends in time; it took {waited:.1f}")
    with _put_soon(place):
        waited = _seconds_waited(place, first, 2 * _PATIENCE)
    _require(waited < _PATIENCE, f"wait() ends soon after a change; it took {waited:.1f} seconds")
    waited = _seconds_waited(place, first, 2 * _PATIENCE)
    _require(
        waited < _PATIENCE, f"wait() ends at once after a change; it took {waited:.1f} seconds"
    )


@contextmanager
def _put_soon(place: _Place) -> Iterator[None]:
    """Put a text while the block waits."""
    putting = threading.Timer(0.3, place.must_put, ["two"])
    putting.start()
    try:
        yield
    finally:
        putting.join()


def _seconds_waited(place: _Place, revision: int, seconds: float) -> float:
    began = time.monotonic()
    cast("Any", place.store).wait(place.origin, place.account, "api", revision, seconds)
    return time.monotonic() - began


LAWS: tuple[Law, ...] = (
    nothing_is_there_at_first,
    what_is_put_is_there,
    a_text_is_replaced,
    each_change_gives_another_revision,
    what_has_changed_is_not_replaced,
    a_text_that_comes_with_before_is_compared,
    places_are_kept_apart,
    a_text_is_kept_as_it_is,
    a_durable_text_is_stored,
    a_snapshot_stays_as_it_was,
    the_clock_goes_on,
    nothing_stored_shows_in_a_repr,
    one_of_many_threads_is_first,
    no_change_is_lost,
    realms_do_not_disturb_each_other,
    peek_agrees_with_get,
    wait_ends_with_a_change,
)
