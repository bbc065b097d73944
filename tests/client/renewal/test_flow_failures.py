"""What a failed login leaves behind: a refusal, or a pause."""

import pytest

from relogin import InvalidGrant, LoginRefused, LoginUnavailable
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import KEY, ORIGIN, Clock, Steps, a_cache, challenge, fail, log_in, refused

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
def test_a_retry_after_that_is_no_number_is_ignored(nonsense: object) -> None:
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
