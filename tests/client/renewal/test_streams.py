"""From the end of a stream to why it ended, as the flow decides, without I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relogin import Grant
from relogin.client.events import Event, EventKind
from relogin.client.renewal.commands import Check, Login
from relogin.client.renewal.streams import stream_ended
from relogin.client.responders import SESSION
from relogin.client.terms.outcomes import Outcome
from tests.client.renewal.ended import ORIGIN, a_cache, end, held, info

DEAD: dict[str, Any] = {"status": 401, "challenges": ['Session realm="", error="session_expired"']}


def test_without_a_session_there_is_nothing_to_ask_about() -> None:
    assert end(stream_ended(a_cache(), info(None), 0.0), None).outcome is Outcome.UNTOUCHED


def test_a_scheme_that_answers_challenges_by_itself_has_no_session_that_ends() -> None:
    cache = a_cache()
    answering = replace(SESSION, grant_from=lambda *_: None)
    sent = replace(held(cache), responder=answering)
    assert end(stream_ended(cache, info(sent), 0.0), None).outcome is Outcome.UNTOUCHED


def test_a_session_that_lives_has_not_ended_its_stream() -> None:
    cache = a_cache()
    sent = held(cache)
    flow = stream_ended(cache, info(sent), cache.clock())
    assert isinstance(next(flow), Check)
    assert end(flow, info(sent, 200)).outcome is Outcome.UNTOUCHED


def test_a_session_that_was_renewed_meanwhile_has_ended_its_stream_and_nobody_is_asked() -> None:
    cache = a_cache()
    old = held(cache)
    cache.hold(cache.made(old.key, SESSION, Grant(token="t2")), old)
    assert end(stream_ended(cache, info(old), 0.0), None).outcome is Outcome.STREAM_ENDED


def test_a_session_that_is_dead_is_renewed_and_that_is_told() -> None:
    told: list[Event] = []
    cache = a_cache(listener=told.append)
    sent = held(cache)
    flow = stream_ended(cache, info(sent), cache.clock())
    assert isinstance(next(flow), Check)
    assert isinstance(flow.send(info(sent, **DEAD)), Login)
    assert end(flow, "t2").outcome is Outcome.STREAM_ENDED
    assert told[-1] == Event(EventKind.REFUSED, ORIGIN, reason="stream_ended")


@pytest.mark.parametrize("error", ["session_revoked", "insufficient_user_authentication"])
def test_a_session_that_no_login_brings_back_has_ended_its_stream_too(error: str) -> None:
    cache = a_cache()
    sent = held(cache)
    flow = stream_ended(cache, info(sent), cache.clock())
    assert isinstance(next(flow), Check)
    refusal = info(sent, 401, challenges=[f'Session realm="", error="{error}"'])
    assert end(flow, refusal).outcome is Outcome.STREAM_ENDED
