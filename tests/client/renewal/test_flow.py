"""The flow from a 401 to the final response: one login for all, and what each ends with."""

import pytest

from relogin import BodyNotReplayable, Grant, LoginRefused
from relogin.client.renewal.commands import Replay
from relogin.client.renewal.flight import Status
from relogin.client.terms.outcomes import Outcome
from relogin.errors import LoginTimeout, LoginUnavailable
from tests.client.steps import URL, Clock, Steps, a_cache, challenge, log_in, refused, served


def test_a_refused_request_logs_in_and_is_sent_again_with_what_the_login_brought() -> None:
    steps = Steps(a_cache(), refused())
    replay = steps.send(Grant(token="t1")).replay
    assert replay.credential.headers["Authorization"] == 'Session token="t1"'
    answer = served(replay.credential)
    assert (steps.send(answer).final.info, steps.outcome) == (answer, Outcome.REPLAYED)


def test_the_login_is_told_why_and_for_which_request() -> None:
    context = Steps(a_cache(), refused(method="PUT")).login.context
    assert (context.error, context.realm, context.method, context.url, context.attempt) == (
        "session_expired",
        "api",
        "PUT",
        URL,
        1,
    )
    assert context.previous is None


@pytest.mark.requirement("C-17")
def test_a_second_request_waits_while_the_first_logs_in() -> None:
    cache = a_cache()
    first, second = Steps(cache, refused()), Steps(cache, refused())
    assert second.wait.flight is first.login.flight


def test_whoever_waited_is_sent_again_with_the_leader_s_grant() -> None:
    cache = a_cache()
    first, second = Steps(cache, refused()), Steps(cache, refused())
    led = first.send("t1").replay
    assert second.send().replay.credential is led.credential


@pytest.mark.requirement("C-18")
@pytest.mark.parametrize(
    "error", [None, "session_expired", "session_invalid", "session_revoked", "vendor.example.odd"]
)
def test_a_refusal_of_an_older_grant_is_answered_with_the_newer_one(error: str | None) -> None:
    cache = a_cache()
    old = log_in(cache, "t1")
    new = log_in(cache, "t2", refused(old))
    assert Steps(cache, refused(old, challenge(error))).replay.credential is new


@pytest.mark.requirement("C-18")
def test_a_request_that_went_out_without_a_grant_gets_the_one_there_is() -> None:
    cache = a_cache()
    credential = log_in(cache)
    assert Steps(cache, refused(None)).replay.credential is credential


def test_a_late_invalid_does_not_drop_the_newer_grant() -> None:
    cache = a_cache()
    old = log_in(cache, "t1")
    new = log_in(cache, "t2", refused(old))
    Steps(cache, refused(old, challenge("session_invalid")))
    assert cache.for_request(new.key.origin, URL) is new


@pytest.mark.requirement("C-19")
def test_a_request_whose_own_login_was_in_vain_ends_with_the_401() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    again = refused(steps.send("t1").replay.credential)
    assert steps.send(again).final.info is again
    assert steps.outcome is Outcome.REFUSED_AGAIN


@pytest.mark.requirement("C-19")
def test_a_request_that_followed_may_lead_once_and_is_sent_at_most_twice_more() -> None:
    cache = a_cache()
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    leader.send("t1")
    first = follower.send().replay.credential
    second = follower.send(refused(first)).send("t2").replay.credential  # a login of its own
    assert follower.send(refused(second)).outcome is Outcome.REFUSED_AGAIN


def test_a_leader_whose_grant_was_evicted_uses_its_second_replay_for_the_newer_one() -> None:
    cache = a_cache()
    leader = Steps(cache, refused())
    mine = leader.send("t1").replay.credential
    newer = log_in(cache, "t2", refused(mine))
    assert leader.send(refused(mine)).replay.credential is newer


# A session that a login under way has ended


def test_a_session_revoked_while_another_request_logs_in_is_replayed_with_what_it_brings() -> None:
    cache = a_cache()
    old = log_in(cache)
    leader = Steps(cache, refused(old))
    revoked = Steps(cache, refused(old, challenge("session_revoked")))
    assert revoked.wait.flight is leader.flight
    led = leader.send("t2").replay.credential
    assert revoked.send().replay.credential is led


def test_a_session_revoked_while_nobody_logs_in_ends_with_the_401() -> None:
    cache = a_cache()
    assert Steps(cache, refused(log_in(cache), challenge("session_revoked"))).result is not None


@pytest.mark.parametrize("returned", [None, ""])
def test_a_revoked_session_whose_login_under_way_brings_nothing_ends_with_its_401(
    returned: str | None,
) -> None:
    cache = a_cache()
    old = log_in(cache)
    leader, seen = Steps(cache, refused(old)), refused(old, challenge("session_revoked"))
    revoked = Steps(cache, seen)
    leader.send(returned)
    final = revoked.send().final
    assert (final.info, final.outcome, final.failure) == (seen, Outcome.UNTOUCHED, None)


def test_a_revoked_session_waits_for_the_successor_of_an_abandoned_login_and_leads_none() -> None:
    cache = a_cache()
    old = log_in(cache)
    leader, follower = Steps(cache, refused(old)), Steps(cache, refused(old))
    revoked = Steps(cache, refused(old, challenge("session_revoked")))
    leader.flow.close()
    successor = follower.send()
    assert revoked.send().wait.flight is successor.login.flight


def test_a_revoked_session_waits_for_a_login_no_longer_than_any_other() -> None:
    clock = Clock()
    cache = a_cache(clock)
    old = log_in(cache)
    leader = Steps(cache, refused(old))
    revoked = Steps(cache, refused(old, challenge("session_revoked")))
    clock.now += cache.policy.wait_timeout
    leader.flight.deadline = clock.now + 1  # as that of one that waits for another process
    assert revoked.send().outcome is Outcome.UNTOUCHED


def test_a_request_whose_own_login_was_in_vain_waits_for_another_s_and_leads_none() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    credential = steps.send("t1").replay.credential
    other = Steps(cache, refused(credential))
    assert steps.send(refused(credential)).wait.flight is other.login.flight


# How a renewal ends for those who wait


def test_declined_is_an_outcome_for_each_waiter_with_its_own_401() -> None:
    cache = a_cache()
    leader, seen = Steps(cache, refused()), refused()
    follower = Steps(cache, seen)
    assert leader.send(None).outcome is Outcome.DECLINED
    final = follower.send().final
    assert (final.info, final.outcome, final.failure) == (seen, Outcome.DECLINED, None)


def test_a_failure_reaches_each_waiter_as_an_exception_of_its_own_with_one_cause() -> None:
    cache = a_cache()
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    cause = LoginRefused("locked")
    failures = [leader.throw(cause).final.failure, follower.send().final.failure]
    assert failures[0] is not failures[1]
    assert [f.__cause__ for f in failures if f is not None] == [cause, cause]
    assert [type(f) for f in failures] == [LoginRefused, LoginRefused]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_an_interrupted_leader_leaves_a_renewal_that_a_waiter_leads(
    interrupt: BaseException,
) -> None:
    cache = a_cache()
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    flight = leader.flight
    with pytest.raises(type(interrupt)):
        leader.throw(interrupt)
    assert flight.status is Status.ABANDONED
    assert follower.send().login.flight is not flight


def test_a_closed_flow_leaves_no_renewal_behind() -> None:
    cache = a_cache()
    leader = Steps(cache, refused())
    flight = leader.flight
    leader.flow.close()
    assert flight.status is Status.ABANDONED


def test_a_failed_replay_is_the_user_s_to_see_and_the_grant_stays() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    credential = steps.send("t1").replay.credential
    with pytest.raises(ConnectionError):
        steps.throw(ConnectionError())
    assert cache.for_request(credential.key.origin, URL) is credential


# Deadlines


def test_deadlines_are_ordered_login_then_renewal_then_waiters() -> None:
    policy = a_cache(login_timeout=20.0).policy
    assert policy.login_timeout < policy.flight_timeout < policy.wait_timeout


def test_a_waiter_takes_a_renewal_over_when_its_deadline_has_passed() -> None:
    clock = Clock()
    cache = a_cache(clock)
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    clock.now += follower.wait.seconds
    assert follower.send().login.flight is not leader.flight


def test_a_newcomer_takes_over_at_the_very_deadline_and_not_before() -> None:
    clock = Clock()
    cache = a_cache(clock)
    leader = Steps(cache, refused())
    clock.now = leader.flight.deadline - 0.001
    assert Steps(cache, refused()).wait.seconds == pytest.approx(0.001)
    clock.now = leader.flight.deadline
    assert Steps(cache, refused()).leads


def test_a_late_grant_of_an_overtaken_leader_is_not_kept_and_it_uses_the_newcomer_s() -> None:
    clock = Clock()
    cache = a_cache(clock)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    newer = log_in(cache, "new")
    assert late.send("late").replay.credential is newer
    assert cache.for_request(newer.key.origin, URL) is newer


def test_an_overtaken_leader_waits_for_the_newcomer() -> None:
    clock = Clock()
    cache = a_cache(clock)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    newcomer = Steps(cache, refused())
    assert late.send("late").wait.flight is newcomer.flight


def test_an_overtaken_leader_does_not_lead_twice() -> None:
    clock = Clock()
    cache = a_cache(clock)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    newcomer = Steps(cache, refused())
    late.send("late")
    newcomer.send(None)
    newcomer_gone = late.send()
    assert newcomer_gone.outcome is Outcome.DECLINED


def test_an_overtaken_leader_ends_when_the_newcomer_is_gone() -> None:
    clock = Clock()
    cache = a_cache(clock)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    Steps(cache, refused()).flow.close()
    late.send("late")
    assert isinstance(late.final.failure, LoginTimeout)
    assert Steps(cache, refused()).leads  # and left no renewal behind


def test_a_waiter_gives_up_at_its_own_deadline() -> None:
    clock = Clock()
    cache = a_cache(clock, login_timeout=20.0)
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    began = clock.now
    clock.now = leader.flight.deadline
    other = Steps(cache, refused())  # somebody else takes over first
    assert other.leads
    assert follower.send().wait.seconds == pytest.approx(began + 50.0 - clock.now)
    clock.now = began + 50.0
    final = follower.send().final
    assert final.outcome is Outcome.UNAVAILABLE
    assert isinstance(final.failure, LoginTimeout)
    assert "within 50 s" in str(final.failure)


def test_whoever_waits_gets_what_a_newcomer_obtains_within_the_time_that_a_login_has() -> None:
    clock = Clock()
    cache = a_cache(clock)
    leader, first, second = (Steps(cache, refused()) for _ in range(3))
    clock.now = leader.flight.deadline
    newcomer, waiting = first.send(), second.send()
    assert newcomer.leads
    clock.now += cache.policy.login_timeout
    newcomer.send("t1")
    assert waiting.send().replay.credential.grant.token == "t1"


def test_a_login_that_took_longer_than_anybody_waits_still_serves_its_own_request() -> None:
    clock = Clock()
    cache = a_cache(clock)
    steps = Steps(cache, refused())
    clock.now += 10 * cache.policy.wait_timeout  # somebody looked for a second factor
    assert steps.send("t1").replay.credential.headers["Authorization"] == 'Session token="t1"'


# What a reset does


def test_after_a_reset_the_login_that_was_under_way_brings_nothing() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    first = steps.flight
    cache.reset()
    again = steps.send("old")
    assert again.login.flight is not first
    assert again.send("new").replay.credential.headers["Authorization"] == 'Session token="new"'


def test_after_a_reset_the_failure_of_the_login_that_was_under_way_counts_no_more() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    cache.reset()
    assert steps.throw(LoginRefused("the old password")).leads


def test_one_reset_allows_one_more_login_and_a_second_none() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    cache.reset()
    assert steps.send("old").leads
    cache.reset()
    steps.send("old too")
    assert isinstance(steps.final.failure, LoginTimeout)
    assert "reset() has forgotten it" in str(steps.final.failure)
    assert Steps(cache, refused()).leads  # and it left no renewal behind


def test_after_a_reset_a_request_still_leads_once_only() -> None:
    cache = a_cache()
    steps = Steps(cache, refused())
    cache.reset()
    credential = steps.send("old").send("new").replay.credential
    assert steps.send(refused(credential)).outcome is Outcome.REFUSED_AGAIN


def test_a_reset_wakes_whoever_waits() -> None:
    cache = a_cache()
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    woken: list[bool] = []
    assert cache.watch(leader.flight, lambda: woken.append(True))
    cache.reset()
    assert woken == [True]
    assert follower.send().leads


# Exceptions of the user's own code


@pytest.mark.parametrize("cause", [ValueError("secret"), ConnectionError(), KeyError("secret")])
def test_whatever_a_login_raises_is_an_outage_that_shows_its_type_alone(cause: Exception) -> None:
    failure = Steps(a_cache(), refused()).throw(cause).final.failure
    assert type(failure) is LoginUnavailable
    assert str(failure) == f"the login failed: {type(cause).__name__}"
    assert failure.__cause__ is cause


@pytest.mark.parametrize(
    ("cause", "said"), [(LoginUnavailable("no route"), "no route"), (LoginUnavailable(), None)]
)
def test_what_a_login_says_of_an_outage_is_told(cause: Exception, said: str | None) -> None:
    failure = Steps(a_cache(), refused()).throw(cause).final.failure
    assert str(failure) == f"the login failed: {said or 'LoginUnavailable'}"


def test_a_body_that_turns_out_to_be_spent_ends_with_the_401() -> None:
    cache = a_cache()
    seen = refused()
    steps = Steps(cache, seen)
    assert isinstance(steps.send("t1").command, Replay)
    final = steps.throw(BodyNotReplayable("spent")).final
    assert final.outcome is Outcome.RENEWED_NOT_REPLAYED
    assert final.failure is None
    assert final.info.response is seen.response
