"""Which requests are sent again after a renewal, how often, and with whose grant."""

from typing import Any

import pytest

from relogin import BodyNotReplayable, MethodNotReplayable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Replay
from relogin.client.renewal.policy import ResponseInfo
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import (
    EXPIRED,
    KEY,
    ORIGIN,
    URL,
    Steps,
    Told,
    a_cache,
    challenge,
    log_in,
    refused,
)


def last_step(cache: CredentialCache, info: ResponseInfo) -> Steps:
    """Renew for a request whose session died, and return the step after that."""
    return Steps(cache, info).send("t1")


@pytest.mark.requirement("C-24")
@pytest.mark.parametrize(
    ("facts", "replayed"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "POST", "challenge": "Session realm=api"}, True),
        ({"method": "POST", "once": False}, False),
        ({"method": "DELETE", "once": False}, True),
        ({"replayable": False}, False),
    ],
)
def test_what_is_sent_again_is_what_was_surely_not_applied(
    facts: dict[str, Any], replayed: bool
) -> None:
    steps = last_step(a_cache(), refused(**facts))
    assert (steps.command is not None) is replayed
    if not replayed:
        assert (steps.outcome, steps.final.failure) == (Outcome.RENEWED_NOT_REPLAYED, None)


@pytest.mark.parametrize(
    "facts", [{"method": "POST", "once": False}, {"method": "POST", "challenge": "Session"}]
)
def test_any_method_is_sent_again_where_the_user_says_so(facts: dict[str, Any]) -> None:
    steps = last_step(a_cache(replay_any_method=True), refused(**facts))
    assert isinstance(steps.command, Replay)


@pytest.mark.parametrize(
    ("replayable", "kind", "detail"),
    [(False, BodyNotReplayable, "body"), (True, MethodNotReplayable, "method")],
)
def test_strict_raises_for_a_spent_body_and_for_a_method_and_tells_which(
    replayable: bool, kind: type[Exception], detail: str
) -> None:
    told = Told()
    info = refused(method="POST", once=False, replayable=replayable)
    final = last_step(a_cache(strict=True, listener=told), info).final
    assert type(final.failure) is kind
    assert (final.outcome, final.detail) == (Outcome.RENEWED_NOT_REPLAYED, detail)
    last = told.events[-1]
    assert (last.kind, last.reason, last.detail) == ("refused", "renewed_not_replayed", detail)


def test_strict_raises_for_a_body_that_turns_out_to_be_spent() -> None:
    steps = last_step(a_cache(strict=True), refused())
    final = steps.throw(BodyNotReplayable("spent")).final
    assert isinstance(final.failure, BodyNotReplayable)


def test_a_grant_for_another_realm_is_not_the_one_that_died() -> None:
    cache = a_cache()
    other = log_in(cache, "o1", refused(challenge=challenge(None, "other")))
    assert Steps(cache, refused(other)).leads  # it was sent, and says nothing of this realm
    assert cache.newer(KEY._replace(realm="other"), None) is other


def test_a_later_login_for_another_realm_makes_no_grant_older() -> None:
    cache = a_cache()
    credential = log_in(cache)
    other = log_in(cache, "o1", refused(challenge=challenge(None, "other")))
    assert Steps(cache, refused(other)).replay.credential is credential


def test_a_realm_is_known_where_its_grant_was_asked_for() -> None:
    cache = a_cache()
    log_in(cache, "o1", refused(url="https://api.example.com/o/1", challenge=challenge(None, "o")))
    credential = log_in(cache)
    info = refused(url="https://api.example.com/late/1")
    Steps(cache, info)
    assert cache.for_request(ORIGIN, "https://api.example.com/late/2") is credential
    assert cache.for_request(ORIGIN, URL) is credential


def test_the_challenge_of_a_replay_decides_about_the_second_one() -> None:
    cache = a_cache()
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    credential = leader.send("t1").replay.credential
    follower.send()
    again = refused(credential, challenge("session_revoked"))
    assert (follower.send(again).final.info, follower.outcome) == (again, Outcome.REFUSED_AGAIN)


def test_no_more_than_two_replays_are_sent() -> None:
    cache = a_cache()
    late = log_in(cache, "t1")
    log_in(cache, "t2", refused(late))
    steps = Steps(cache, refused(late))
    for token in ("t3", "t4"):
        credential = steps.replay.credential
        log_in(cache, token, refused(credential))
        steps.send(refused(credential, EXPIRED))
    assert steps.outcome is Outcome.REFUSED_AGAIN
