"""The events of a renewal."""

from typing import Any

import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.events import Event, EventKind
from relogin.client.renewal.commands import Replay
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import (
    ORIGIN,
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


def test_a_request_that_waits_has_events_too(listener: Told) -> None:
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
