"""How many logins are led in a window, and how many realms of an origin are known."""

import pytest

from relogin import LoginUnavailable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import KEY, ORIGIN, Clock, Steps, a_cache, challenge, fail, log_in, refused


def test_each_realm_has_a_budget_of_its_own() -> None:
    cache = a_cache(budget=1)
    log_in(cache)
    assert Steps(cache, refused(cache.newer(KEY, None))).outcome is Outcome.OVER_BUDGET
    assert Steps(cache, refused(challenge=challenge(None, "other"))).leads


def test_a_reset_gives_a_new_budget() -> None:
    cache = a_cache(budget=1)
    log_in(cache)
    cache.reset()
    assert Steps(cache, refused()).leads


@pytest.mark.requirement("C-19")
def test_no_more_than_sixteen_realms_of_an_origin_are_known_at_once() -> None:
    clock = Clock()
    cache = a_cache(clock, budget_window=30.0)
    outcomes = []
    for number in range(20):
        steps = Steps(cache, refused(challenge=challenge(None, str(number))))
        outcomes.append(
            steps.send(f"t{number}").replay.credential if steps.leads else steps.outcome
        )
    assert outcomes[16:] == [Outcome.OVER_BUDGET] * 4
    clock.now += 30.0
    assert Steps(cache, refused(challenge=challenge(None, "new"))).leads
    assert len(cache._spaces[ORIGIN]) == 16
    assert cache.newer(KEY._replace(realm="0"), None) is None  # it made room
    assert cache.newer(KEY._replace(realm="1"), None) is outcomes[1]


def test_a_realm_that_is_known_needs_no_room() -> None:
    clock = Clock()
    cache = a_cache(clock, budget_window=30.0)
    credential = [
        Steps(cache, refused(challenge=challenge(None, str(number)))).send("t").replay.credential
        for number in range(16)
    ]
    clock.now += 30.0
    assert Steps(cache, refused(credential[9], challenge(None, "9"))).leads
    assert [cache.newer(each.key, None) for each in credential] == credential


def test_a_realm_whose_login_is_under_way_or_pauses_does_not_make_room() -> None:
    clock = Clock()
    cache = a_cache(clock, budget_window=30.0, login_timeout=1000.0)
    running = Steps(cache, refused(challenge=challenge(None, "running")))
    fail(cache, LoginUnavailable(retry_after=3600.0), realm="pausing")
    for number in range(14):
        Steps(cache, refused(challenge=challenge(None, str(number)))).send(f"t{number}")
    clock.now += 30.0
    assert Steps(cache, refused(challenge=challenge(None, "new"))).leads
    assert running.throw(LoginUnavailable()).outcome is Outcome.UNAVAILABLE
    pausing = Steps(cache, refused(challenge=challenge(None, "pausing")))
    assert pausing.outcome is Outcome.UNAVAILABLE


@pytest.mark.requirement("C-19")
def test_so_many_logins_are_led_in_a_window_and_no_more() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=2, budget_window=30.0)
    credential = log_in(cache)
    clock.now += 10
    log_in(cache, "t2", refused(credential))
    over = Steps(cache, refused(cache.newer(KEY, None)))
    assert (over.outcome, over.final.failure) == (Outcome.OVER_BUDGET, None)
    clock.now += 20  # the first is out of the window
    assert Steps(cache, refused(cache.newer(KEY, None))).leads


def cancelled(cache: CredentialCache, *, sends: bool) -> None:
    steps = Steps(cache, refused(cache.newer(KEY, None)))
    assert steps.leads
    if sends:
        steps.login.context.progress.sends("POST")
    steps.flow.close()


def test_a_login_that_was_cancelled_before_it_sent_anything_gives_its_place_back() -> None:
    cache = a_cache(budget=2)
    for _ in range(5):
        cancelled(cache, sends=False)
    assert Steps(cache, refused()).leads


@pytest.mark.requirement("C-19")
def test_a_cancelled_login_that_has_sent_something_counts_and_locks_nobody_out() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=3, budget_window=30.0)
    for _ in range(3):
        cancelled(cache, sends=True)
    assert Steps(cache, refused()).outcome is Outcome.OVER_BUDGET
    for _ in range(3):
        clock.now += 9.0
        assert Steps(cache, refused()).outcome is Outcome.OVER_BUDGET
        clock.now += 1.0  # a third of the window since the last one
        cancelled(cache, sends=True)


def test_logins_that_ended_count_in_full_beside_those_that_were_cancelled() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=2, budget_window=30.0)
    credential = log_in(cache)
    clock.now += 1.0
    cancelled(cache, sends=True)
    clock.now += 15.0
    log_in(cache, "t2", refused(credential))
    clock.now += 13.0
    assert Steps(cache, refused(cache.newer(KEY, None))).outcome is Outcome.OVER_BUDGET


def test_where_logins_have_a_client_of_their_own_a_cancelled_one_counts() -> None:
    cache = a_cache(budget=2)
    log_in(cache)  # which has never asked for context.http
    cancelled(cache, sends=False)
    assert Steps(cache, refused(cache.newer(KEY, None))).outcome is Outcome.OVER_BUDGET


def test_a_login_that_was_overtaken_gives_back_no_place_of_another() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=2)
    late = Steps(cache, refused())
    clock.now += 31.0
    log_in(cache)
    cache.reset()
    late.flow.close()
    log_in(cache)
    assert len(cache._spaces[ORIGIN][KEY].logins) == 1


def test_a_login_cancelled_after_a_later_one_counts_no_longer_than_others() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=3, budget_window=120.0)
    late = Steps(cache, refused())
    late.login.context.progress.sends("POST")
    clock.now += 31.0  # and so the next one overtakes it
    cancelled(cache, sends=True)
    late.flow.close()
    clock.now += 69.0
    log_in(cache)
    clock.now += 21.0
    assert Steps(cache, refused(cache.newer(KEY, None))).leads
