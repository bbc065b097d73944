"""The events of a renewal, and which requests may be sent again."""

from typing import Any

import pytest

from relogin import BodyNotReplayable, LoginRefused, LoginUnavailable, MethodNotReplayable
from relogin.client.events import Event, EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Replay
from relogin.client.renewal.policy import ResponseInfo
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import (
    EXPIRED,
    KEY,
    ORIGIN,
    URL,
    Clock,
    Steps,
    Told,
    a_cache,
    challenge,
    log_in,
    refused,
    served,
)


def told(events: list[Event]) -> list[tuple[str, str | None]]:
    return [(event.kind.value, event.reason) for event in events]


@pytest.fixture
def listener() -> Told:
    return Told()


def test_a_renewal_is_told_from_beginning_to_end(listener: Told) -> None:
    clock = Clock()
    steps = Steps(a_cache(clock, listener=listener), refused())
    clock.now += 2.0
    steps.send("t1").send(served())
    assert told(listener.events) == [
        ("challenged", None),
        ("started", None),
        ("finished", None),
        ("replayed", None),
    ]
    finished = listener.events[2]
    assert finished == Event(EventKind.FINISHED, ORIGIN, "api", "session_expired", seconds=2.0)


def test_who_waits_is_told_of_too(listener: Told) -> None:
    cache = a_cache(listener=listener)
    leader, follower = Steps(cache, refused()), Steps(cache, refused())
    leader.send("t1")
    follower.send()
    kinds = [kind for kind, _ in told(listener.events)]
    assert kinds == [
        "challenged", "started", "challenged", "joined", "finished", "replayed", "replayed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "reason", "outcome"),
    [
        (LoginRefused(), "failed", "refused"),
        (LoginUnavailable(), "failed", "unavailable"),
    ],
)
def test_a_failure_is_told_and_what_comes_of_it(
    listener: Told, end: Exception, reason: str, outcome: str
) -> None:
    cache = a_cache(listener=listener)
    Steps(cache, refused()).throw(end)
    Steps(cache, refused())
    assert told(listener.events)[2:] == [
        ("failed", reason),
        ("refused", outcome),
        ("challenged", None),
        ("refused", outcome),
    ]


def test_declining_is_told(listener: Told) -> None:
    Steps(a_cache(listener=listener), refused()).send(None)
    assert told(listener.events)[2:] == [("failed", "declined")]


def test_giving_a_renewal_up_is_told(listener: Told) -> None:
    steps = Steps(a_cache(listener=listener), refused())
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())
    assert told(listener.events)[2:] == [("failed", "abandoned")]


def test_being_overtaken_is_told(listener: Told) -> None:
    clock = Clock()
    cache = a_cache(clock, listener=listener)
    late = Steps(cache, refused())
    clock.now = late.flight.deadline
    log_in(cache)
    listener.events.clear()
    late.send("late")
    assert told(listener.events) == [("failed", "abandoned"), ("replayed", None)]


def test_a_reset_meanwhile_is_told(listener: Told) -> None:
    cache = a_cache(listener=listener)
    steps = Steps(cache, refused())
    cache.reset()
    steps.send("old")
    assert ("failed", "forgotten") in told(listener.events)


def test_over_budget_is_told(listener: Told) -> None:
    cache = a_cache(listener=listener, budget=1)
    credential = log_in(cache)
    Steps(cache, refused(credential))
    assert told(listener.events)[-1] == ("refused", "over_budget")


@pytest.mark.parametrize("error", ["session_revoked", "insufficient_user_authentication"])
def test_a_challenge_that_is_not_acted_on_is_told_with_its_code(listener: Told, error: str) -> None:
    steps = Steps(a_cache(listener=listener), refused(challenge=challenge(error)))
    assert steps.outcome is Outcome.UNTOUCHED
    assert told(listener.events) == [("challenged", None), ("refused", error)]


def test_the_second_refusal_of_a_leader_is_told(listener: Told) -> None:
    steps = Steps(a_cache(listener=listener), refused())
    steps.send(refused(steps.send("t1").replay.credential))
    assert told(listener.events)[-1] == ("refused", "refused_again")
    assert (listener.events[-1].error, listener.events[-1].detail) == ("session_expired", "Session")


def test_a_foreign_challenge_is_told_with_its_origin(listener: Told) -> None:
    info = refused(origin="https://evil.example:443")
    steps = Steps(a_cache(listener=listener), info)
    assert (steps.final.info, steps.outcome) == (info, Outcome.FOREIGN)
    (event,) = listener.events
    assert event == Event(EventKind.REFUSED, "https://evil.example:443", reason="foreign")


@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example:443"])
def test_an_answer_without_a_challenge_is_told_nothing_of(listener: Told, origin: str) -> None:
    steps = Steps(a_cache(listener=listener), refused(status=200, challenges=(), origin=origin))
    assert steps.outcome is Outcome.UNTOUCHED
    assert listener.events == []


@pytest.mark.parametrize(
    ("facts", "lapsed"),
    [
        ({}, True),
        ({"challenge": "Session realm=api"}, False),  # nobody's session: everybody sees that
        ({"challenge": "Basic realm=api"}, False),
        ({"origin": "https://evil.example:443"}, False),
    ],
)
def test_a_session_that_lapsed_on_an_open_page_is_told(
    listener: Told, facts: dict[str, Any], lapsed: bool
) -> None:
    steps = Steps(a_cache(listener=listener), refused(status=200, **facts))
    assert steps.outcome is Outcome.UNTOUCHED
    assert [event.kind for event in listener.events] == [EventKind.LAPSED] * lapsed


def test_a_401_without_an_answerable_challenge_is_told_with_what_it_offered(listener: Told) -> None:
    steps = Steps(a_cache(listener=listener), refused(challenge="Basic realm=x"))
    assert (steps.outcome, steps.final.detail) == (Outcome.UNANSWERED, "Basic")
    (event,) = listener.events
    assert event == Event(EventKind.REFUSED, ORIGIN, reason="unanswered", detail="Basic")


# What may be sent again


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
    listener: Told, replayable: bool, kind: type[Exception], detail: str
) -> None:
    info = refused(method="POST", once=False, replayable=replayable)
    final = last_step(a_cache(strict=True, listener=listener), info).final
    assert type(final.failure) is kind
    assert (final.outcome, final.detail) == (Outcome.RENEWED_NOT_REPLAYED, detail)
    assert told(listener.events)[-1] == ("refused", "renewed_not_replayed")
    assert listener.events[-1].detail == detail


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


def test_a_signal_that_outlasts_a_login_names_no_scheme_if_it_is_unknown_what_was_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dead = refused(status=440, challenges=(), signal="session_expired")
    steps = Steps(a_cache(), dead).send("t1")
    while steps.command is not None:  # any grant may be newer than one that is unknown
        assert isinstance(steps.command, Replay)
        steps.send(dead)
    assert steps.outcome is Outcome.REFUSED_AGAIN
    (message,) = caplog.messages
    assert message.endswith("the server refused the new session too")
