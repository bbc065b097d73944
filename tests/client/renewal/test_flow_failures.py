"""What is remembered of logins that failed, and for how long: refusals, pauses, the budget."""

import pytest

from relogin import Grant, InvalidGrant, LoginRefused, LoginUnavailable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.protection_spaces import ProtectionSpace
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import (
    KEY,
    ORIGIN,
    Clock,
    Steps,
    a_cache,
    challenge,
    log_in,
    refused,
)


def fail(cache: CredentialCache, cause: Exception, realm: str = "api") -> LoginUnavailable:
    """Fail one login, and return what the request got."""
    steps = Steps(cache, refused(challenge=challenge(None, realm)))
    failure = steps.throw(cause).final.failure
    assert isinstance(failure, LoginUnavailable)
    return failure


# Refused


@pytest.mark.requirement("C-20")
def test_a_refused_password_is_refused_in_every_realm_of_the_origin() -> None:
    cache = a_cache()
    Steps(cache, refused()).throw(LoginRefused())
    for realm in ("api", "other", ""):
        steps = Steps(cache, refused(challenge=challenge(None, realm)))
        assert steps.outcome is Outcome.REFUSED
        assert isinstance(steps.final.failure, LoginRefused)


def test_another_origin_has_a_refusal_of_its_own() -> None:
    other = "https://b.example:443"
    cache = a_cache(origins=frozenset({ORIGIN, other}))
    Steps(cache, refused()).throw(LoginRefused())
    assert Steps(cache, refused(origin=other, url="https://b.example/")).leads


def test_time_does_not_lift_a_refusal() -> None:
    clock = Clock()
    cache = a_cache(clock)
    Steps(cache, refused()).throw(LoginRefused())
    clock.now += 10**9
    assert Steps(cache, refused()).outcome is Outcome.REFUSED


def test_a_login_that_succeeds_meanwhile_lifts_a_refusal() -> None:
    cache = a_cache()
    one = Steps(cache, refused(challenge=challenge(None, "one")))
    two = Steps(cache, refused(challenge=challenge(None, "two")))
    one.throw(LoginRefused())
    two.send("t")  # the password is right after all
    assert Steps(cache, refused(challenge=challenge(None, "one"))).leads


def test_a_reset_lifts_a_refusal() -> None:
    cache = a_cache()
    Steps(cache, refused()).throw(LoginRefused())
    cache.reset()
    assert Steps(cache, refused()).leads


def test_a_refused_renewal_keeps_a_session_that_lives() -> None:
    cache = a_cache()
    credential = log_in(cache)
    Steps(cache, refused(credential)).throw(LoginRefused())
    assert cache.newer(KEY, None) is credential


def test_the_reason_of_a_refusal_is_told_to_the_user() -> None:
    failure = Steps(a_cache(), refused()).throw(LoginRefused("locked")).final.failure
    assert str(failure) == "the login was refused: locked; it is not tried again until reset()"
    failure = Steps(a_cache(), refused()).throw(LoginRefused()).final.failure
    assert str(failure) == "the login was refused; it is not tried again until reset()"


def test_the_refusal_of_an_overtaken_login_is_its_own_request_s_alone() -> None:
    clock = Clock()
    cache = a_cache(clock)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    log_in(cache, "new")
    assert late.throw(LoginRefused()).outcome is Outcome.REFUSED
    assert Steps(cache, refused(cache.newer(KEY, None))).leads


# Pauses


def test_an_outage_is_left_alone_for_a_while_and_then_tried_again() -> None:
    clock = Clock()
    cache = a_cache(clock)
    pause = fail(cache, ConnectionError()).retry_after
    assert pause is not None
    again = Steps(cache, refused())
    assert again.outcome is Outcome.UNAVAILABLE
    assert isinstance(again.final.failure, LoginUnavailable)
    clock.now += pause
    assert Steps(cache, refused()).leads


def test_pauses_grow_with_jitter_up_to_a_minute() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=100)
    for attempt in range(1, 12):
        steps = Steps(cache, refused())
        assert steps.login.context.attempt == attempt
        failure = steps.throw(ConnectionError()).final.failure
        assert isinstance(failure, LoginUnavailable)
        longest = min(2.0 ** (attempt - 1), 60.0)
        assert failure.retry_after is not None
        assert longest / 2 <= failure.retry_after <= longest
        clock.now += longest


def test_pauses_are_not_the_same_for_all() -> None:
    pauses = {fail(a_cache(), ConnectionError()).retry_after for _ in range(20)}
    assert len(pauses) > 10


@pytest.mark.parametrize(
    ("asked", "pause"), [(7, 7.0), (0, 0.0), (-3, 0.0), (0.5, 0.5), (10**6, 3600.0)]
)
def test_a_pause_that_was_asked_for_is_kept_within_an_hour(asked: float, pause: float) -> None:
    assert fail(a_cache(), LoginUnavailable(retry_after=asked)).retry_after == pause


@pytest.mark.parametrize("nonsense", ["120", None, object(), float("nan")])
def test_a_pause_that_is_no_number_is_none(nonsense: object) -> None:
    error = ConnectionError()
    error.retry_after = nonsense  # type: ignore[attr-defined]
    clock = Clock()
    cache = a_cache(clock)
    assert 0.5 <= (fail(cache, error).retry_after or 0.0) <= 1.0
    clock.now += 1.0
    assert Steps(cache, refused()).leads


def test_how_long_is_left_of_a_pause_is_told() -> None:
    clock = Clock()
    cache = a_cache(clock)
    fail(cache, LoginUnavailable(retry_after=100.0))
    clock.now += 40.0
    failure = Steps(cache, refused()).final.failure
    assert isinstance(failure, LoginUnavailable)
    assert failure.retry_after == pytest.approx(60.0)


def test_an_outage_in_one_realm_is_none_in_another() -> None:
    cache = a_cache()
    fail(cache, ConnectionError(), realm="one")
    assert Steps(cache, refused(challenge=challenge(None, "two"))).leads


def test_success_ends_the_counting_of_failures() -> None:
    clock = Clock()
    cache = a_cache(clock)
    fail(cache, LoginUnavailable(retry_after=0))
    credential = log_in(cache)
    assert Steps(cache, refused(credential)).login.context.attempt == 1


def test_a_login_that_returns_no_grant_says_so_each_time() -> None:
    cache = a_cache()
    failure = Steps(cache, refused()).send(7).final.failure
    assert type(failure) is InvalidGrant
    again = Steps(cache, refused()).final.failure
    assert type(again) is InvalidGrant
    assert again is not failure
    assert str(again) == str(failure)


# The budget


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
def test_one_that_has_sent_something_counts_and_locks_nobody_out() -> None:
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


def test_those_that_ended_count_in_full_beside_those_that_were_cancelled() -> None:
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


def test_one_that_was_overtaken_gives_back_no_place_of_another() -> None:
    clock = Clock()
    cache = a_cache(clock, budget=2)
    late = Steps(cache, refused())
    clock.now += 31.0
    log_in(cache)
    cache.reset()
    late.flow.close()
    log_in(cache)
    assert len(cache._spaces[ORIGIN][KEY].logins) == 1


def test_one_that_is_cancelled_after_a_later_one_counts_no_longer_than_others() -> None:
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


# What becomes of a refresh token


GRANT = Grant(token="t1", refresh="r1")


def previous(cache: CredentialCache) -> Grant | None:
    steps = Steps(cache, refused(cache.newer(KEY, None)))
    steps.flow.close()
    return steps.login.context.previous


def with_refresh_token(clock: Clock | None = None) -> CredentialCache:
    cache = a_cache(clock)
    Steps(cache, refused()).send(GRANT).flow.close()
    return cache


def watched(cache: CredentialCache) -> Steps:
    steps = Steps(cache, refused(cache.newer(KEY, None)))
    done = steps.login.context.progress
    done.watched = done.opened = True
    return steps


def test_a_login_that_was_cancelled_before_it_posted_anything_keeps_its_refresh_token() -> None:
    cache = with_refresh_token()
    steps = watched(cache)
    steps.login.context.progress.sends("GET")  # some metadata, say
    steps.flow.close()
    steps = watched(cache)
    assert steps.login.context.previous == GRANT
    steps.login.context.progress.sends("POST")
    steps.flow.close()
    assert watched(cache).login.context.previous == Grant(token="t1")


def test_what_fails_after_a_refresh_that_was_accepted_has_spent_the_refresh_token() -> None:
    clock = Clock()
    cache = with_refresh_token(clock)
    steps = watched(cache)
    steps.login.context.progress.answered("GET", 200)
    steps.throw(ConnectionRefusedError())
    clock.now += 60.0
    steps = watched(cache)
    assert steps.login.context.previous == GRANT
    steps.login.context.progress.answered("POST", 200)
    steps.throw(ConnectionRefusedError())
    clock.now += 60.0
    assert previous(cache) == Grant(token="t1")


def test_the_newest_refresh_token_is_kept_where_a_ready_made_login_has_obtained_it() -> None:
    clock = Clock()
    cache = a_cache(clock)
    for number, grant in enumerate((GRANT, Grant(token="t2", refresh="r2"))):
        steps = watched(cache)
        steps.login.context.progress.keep(grant)
        steps.throw(ConnectionRefusedError())
        clock.now += 60.0
        assert previous(cache) == Grant(token="t1", refresh=f"r{number + 1}")


def test_a_login_that_is_interrupted_while_its_grant_is_kept_keeps_its_refresh_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    cache = with_refresh_token(Clock())
    steps = watched(cache)
    steps.login.context.progress.sends("POST")
    with monkeypatch.context() as patching:
        patching.setattr(ProtectionSpace, "reaches", interrupt)
        with pytest.raises(KeyboardInterrupt):
            steps.send(Grant(token="t2", refresh="r2"))
    assert previous(cache) == Grant(token="t2", refresh="r2")


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


# What a login is told of the grant before


def test_a_login_gets_the_grant_that_died() -> None:
    cache = a_cache()
    credential = log_in(cache)
    assert Steps(cache, refused(credential)).login.context.previous is credential.grant


@pytest.mark.parametrize("error", ["session_invalid", "vendor.example.odd"])
def test_a_dropped_grant_s_refresh_token_is_there_after_an_outage(error: str) -> None:
    clock = Clock()
    cache = a_cache(clock)
    steps = Steps(cache, refused())
    credential = steps.send(Grant(token="t1", refresh="r1")).replay.credential
    Steps(cache, refused(credential, challenge(error))).throw(LoginUnavailable(retry_after=5))
    clock.now += 5
    previous = Steps(cache, refused(None, challenge(None))).login.context.previous
    assert previous is not None
    assert previous.refresh == "r1"


def test_a_late_401_does_not_bring_back_an_older_refresh_token() -> None:
    cache = a_cache()
    first = log_in(cache, "t1")
    second = log_in(cache, "t2", refused(first))
    cache.drop(second)
    assert Steps(cache, refused(first)).login.context.previous is second.grant


@pytest.mark.requirement("C-22")
def test_a_grant_reported_invalid_is_not_sent_while_it_is_renewed() -> None:
    cache = a_cache()
    credential = log_in(cache)
    steps = Steps(cache, refused(credential, challenge("session_invalid")))
    assert steps.leads
    assert cache.for_request(ORIGIN, "https://api.example.com/") is None


def test_an_expired_grant_is_kept_until_there_is_another() -> None:
    cache = a_cache()
    credential = log_in(cache)
    steps = Steps(cache, refused(credential))
    assert steps.leads
    assert cache.for_request(ORIGIN, "https://api.example.com/") is credential
