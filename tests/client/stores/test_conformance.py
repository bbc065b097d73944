"""The check of a store finds each law that a store breaks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from relogin.client.stores import Entry, Snapshot, conformance
from relogin.client.stores.conformance import LAWS, check_async_store, check_store
from relogin.client.stores.memory import MemoryStore

Get = Callable[[str, str], Snapshot]
Put = Callable[[str, str, str, Entry], bool]


class Changed:
    """A store in memory, of which a test changes one thing."""

    def __init__(self) -> None:
        kept = MemoryStore()
        self.get: Any = kept.get
        self.put: Any = kept.put


class Clock:
    """In place of `time`: it goes on when somebody sleeps, not when the machine is busy."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


CLOCK = Clock()


def entries(store: Any, change: Callable[[Mapping[str, Entry]], Any]) -> None:
    """Let a store return other entries than it holds."""
    get: Get = store.get
    store.get = lambda *place: Snapshot(change(get(*place).entries), get(*place).now)


def each_entry(store: Any, change: Callable[[Entry], Any]) -> None:
    entries(store, lambda found: {realm: change(entry) for realm, entry in found.items()})


def moments(store: Any, clock: Callable[[], Any]) -> None:
    get: Get = store.get
    store.get = lambda *place: get(*place)._replace(now=clock())


def is_made_up(store: Any) -> None:
    entries(store, lambda found: found or {"api": Entry("{}", 1)})


def is_another_shape(store: Any) -> None:
    get: Get = store.get
    store.get = lambda *place: tuple(get(*place))


def has_entries_of_another_shape(store: Any) -> None:
    each_entry(store, tuple)


def answers_with_a_number(store: Any) -> None:
    put: Put = store.put
    store.put = lambda *given: int(put(*given))


def is_forgotten_at_once(store: Any) -> None:
    store.put = lambda *given: True


def is_another_text(store: Any) -> None:
    each_entry(store, lambda entry: entry._replace(text=entry.text + " "))


def is_numbered_from_0(store: Any) -> None:
    get, put = store.get, store.put
    each_entry(store, lambda entry: entry._replace(revision=entry.revision - 1))

    def put_next(origin: str, account: str, realm: str, entry: Entry) -> bool:
        more = int(realm in get(origin, account).entries)
        return bool(put(origin, account, realm, entry._replace(revision=entry.revision + more)))

    store.put = put_next


def is_never_replaced(store: Any) -> None:
    put: Put = store.put
    store.put = lambda *given: given[3].revision == 0 and put(*given)


def keeps_its_revision(store: Any) -> None:
    """The revision is computed from the text, so it comes again with the text."""
    get: Get = store.get
    put: Put = store.put
    each_entry(store, lambda entry: entry._replace(revision=1 + sum(entry.text.encode())))

    def compare(origin: str, account: str, realm: str, entry: Entry) -> bool:
        before = get(origin, account).entries.get(realm, Entry("", 0))
        now = store.get(origin, account).entries.get(realm, before)
        return now.revision == entry.revision and put(
            origin, account, realm, entry._replace(revision=before.revision)
        )

    store.put = compare


def is_replaced_by_anybody(store: Any) -> None:
    get: Get = store.get
    put: Put = store.put

    def replace(origin: str, account: str, realm: str, entry: Entry) -> bool:
        present = get(origin, account).entries.get(realm, Entry("", 0))
        return put(origin, account, realm, entry._replace(revision=present.revision))

    store.put = replace


def is_stored_though_it_was_refused(store: Any) -> None:
    put: Put = store.put
    is_replaced_by_anybody(store)
    replace: Put = store.put

    def refuse(*given: Any) -> bool:
        return put(*given) or not replace(*given)

    store.put = refuse


def is_not_compared_with_before(store: Any) -> None:
    each_entry(store, lambda entry: entry._replace(before=entry.text))


def compares_what_nobody_has_put(store: Any) -> None:
    """Expect no `before` where nothing is stored; clients say that it is empty."""
    put: Put = store.put
    store.put = lambda *given: (
        not (given[3].revision == 0 and given[3].before is not None) and put(*given)
    )


def mixes(store: Any, change: Callable[[str], str]) -> None:
    """Keep those realms and accounts together that are the same after a change."""
    get: Get = store.get
    put: Put = store.put
    store.get = lambda origin, account: get(origin, change(account))
    store.put = lambda origin, account, realm, entry: put(
        origin, change(account), change(realm), entry
    )


def tells_no_capitals_apart(store: Any) -> None:
    mixes(store, str.lower)


def takes_no_space_at_the_end(store: Any) -> None:
    mixes(store, str.rstrip)


def joins_account_and_realm(store: Any) -> None:
    get: Get = store.get
    put: Put = store.put

    def found(origin: str, account: str) -> Snapshot:
        snapshot, start = get(origin, ""), f"{account}:"
        entries = {
            name.removeprefix(start): entry
            for name, entry in snapshot.entries.items()
            if name.startswith(start)
        }
        return snapshot._replace(entries=entries)

    store.get = found
    store.put = lambda origin, account, realm, entry: put(origin, "", f"{account}:{realm}", entry)


def is_cut(store: Any) -> None:
    put: Put = store.put

    def cut(origin: str, account: str, realm: str, entry: Entry) -> bool:
        return put(origin, account, realm, entry._replace(text=entry.text[:60_000]))

    store.put = cut


def is_not_stored_if_durable(store: Any) -> None:
    put: Put = store.put
    store.put = lambda *given: not given[3].durable and put(*given)


def changes_what_was_read(store: Any) -> None:
    kept: dict[tuple[str, str], dict[str, Entry]] = {}
    get: Get = store.get

    def found(origin: str, account: str) -> Snapshot:
        snapshot = get(origin, account)
        entries = kept.setdefault((origin, account), {})
        entries.update(snapshot.entries)
        return snapshot._replace(entries=entries)

    store.get = found


def has_no_number_for_a_clock(store: Any) -> None:
    moments(store, time.ctime)


def has_a_clock_that_stands(store: Any) -> None:
    moments(store, lambda: 7.0)


def has_a_clock_that_goes_back(store: Any) -> None:
    moments(store, lambda: -time.monotonic())


def has_a_clock_of_milliseconds(store: Any) -> None:
    seconds = iter(range(0, 10**9, 1000))
    moments(store, lambda: next(seconds))


def has_a_gap(store: Any) -> None:
    """Compare, and store a moment later."""
    get: Get = store.get
    is_replaced_by_anybody(store)
    replace: Put = store.put

    def put(origin: str, account: str, realm: str, entry: Entry) -> bool:
        present = get(origin, account).entries.get(realm, Entry("", 0))
        if present.revision != entry.revision:
            return False
        if entry.text.startswith(("by", *"0123456789")):
            time.sleep(0.02)
        replace(origin, account, realm, entry)
        return True

    store.put = put


def rewrites_all_realms(store: Any) -> None:
    """Read all realms, and store all of them a moment later."""
    kept: dict[tuple[str, str], dict[str, Entry]] = {}
    lock = threading.Lock()
    store.get = lambda *place: Snapshot(dict(kept.get(place, {})), time.monotonic())

    def put(*given: Any) -> bool:
        with nullcontext() if given[2].startswith("realm") else lock:
            return put_all(*given)

    def put_all(origin: str, account: str, realm: str, entry: Entry) -> bool:
        realms = dict(kept.get((origin, account), {}))
        if realms.get(realm, Entry("", 0)).revision != entry.revision:
            return False
        if realm.startswith("realm"):
            time.sleep(0.05)
        kept[origin, account] = realms | {realm: Entry(entry.text, entry.revision + 1)}
        return True

    store.put = put


def gives_up_beside_others(store: Any) -> None:
    put: Put = store.put
    store.put = lambda *given: not given[2].startswith("realm") and put(*given)


def peeks_at_nothing(store: Any) -> None:
    store.peek = lambda origin, account: {}


def waits_too_long(store: Any) -> None:
    store.wait = lambda *given: CLOCK.sleep(5.0)


def waits_in_vain(store: Any) -> None:
    store.wait = lambda *given: CLOCK.sleep(min(given[4], 5.0))


BROKEN: dict[Callable[[Any], None], str] = {
    is_made_up: "returns no entries where nobody",
    is_another_shape: "returns a Snapshot, not",
    has_entries_of_another_shape: "is an Entry, not",
    answers_with_a_number: "returns True or False, not",
    is_forgotten_at_once: "another process gets the text 'one', not ''",
    is_another_text: "another process gets the text 'one', not 'one '",
    is_numbered_from_0: "is an int above 0, not 0",
    is_never_replaced: "returns True while that is stored",
    keeps_its_revision: "each put.. gives another revision",
    is_replaced_by_anybody: "revision 7 returns False where nothing",
    is_stored_though_it_was_refused: "that returns False stores nothing",
    is_not_compared_with_before: "returns False if before= is another text",
    compares_what_nobody_has_put: "put.. of revision 0 returns True while that is stored",
    tells_no_capitals_apart: "account '' with realm 'API' is kept apart",
    takes_no_space_at_the_end: "account '' with realm 'api ' is kept apart",
    joins_account_and_realm: "are kept apart",
    is_cut: "comes back whole",
    is_not_stored_if_durable: "durable=True is stored too",
    changes_what_was_read: "does not change with the store",
    has_no_number_for_a_clock: "now is a number of seconds",
    has_a_clock_that_stands: "now counts seconds",
    has_a_clock_that_goes_back: "now does not go back",
    has_a_clock_of_milliseconds: "now counts seconds",
    has_a_gap: r"one of 8 threads stores its text|\d+ changes are there",
    rewrites_all_realms: "is all there",
    gives_up_beside_others: "again and again",
    peeks_at_nothing: "peek.. returns the entries",
    waits_too_long: "wait.. of 0.2 seconds ends in time",
    waits_in_vain: "ends soon after a change",
}


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_a_store_that_breaks_a_law_is_found(
    breaks: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "time", CLOCK)
    store = Changed()
    breaks(store)
    with pytest.raises(AssertionError, match=BROKEN[breaks]):
        check_store(lambda: store)


def test_a_text_that_shows_in_a_repr_is_found() -> None:
    class Telling(MemoryStore):
        def __repr__(self) -> str:
            return str(self._of_this_process().entries and "s3cret")

    store = Telling()
    with pytest.raises(AssertionError, match="shows nothing that it holds"):
        check_store(lambda: store)


def test_a_store_that_is_another_one_each_time_is_found() -> None:
    with pytest.raises(AssertionError, match="another process gets the text 'one', not ''"):
        check_store(MemoryStore)


def test_a_store_may_lose_only_changes_that_threads_make_at_once() -> None:
    store = Changed()
    has_a_gap(store)
    (law,) = (law for law in LAWS if law.__name__ == "no_change_is_lost")
    with pytest.raises(AssertionError, match=r"put\(\) returned True \d+ times, and \d+ changes"):
        law(lambda: store)


def test_a_store_whose_changes_nobody_announces_need_not_wait() -> None:
    def wait(*_: object) -> None:
        raise LookupError

    store: Any = Changed()
    store.wait = wait
    check_store(lambda: store)


class Tasks:
    """A store for tasks, over one for threads."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def __repr__(self) -> str:
        return repr(self.store)

    async def get(self, origin: str, account: str) -> Snapshot:
        return self.store.get(origin, account)

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        return self.store.put(origin, account, realm, entry)


def test_a_store_for_tasks_is_checked_in_their_event_loop() -> None:
    async def check(stores: Iterator[MemoryStore]) -> None:
        await check_async_store(lambda: Tasks(next(stores)))

    asyncio.run(check(iter([MemoryStore()] * 10_000)))
    with pytest.raises(AssertionError, match="another process gets the text"):
        asyncio.run(check(iter(MemoryStore, None)))
