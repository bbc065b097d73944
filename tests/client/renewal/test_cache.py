"""The cache of credentials: forks, generations, whose grant a request gets, and lifetimes."""

import gc
import os
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from math import inf

import pytest

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache, _after_fork_in_child
from relogin.client.renewal.checks import PendingCheck
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.protection_spaces import ProtectionSpace
from tests.client.steps import KEY, ORIGIN, URL, Clock, a_cache, log_in, refused


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


def lets_go(cache: CredentialCache) -> None:
    cache.let_go()


def joins_a_check(cache: CredentialCache) -> None:
    of_its_own = PendingCheck(KEY, inf)
    assert cache.join_check(of_its_own) is of_its_own


def resets(cache: CredentialCache) -> None:
    cache.reset()


def signs(cache: CredentialCache) -> None:
    assert cache.for_request(ORIGIN, URL) is None


def looks_for_a_renewal(cache: CredentialCache) -> None:
    assert cache.under_way(KEY, None) is None


def joins(cache: CredentialCache) -> None:
    """Do nothing: the next step of the test is the first to notice."""


@pytest.mark.parametrize(
    "notices", [joins, joins_a_check, lets_go, looks_for_a_renewal, resets, signs]
)
def test_a_child_of_a_fork_without_hooks_leaves_all_to_its_parent(
    notices: Callable[[CredentialCache], None],
) -> None:
    cache = a_cache()
    leader = Flight(KEY)
    cache.join(leader, None)
    cache.space(KEY).latest = Grant(token="t1", refresh="r1")  # type: ignore[union-attr]
    cache.process = 0  # that of the parent, for uWSGI forks without Python's hooks
    with cache._lock:
        notices(cache)
        mine = Flight(KEY)
        assert cache.join(mine, None) is mine
    assert mine.previous == (None if notices is resets else Grant(token="t1"))
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
    cache = a_cache(bare=True)
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
