"""The laws of the book, under any order of joining, ending, dropping, rolling and resetting."""

import gc
import os
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from math import inf
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache, _after_fork_in_child
from relogin.client.renewal.checks import PendingCheck
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Credential, Decision, Key
from relogin.client.renewal.protection_spaces import Blocked, ProtectionSpace
from relogin.client.responders import SESSION, Action
from tests.client.steps import KEY, ORIGIN, URL, Clock, a_cache, log_in, refused

KEYS = [KEY, KEY._replace(realm="other"), KEY._replace(realm="")]


def decision(key: Key) -> Decision:
    return Decision(key, Action.RENEW, SESSION, None, None)


class Laws(RuleBasedStateMachine):
    """A book that many requests use in any order."""

    flights = Bundle("flights")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.cache = a_cache(self.clock, budget=1000)
        self.current: dict[Key, Credential] = {}
        self.highest = 0
        self.led: list[Flight] = []
        self.woken: list[Flight] = []
        self.watched: list[Flight] = []

    @rule(target=flights, key=st.sampled_from(KEYS), dead=st.none() | grants)
    def join(self, key: Key, dead: Credential | None) -> Flight:
        mine = Flight(key)
        joined = self.cache.join(mine, dead if dead is not None and dead.key == key else None)
        if joined is mine:
            self.led.append(mine)
        elif isinstance(joined, Flight):
            assert joined.status is Status.RUNNING, "nobody waits for a renewal that has ended"
            assert self.clock.now < joined.deadline
            self.watch(joined)
        elif isinstance(joined, Credential):
            assert joined is self.current[key]
        else:
            assert isinstance(joined, Blocked)
        return mine

    def watch(self, flight: Flight) -> None:
        if self.cache.watch(flight, lambda: self.woken.append(flight)):
            self.watched.append(flight)

    @rule(target=grants, flight=flights, token=st.sampled_from(["a", "b"]))
    def granted(self, flight: Flight, token: str) -> Any:
        credential = self.cache.granted(flight, decision(flight.key), Grant(token=token), URL)
        if credential is None:
            return self.current.get(flight.key)
        assert credential.generation > self.highest, "generations only grow"
        assert flight in self.led
        self.highest, self.current[flight.key] = credential.generation, credential
        return credential

    @rule(target=grants, key=st.sampled_from(KEYS))
    def renew(self, key: Key) -> Any:
        """Take a renewal from its beginning to its end, which few random steps would do."""
        mine = self.join(key, self.current.get(key))
        return self.granted(mine, "c")

    @rule(flight=flights, status=st.sampled_from([Status.DECLINED, Status.ABANDONED]))
    def end(self, flight: Flight, status: Status) -> None:
        self.cache.end(flight, status)

    @rule(flight=flights, refused=st.booleans())
    def fail(self, flight: Flight, refused: bool) -> None:
        self.cache.failed(flight, ConnectionError(), refused=refused)

    @rule(credential=grants)
    def drop(self, credential: Credential | None) -> None:
        if credential is not None:
            self.cache.drop(credential)
            if credential.generation == self.generation(credential.key):
                del self.current[credential.key]

    @rule(credential=grants, value=st.sampled_from(["1", "2"]))
    def roll(self, credential: Credential | None, value: str) -> None:
        if credential is not None:
            before = self.cache.newer(credential.key, None)
            self.cache.roll(credential, {"sid": value})
            after = self.cache.newer(credential.key, None)
            assert self.generation(credential.key) == (after.generation if after else 0)
            if after is not None and after.generation == credential.generation:
                assert after.cookies["sid"] == value
                self.current[credential.key] = after
            else:
                assert after is before, "an older grant changes nothing"

    def generation(self, key: Key) -> int:
        credential = self.current.get(key)
        return credential.generation if credential is not None else 0

    @rule(seconds=st.sampled_from([0.5, 29.0, 31.0, 4000.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def reset(self) -> None:
        self.cache.reset()
        self.current.clear()

    @rule()
    def fork(self) -> None:
        self.cache._begin_in_child()

    @invariant()
    def at_most_one_current_renewal_a_key_and_that_one_runs(self) -> None:
        for key, flight in self.cache._flights.items():
            assert flight.key == key
            assert flight.status is Status.RUNNING

    @invariant()
    def the_newest_grant_is_held(self) -> None:
        for key in KEYS:
            credential = self.cache.newer(key, None)
            assert credential is self.current.get(key)
            if credential is not None:
                assert self.cache.newer(key, credential) is None

    @invariant()
    def whoever_watched_a_renewal_that_has_ended_was_woken(self) -> None:
        for flight in self.watched:
            assert flight.status is Status.RUNNING or flight in self.woken

    @invariant()
    def the_lock_is_free(self) -> None:
        assert not self.cache._lock.locked()


TestLaws = Laws.TestCase
TestLaws.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_cache_that_nobody_uses_is_freed() -> None:
    cache: CredentialCache | None = a_cache()
    gone = weakref.ref(cache)
    cache = None
    gc.collect()
    assert gone() is None


def test_a_renewal_that_has_ended_cannot_be_watched() -> None:
    cache = a_cache()
    flight = Flight(KEY)
    cache.end(flight, Status.DECLINED)
    assert cache.watch(flight, lambda: None) is False


def test_a_waker_that_was_taken_back_is_not_called() -> None:
    cache, woken = a_cache(), []
    flight = Flight(KEY)

    def wake() -> None:
        woken.append(True)

    cache.watch(flight, wake)
    cache.unwatch(flight, wake)
    cache.unwatch(flight, wake)
    cache.end(flight, Status.DECLINED)
    assert woken == []


def test_after_a_fork_the_child_has_a_lock_and_no_renewals_of_its_parent() -> None:
    cache = a_cache()
    leader = Flight(KEY)
    cache.join(leader, None)
    with cache._lock:
        _after_fork_in_child()
        assert not cache._lock.locked()
    mine = Flight(KEY)
    assert cache.join(mine, None) is mine


@pytest.mark.parametrize(
    "notices", ["for_request", "join", "let_go", "join_check", "reset", "under_way"]
)
def test_a_child_of_a_fork_without_hooks_leaves_all_to_its_parent(notices: str) -> None:
    cache = a_cache()
    leader = Flight(KEY)
    cache.join(leader, None)
    cache.space(KEY).latest = Grant(token="t1", refresh="r1")  # type: ignore[union-attr]
    cache.process = 0  # that of the parent, for uWSGI forks without Python's hooks
    with cache._lock:
        if notices == "for_request":
            assert cache.for_request(ORIGIN, URL) is None
        if notices == "let_go":
            cache.let_go()
        if notices == "join_check":
            assert cache.join_check(of_its_own := PendingCheck(KEY, inf)) is of_its_own
        if notices == "reset":
            cache.reset()
        if notices == "under_way":
            assert cache.under_way(KEY, None) is None
        mine = Flight(KEY)
        assert cache.join(mine, None) is mine
    assert mine.previous == (None if notices == "reset" else Grant(token="t1"))
    assert cache.process == os.getpid()


def test_of_many_threads_that_notice_a_fork_one_begins_anew_and_the_others_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, begun, others = a_cache(), [], ThreadPoolExecutor(1)
    begin, mine = cache._begin_in_child, Flight(KEY)

    def begin_with_another() -> None:
        begun.append(joining := others.submit(cache.join, mine, None))
        assert not wait([joining], 0.05).done
        begin()

    monkeypatch.setattr(cache, "_begin_in_child", begin_with_another)
    cache.process = 0
    with others:
        cache.let_go()
    assert [joining.result() for joining in begun] == [mine]
    assert cache.under_way(KEY, None) is mine


def test_what_a_server_rolls_keeps_the_generation() -> None:
    cache = a_cache()
    credential = log_in(cache)
    cache.roll(credential, {"sid": "2"})
    current = cache.current(credential)
    assert (current.generation, dict(current.cookies)) == (credential.generation, {"sid": "2"})


def test_an_older_grant_is_current_of_nothing() -> None:
    cache = a_cache()
    old = log_in(cache)
    log_in(cache, "t2", refused(old))
    assert cache.current(old) is old
    cache.reset()
    assert cache.current(old) is old


@pytest.mark.requirement("C-7")
def test_nothing_that_is_said_of_an_older_grant_changes_the_newer_one() -> None:
    cache = a_cache()
    old = log_in(cache)
    new = log_in(cache, "t2", refused(old))
    cache.roll(old, {"sid": "stale"})
    cache.extend(old, 1.0)
    cache.keep(old)
    cache.drop(old)
    assert cache.newer(KEY, None) is new


def test_a_reset_between_looking_and_choosing_leaves_nothing_to_choose() -> None:
    cache = a_cache()
    log_in(cache, "one", refused(challenge='Session realm="one"'))
    log_in(cache, "two", refused(challenge='Session realm="two"'))
    cache._spaces.clear()  # as a reset by another thread does in that moment
    assert cache.for_request(ORIGIN, URL) is None


def test_folders_are_chosen_by_the_deepest_that_was_asked_for() -> None:
    cache = a_cache()
    deep = log_in(cache, "deep", refused(url=f"{URL[:-8]}a/b/1", challenge='Session realm="deep"'))
    flat = log_in(cache, "flat", refused(url=f"{URL[:-8]}a/1", challenge='Session realm="flat"'))
    base = "https://api.example.com"
    chosen = {path: cache.for_request(ORIGIN, base + path) for path in ("/a/b/2", "/a/2", "/c")}
    assert chosen == {"/a/b/2": deep, "/a/2": flat, "/c": None}


def test_of_two_realms_in_one_folder_the_one_asked_for_last_is_chosen() -> None:
    # A server may name no realm at first; and an answer that was cut short may have lost its name.
    cache = a_cache(bare=SESSION)
    nameless = log_in(cache, "nameless", refused(challenges=()))
    named = log_in(cache, "named", refused(nameless))
    assert (nameless.key.realm, named.key.realm) == ("", "api")
    assert cache.for_request(ORIGIN, URL) is named


def test_of_the_folders_of_a_realm_the_deepest_counts() -> None:
    cache = a_cache()
    base = "https://api.example.com"
    deep = log_in(cache, "deep", refused(url=f"{base}/a/1", challenge='Session realm="deep"'))
    cache.asked(deep.key, f"{base}/a/b/c/1")
    log_in(cache, "flat", refused(url=f"{base}/a/b/1", challenge='Session realm="flat"'))
    assert cache.for_request(ORIGIN, f"{base}/a/b/c/2") is deep


def test_where_one_grant_is_left_it_is_sent_everywhere() -> None:
    cache = a_cache()
    one = log_in(cache, "one", refused(url=f"{URL[:-8]}a/1", challenge='Session realm="one"'))
    two = log_in(cache, "two", refused(url=f"{URL[:-8]}b/1", challenge='Session realm="two"'))
    cache.drop(one)
    assert cache.for_request(ORIGIN, "https://api.example.com/c") is two
    cache.drop(two)
    assert cache.for_request(ORIGIN, "https://api.example.com/c") is None


def test_of_two_realms_of_a_folder_the_later_is_chosen() -> None:
    cache, base = a_cache(), "https://api.example.com"
    log_in(cache, "old", refused(url=f"{base}/a/1", challenge='Session realm="old"'))
    new = log_in(cache, "new", refused(url=f"{base}/a/2", challenge='Session realm="new"'))
    chosen = [cache.for_request(ORIGIN, f"{base}/a/{path}") for path in ("1", "2", "3", "b/4")]
    assert chosen == [new] * 4


def test_two_realms_that_share_a_folder_are_told_apart_by_their_paths() -> None:
    cache, base = a_cache(), "https://api.example.com"
    one = log_in(cache, "one", refused(url=f"{base}/one", challenge='Session realm="one"'))
    two = log_in(cache, "two", refused(url=f"{base}/two", challenge='Session realm="two"'))
    cache.asked(one.key, f"{base}/one")
    chosen = [cache.for_request(ORIGIN, base + path) for path in ("/one?x", "/two", "/twofold")]
    assert chosen == [one, two, one]


def test_the_last_sixteen_places_of_a_realm_are_remembered() -> None:
    cache = a_cache()
    log_in(cache)
    for number in [*range(30), 20]:
        cache.asked(KEY, f"https://api.example.com/{number}/x")
    places = list(cache._spaces[ORIGIN][KEY].places)
    assert places == [f"/{n}/" for n in [14, *range(15, 20), *range(21, 30), 20]]


def test_what_is_asked_for_in_an_unknown_realm_is_not_remembered() -> None:
    cache = a_cache()
    cache.asked(KEY, URL)
    assert cache._spaces == {}


@pytest.mark.parametrize(
    ("seconds", "due"), [(100.0, True), (0.5, True), (0.0, False), (-1.0, False)]
)
def test_an_end_is_renewed_ahead_by_a_tenth_to_a_fifth(seconds: float, due: bool) -> None:
    clock = Clock()
    cache = a_cache(clock)
    credential = log_in(cache)
    cache.extend(credential, seconds)
    renew_at = cache.current(credential).renew_at
    assert (renew_at is not None) is due
    if renew_at is not None:
        assert 0.8 * seconds <= renew_at - clock.now <= 0.9 * seconds


def test_several_processes_do_not_renew_in_step() -> None:
    cache = a_cache()
    credential = log_in(cache)
    moments = set()
    for _ in range(20):
        cache.extend(credential, 100.0)
        moments.add(cache.current(credential).renew_at)
    assert len(moments) > 10


def test_of_a_session_that_was_forgotten_nothing_is_remembered() -> None:
    cache = a_cache()
    credential = log_in(cache)
    cache.reset()
    cache.note_persistent(credential, "GET", URL)
    cache.note_accepted(credential, "GET", URL)
    assert not cache.has_persisted(credential, "GET", URL, bare=True)


def test_a_fork_leaves_the_refresh_token_to_its_parent() -> None:
    space = ProtectionSpace()
    space.latest = Grant(token="t1", refresh="r1")
    space.forget_refresh_token()
    assert space.latest == Grant(token="t1")
