"""Renewing from the challenge itself: who goes alone, who waits, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import (
    BodyNotReplayable,
    Challenge,
    Credentials,
    Grant,
    LoginRefused,
    LoginTimeout,
    LoginUnavailable,
)
from relogin.client import Outcome
from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final
from relogin.client.renewal.policy import Key, ResponseInfo
from relogin.client.terms.responder import Action, Responder
from tests.client.steps import ORIGIN, Clock, Steps, Told, a_cache, refused, served

KEY = Key(ORIGIN, "x")


def authorization(token: str) -> str:
    return str(Credentials("Nonce", {"nonce": token}))


def grant_from(challenge: Challenge) -> Grant | None:
    nonce = challenge.get("nonce")
    return None if nonce == "none" else Grant(nonce)


REASONS = {"stale": Action.RENEW, "locked": Action.STOP}
NONCE = Responder("Nonce", authorization=authorization, grant_from=grant_from)


def nonce(text: str, error: str | None = "stale") -> str:
    return f"Nonce realm=x, nonce={text}" + (f", error={error}" if error else "")


def first(text: str = "n1") -> ResponseInfo:
    return refused(challenge=nonce(text, None))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> CredentialCache:
    return a_cache(clock, responders=(NONCE,), actions=REASONS)


def accepted(cache: CredentialCache) -> Any:
    """Let one request be accepted; return the credential that was."""
    steps = Steps(cache, first()).send(Grant("n1"))
    credential = steps.replay.credential
    assert steps.send(served(credential)).outcome is Outcome.REPLAYED
    return credential


def test_the_first_request_logs_in_and_the_grant_is_kept(cache: CredentialCache) -> None:
    credential = accepted(cache)
    assert cache.for_request(ORIGIN, ORIGIN) == credential


def test_others_wait_for_the_first_and_then_answer_their_own_challenges(
    cache: CredentialCache,
) -> None:
    leader, other = Steps(cache, first("n1")), Steps(cache, first("n2"))
    assert other.wait.flight is leader.flight
    leader.send(Grant("n1"))
    assert Steps(cache, first("n3")).wait.flight is other.flight  # until it is accepted
    leader.send(served(leader.replay.credential))
    assert other.send().replay.credential.grant == Grant("n2")
    assert other.send(served()).outcome is Outcome.REPLAYED


def test_what_was_accepted_is_answered_without_a_login(cache: CredentialCache) -> None:
    old = accepted(cache)
    steps = Steps(cache, refused(old, nonce("n2")))
    assert steps.replay.credential.grant == Grant("n2")
    assert steps.send(served()).outcome is Outcome.REPLAYED
    kept = cache.for_request(ORIGIN, ORIGIN)
    assert kept is not None
    assert kept.grant == Grant("n2")


def test_a_late_refusal_does_not_replace_what_is_newer(cache: CredentialCache) -> None:
    old = accepted(cache)
    late = Steps(cache, refused(old, nonce("n2")))
    Steps(cache, refused(old, nonce("n3"))).send(served())
    late.send(served())
    kept = cache.for_request(ORIGIN, ORIGIN)
    assert kept is not None
    assert kept.grant == Grant("n3")


def test_a_challenge_without_a_reason_to_its_own_grant_is_a_refusal_for_good(
    cache: CredentialCache,
) -> None:
    steps = Steps(cache, first()).send(Grant("n1"))
    credential = steps.replay.credential
    steps.send(refused(credential, nonce("n2", None)))
    assert steps.outcome is Outcome.REFUSED
    assert isinstance(steps.final.failure, LoginRefused)
    again = Steps(cache, first("n3"))
    assert again.outcome is Outcome.REFUSED
    assert cache.for_request(ORIGIN, ORIGIN) is None


def test_who_waits_for_a_login_that_is_refused_is_refused_too(cache: CredentialCache) -> None:
    leader, other = Steps(cache, first()), Steps(cache, first("n2"))
    leader.send(Grant("n1"))
    leader.send(refused(leader.replay.credential, nonce("n3", None)))
    assert other.send().outcome is Outcome.REFUSED


def test_who_waits_for_one_that_comes_to_nothing_logs_in_itself(cache: CredentialCache) -> None:
    leader, other = Steps(cache, first()), Steps(cache, first("n2"))
    leader.send(Grant("n1"))
    with pytest.raises(ConnectionError):
        leader.throw(ConnectionError())
    assert other.send().leads


def test_an_answer_of_another_kind_is_the_answer(cache: CredentialCache) -> None:
    steps = Steps(cache, first()).send(Grant("n1"))
    steps.send(refused(steps.replay.credential, "Basic realm=x"))
    assert steps.outcome is Outcome.REFUSED_AGAIN
    assert cache.for_request(ORIGIN, ORIGIN) is None


@pytest.mark.parametrize("known", [True, False])
def test_a_reason_that_says_stop_is_the_end(cache: CredentialCache, known: bool) -> None:
    old = accepted(cache) if known else None
    steps = Steps(cache, refused(old, nonce("n2", "locked")))
    assert steps.outcome is Outcome.UNTOUCHED


def test_a_reason_that_says_stop_is_told() -> None:
    told = Told()
    cache = a_cache(responders=(NONCE,), actions=REASONS, listener=told)
    Steps(cache, refused(accepted(cache), nonce("n2", "locked")))
    assert (told.events[-1].kind, told.events[-1].reason) == (EventKind.REFUSED, "locked")


def test_a_reason_that_says_stop_after_a_replay_is_the_end(cache: CredentialCache) -> None:
    steps = Steps(cache, refused(accepted(cache), nonce("n2")))
    steps.send(refused(steps.replay.credential, nonce("n3", "locked")))
    assert steps.outcome is Outcome.REFUSED_AGAIN


def test_a_grant_that_cannot_be_made_of_a_challenge_asks_for_a_login(
    cache: CredentialCache,
) -> None:
    steps = Steps(cache, refused(accepted(cache), nonce("none")))
    assert steps.leads


def test_a_login_that_declines_leaves_the_401(cache: CredentialCache) -> None:
    assert Steps(cache, first()).send(None).outcome is Outcome.DECLINED


def test_a_login_that_cannot_be_done_is_not_tried_again_at_once(cache: CredentialCache) -> None:
    steps = Steps(cache, first()).throw(LoginUnavailable("no such function"))
    assert steps.outcome is Outcome.UNAVAILABLE
    again = Steps(cache, first())
    assert isinstance(again.final.failure, LoginUnavailable)


def test_a_login_that_is_forgotten_meanwhile_is_not_kept(cache: CredentialCache) -> None:
    steps = Steps(cache, first())
    cache.reset()
    credential = steps.send(Grant("n1")).replay.credential
    assert steps.send(served(credential)).outcome is Outcome.REPLAYED
    assert cache.for_request(ORIGIN, ORIGIN) is None


def test_whoever_waits_too_long_is_told_so(cache: CredentialCache, clock: Clock) -> None:
    leader, other = Steps(cache, first()), Steps(cache, first("n2"))
    clock.now += cache.policy.wait_timeout + 1
    final = other.send().final
    assert isinstance(final, Final)
    assert isinstance(final.failure, LoginTimeout)
    assert leader.leads


def test_a_body_that_is_spent_leaves_the_grant_for_the_next_request(
    cache: CredentialCache,
) -> None:
    steps = Steps(cache, refused(challenge=nonce("n1", None), replayable=False))
    assert steps.send(Grant("n1")).outcome is Outcome.RENEWED_NOT_REPLAYED
    kept = cache.for_request(ORIGIN, ORIGIN)
    assert kept is not None
    refusal = Steps(cache, refused(kept, nonce("n2", None)))
    assert refusal.outcome is Outcome.REFUSED  # nobody has accepted it yet
    assert cache.for_request(ORIGIN, ORIGIN) is None


def test_a_body_that_turns_out_to_be_spent_is_not_sent_again(cache: CredentialCache) -> None:
    steps = Steps(cache, first()).send(Grant("n1"))
    assert steps.throw(BodyNotReplayable()).outcome is Outcome.RENEWED_NOT_REPLAYED


def test_strict_raises_for_a_body_that_turns_out_to_be_spent(clock: Clock) -> None:
    cache = a_cache(clock, responders=(NONCE,), strict=True)
    steps = Steps(cache, first()).send(Grant("n1"))
    assert isinstance(steps.throw(BodyNotReplayable()).final.failure, BodyNotReplayable)


def test_a_server_that_finds_every_grant_too_old_has_the_last_word(cache: CredentialCache) -> None:
    steps = Steps(cache, refused(accepted(cache), nonce("n2")))
    for number in range(2):
        steps.send(refused(steps.replay.credential, nonce(f"m{number}")))
    assert steps.outcome is Outcome.REFUSED_AGAIN


def test_no_budget_counts_what_needs_no_login(clock: Clock) -> None:
    told = Told()
    cache = a_cache(clock, responders=(NONCE,), budget=1, listener=told)
    credential = accepted(cache)
    for number in range(5):
        steps = Steps(cache, refused(credential, nonce(f"m{number}")))
        credential = steps.replay.credential
        steps.send(served(credential))
    assert told.kinds().count("started") == 1


def test_what_is_remembered_of_no_realm_is_not_accepted(cache: CredentialCache) -> None:
    credential = accepted(cache)
    cache.reset()
    cache.accepted(credential)
    assert cache.space(KEY) is None
