"""The laws of the book, under any order of joining, ending, dropping, rolling and resetting."""

import gc
import weakref
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from relogin import Grant
from relogin.client.book import Blocked, Book, Flight, Status, _after_fork_in_child
from relogin.client.policy import SESSION, Action, Demand, Held, Key
from tests.client.steps import KEY, ORIGIN, URL, Clock, a_book, log_in, refused

KEYS = [KEY, KEY._replace(realm="other"), KEY._replace(realm="")]


def demand(key: Key) -> Demand:
    return Demand(key, Action.RENEW, SESSION, None, None)


class Laws(RuleBasedStateMachine):
    """A book that many requests use in any order."""

    flights = Bundle("flights")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.book = a_book(self.clock, budget=1000)
        self.current: dict[Key, Held] = {}
        self.highest = 0
        self.led: list[Flight] = []
        self.woken: list[Flight] = []
        self.watched: list[Flight] = []

    @rule(target=flights, key=st.sampled_from(KEYS), dead=st.none() | grants)
    def join(self, key: Key, dead: Held | None) -> Flight:
        mine = self.book.flight(key)
        joined = self.book.join(mine, dead if dead is not None and dead.key == key else None)
        if joined is mine:
            self.led.append(mine)
        elif isinstance(joined, Flight):
            assert joined.status is Status.RUNNING, "nobody waits for a renewal that has ended"
            assert self.clock.now < joined.deadline
            self.watch(joined)
        elif isinstance(joined, Held):
            assert joined is self.current[key]
        else:
            assert isinstance(joined, Blocked)
        return mine

    def watch(self, flight: Flight) -> None:
        if self.book.watch(flight, lambda: self.woken.append(flight)):
            self.watched.append(flight)

    @rule(target=grants, flight=flights, token=st.sampled_from(["a", "b"]))
    def granted(self, flight: Flight, token: str) -> Any:
        held = self.book.granted(flight, demand(flight.key), Grant(token=token), URL)
        if held is None:
            return self.current.get(flight.key)
        assert held.generation > self.highest, "generations only grow"
        assert flight in self.led
        self.highest, self.current[flight.key] = held.generation, held
        return held

    @rule(target=grants, key=st.sampled_from(KEYS))
    def renew(self, key: Key) -> Any:
        """Take a renewal from its beginning to its end, which few random steps would do."""
        mine = self.join(key, self.current.get(key))
        return self.granted(mine, "c")

    @rule(flight=flights, status=st.sampled_from([Status.DECLINED, Status.ABANDONED]))
    def end(self, flight: Flight, status: Status) -> None:
        self.book.end(flight, status)

    @rule(flight=flights, refused=st.booleans())
    def fail(self, flight: Flight, refused: bool) -> None:
        self.book.failed(flight, ConnectionError(), refused=refused)

    @rule(held=grants)
    def drop(self, held: Held | None) -> None:
        if held is not None:
            self.book.drop(held)
            if held.generation == self.generation(held.key):
                del self.current[held.key]

    @rule(held=grants, value=st.sampled_from(["1", "2"]))
    def roll(self, held: Held | None, value: str) -> None:
        if held is not None:
            before = self.book.newer(held.key, None)
            self.book.roll(held, {"sid": value})
            after = self.book.newer(held.key, None)
            assert self.generation(held.key) == (after.generation if after else 0)
            if after is not None and after.generation == held.generation:
                assert after.cookies["sid"] == value
                self.current[held.key] = after
            else:
                assert after is before, "an older grant changes nothing"

    def generation(self, key: Key) -> int:
        held = self.current.get(key)
        return held.generation if held is not None else 0

    @rule(seconds=st.sampled_from([0.5, 29.0, 31.0, 4000.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def reset(self) -> None:
        self.book.reset()
        self.current.clear()

    @rule()
    def fork(self) -> None:
        self.book._reset_after_fork()

    @invariant()
    def at_most_one_current_renewal_a_key_and_that_one_runs(self) -> None:
        for key, flight in self.book._flights.items():
            assert flight.key == key
            assert flight.status is Status.RUNNING

    @invariant()
    def the_newest_grant_is_held(self) -> None:
        for key in KEYS:
            held = self.book.newer(key, None)
            assert held is self.current.get(key)
            if held is not None:
                assert self.book.newer(key, held) is None

    @invariant()
    def whoever_watched_a_renewal_that_has_ended_was_woken(self) -> None:
        for flight in self.watched:
            assert flight.status is Status.RUNNING or flight in self.woken

    @invariant()
    def the_lock_is_free(self) -> None:
        assert not self.book._lock.locked()


TestLaws = Laws.TestCase
TestLaws.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_book_that_nobody_uses_is_freed() -> None:
    book: Book | None = a_book()
    gone = weakref.ref(book)
    book = None
    gc.collect()
    assert gone() is None


def test_a_renewal_that_has_ended_cannot_be_watched() -> None:
    book = a_book()
    flight = book.flight(KEY)
    book.end(flight, Status.DECLINED)
    assert book.watch(flight, lambda: None) is False


def test_a_waker_that_was_taken_back_is_not_called() -> None:
    book, woken = a_book(), []
    flight = book.flight(KEY)

    def wake() -> None:
        woken.append(True)

    book.watch(flight, wake)
    book.unwatch(flight, wake)
    book.unwatch(flight, wake)
    book.end(flight, Status.DECLINED)
    assert woken == []


def test_after_a_fork_the_child_has_a_lock_and_no_renewals_of_its_parent() -> None:
    book = a_book()
    leader = book.flight(KEY)
    book.join(leader, None)
    with book._lock:
        _after_fork_in_child()
        assert not book._lock.locked()
    mine = book.flight(KEY)
    assert book.join(mine, None) is mine


def test_what_a_server_rolls_keeps_the_generation() -> None:
    book = a_book()
    held = log_in(book)
    book.roll(held, {"sid": "2"})
    current = book.current(held)
    assert (current.generation, dict(current.cookies)) == (held.generation, {"sid": "2"})


def test_an_older_grant_is_current_of_nothing() -> None:
    book = a_book()
    old = log_in(book)
    log_in(book, "t2", refused(old))
    assert book.current(old) is old
    book.reset()
    assert book.current(old) is old


@pytest.mark.requirement("C-7")
def test_nothing_that_is_said_of_an_older_grant_changes_the_newer_one() -> None:
    book = a_book()
    old = log_in(book)
    new = log_in(book, "t2", refused(old))
    book.roll(old, {"sid": "stale"})
    book.extend(old, 1.0)
    book.keep(old)
    book.drop(old)
    assert book.newer(KEY, None) is new


def test_a_reset_between_looking_and_choosing_leaves_nothing_to_choose() -> None:
    book = a_book()
    log_in(book, "one", refused(challenge='Session realm="one"'))
    log_in(book, "two", refused(challenge='Session realm="two"'))
    book._spaces.clear()  # as a reset by another thread does in that moment
    assert book.for_request(ORIGIN, URL) is None


def test_folders_are_chosen_by_the_deepest_that_was_asked_for() -> None:
    book = a_book()
    deep = log_in(book, "deep", refused(url=f"{URL[:-8]}a/b/1", challenge='Session realm="deep"'))
    flat = log_in(book, "flat", refused(url=f"{URL[:-8]}a/1", challenge='Session realm="flat"'))
    base = "https://api.example.com"
    chosen = {path: book.for_request(ORIGIN, base + path) for path in ("/a/b/2", "/a/2", "/c")}
    assert chosen == {"/a/b/2": deep, "/a/2": flat, "/c": None}


def test_of_the_folders_of_a_realm_the_deepest_counts() -> None:
    book = a_book()
    base = "https://api.example.com"
    deep = log_in(book, "deep", refused(url=f"{base}/a/1", challenge='Session realm="deep"'))
    book.asked(deep.key, f"{base}/a/b/c/1")
    log_in(book, "flat", refused(url=f"{base}/a/b/1", challenge='Session realm="flat"'))
    assert book.for_request(ORIGIN, f"{base}/a/b/c/2") is deep


def test_where_one_grant_is_left_it_is_sent_everywhere() -> None:
    book = a_book()
    one = log_in(book, "one", refused(url=f"{URL[:-8]}a/1", challenge='Session realm="one"'))
    two = log_in(book, "two", refused(url=f"{URL[:-8]}b/1", challenge='Session realm="two"'))
    book.drop(one)
    assert book.for_request(ORIGIN, "https://api.example.com/c") is two
    book.drop(two)
    assert book.for_request(ORIGIN, "https://api.example.com/c") is None


def test_sixteen_folders_of_a_realm_are_remembered() -> None:
    book = a_book()
    log_in(book)
    for number in range(30):
        book.asked(KEY, f"https://api.example.com/{number}/x")
    assert len(book._spaces[ORIGIN][KEY].folders) == 16


def test_what_is_asked_for_in_an_unknown_realm_is_not_remembered() -> None:
    book = a_book()
    book.asked(KEY, URL)
    assert book._spaces == {}


@pytest.mark.parametrize(
    ("seconds", "due"), [(100.0, True), (0.5, True), (0.0, False), (-1.0, False)]
)
def test_an_end_is_renewed_ahead_by_a_tenth_to_a_fifth(seconds: float, due: bool) -> None:
    clock = Clock()
    book = a_book(clock)
    held = log_in(book)
    book.extend(held, seconds)
    renew_at = book.current(held).renew_at
    assert (renew_at is not None) is due
    if renew_at is not None:
        assert 0.8 * seconds <= renew_at - clock.now <= 0.9 * seconds


def test_a_fleet_does_not_renew_in_step() -> None:
    book = a_book()
    held = log_in(book)
    moments = set()
    for _ in range(20):
        book.extend(held, 100.0)
        moments.add(book.current(held).renew_at)
    assert len(moments) > 10
