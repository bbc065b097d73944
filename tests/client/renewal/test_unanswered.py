"""From an upload that nobody answered to its end, as the flow decides, without I/O."""

from __future__ import annotations

import pytest

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Check, Login, Replay, Wait
from relogin.client.renewal.credential import Key
from relogin.client.renewal.policy import Policy
from relogin.client.renewal.unanswered import unanswered
from relogin.client.responders import SESSION, Responder
from relogin.client.terms.outcomes import Outcome
from relogin.errors import BodyNotReplayable
from tests.client.renewal.ended import ORIGIN, a_cache, end, held, info


def test_without_a_session_there_is_nothing_to_ask_about() -> None:
    assert end(unanswered(a_cache(), info(None), 0.0), None).outcome is Outcome.UNTOUCHED


def test_turned_off_nothing_is_asked() -> None:
    cache = a_cache(check=False)
    assert end(unanswered(cache, info(held(cache)), 0.0), None).outcome is Outcome.UNTOUCHED


def test_a_body_that_shows_only_then_that_it_is_spent_is_not_sent_again() -> None:
    cache = a_cache()
    sent = held(cache)
    flow = unanswered(cache, info(sent), cache.clock() + 1)
    assert isinstance(next(flow), Check)
    assert isinstance(flow.send(info(sent, 401, challenges=['Session realm=""'])), Login)
    assert isinstance(flow.send("t2"), Replay)
    with pytest.raises(StopIteration) as ended:
        flow.throw(BodyNotReplayable("spent"))
    assert ended.value.value.outcome is Outcome.RENEWED_NOT_REPLAYED


def test_a_demand_for_scopes_that_only_the_small_request_shows_is_asked_of_the_login() -> None:
    cache = a_cache(scopes_up=True, steps_up=True)
    sent = held(cache)
    flow = unanswered(cache, info(sent), cache.clock() + 1)
    assert isinstance(next(flow), Check)
    demand = 'Bearer error="insufficient_scope", scope="write"'
    login = flow.send(info(sent, 403, challenges=[demand]))
    assert isinstance(login, Login)
    assert login.context.scope == ("write",)
    flow.close()


def test_when_a_session_was_seen_alive_is_known_of_its_changed_copies_not_of_another() -> None:
    cache = a_cache()
    cache.clock = lambda: 5.0
    first = held(cache)
    cache.extend(first, 600.0)
    cache.seen(first)
    assert cache.current(first) is not first
    assert cache.current(first).life.seen == 5.0
    assert held(cache, "another").life.seen < 0


def test_after_a_refusal_what_ended_in_an_error_is_sent_again_with_a_session_that_lives() -> None:
    """It may have gone over the connection of the refusal, as over HTTP/2."""
    cache = a_cache()
    sent = held(cache)
    flow = unanswered(cache, info(sent), cache.clock(), refused=True)
    assert isinstance(next(flow), Check)
    again = flow.send(info(sent, 200))
    assert isinstance(again, Replay)
    assert again.credential is sent
    assert end(flow, info(sent, 200)).outcome is Outcome.REPLAYED


def test_after_a_refusal_what_ended_in_an_error_is_not_sent_again_where_nobody_can_tell() -> None:
    cache = a_cache()
    flow = unanswered(cache, info(held(cache)), cache.clock(), refused=True)
    next(flow)
    with pytest.raises(StopIteration) as ended:
        flow.throw(OSError())
    assert ended.value.value.outcome is Outcome.UNTOUCHED


def test_a_newer_session_is_tried_at_once() -> None:
    cache = a_cache()
    sent = held(cache)
    newer = cache.made(sent.key, SESSION, Grant(token="t2"))
    cache.hold(newer, sent)
    command = next(unanswered(cache, info(sent), cache.clock() + 1))
    assert isinstance(command, Replay)
    assert command.credential is newer


def test_where_nobody_can_tell_those_who_wait_are_told_so_too() -> None:
    cache = a_cache()
    sent = held(cache)
    asking, waiting = (unanswered(cache, info(sent), cache.clock() + 1) for _ in range(2))
    assert isinstance(next(asking), Check)
    assert isinstance(next(waiting), Wait)
    with pytest.raises(StopIteration):
        asking.throw(OSError())
    assert end(waiting, None).outcome is Outcome.UNTOUCHED


def test_who_waits_for_a_question_that_was_given_up_asks_it() -> None:
    cache = a_cache()
    sent = held(cache)
    asking, waiting = (unanswered(cache, info(sent), cache.clock() + 1) for _ in range(2))
    next(asking)
    next(waiting)
    asking.close()
    assert isinstance(waiting.send(None), Check)
    waiting.close()


@pytest.mark.parametrize("accepted", [True, False])
def test_a_challenge_that_holds_its_own_answer_renews_an_account_that_was_accepted(
    accepted: bool,
) -> None:
    own = Responder("Own", authorization=str, grant_from=lambda _: Grant(token="t2"))
    cache = CredentialCache(Policy(frozenset([ORIGIN]), (own,)))
    sent = cache.made(Key(ORIGIN, ""), own, Grant(token="t1"))
    cache.hold(sent, None)
    if accepted:
        cache.accepted(sent)
    flow = unanswered(cache, info(sent), cache.clock() + 1)
    next(flow)
    refusal = info(sent, 401, challenges=['Own realm=""'])
    if accepted:
        command = flow.send(refusal)
        assert isinstance(command, Replay)
        assert command.credential.grant.token == "t2"
    else:
        assert end(flow, refusal).outcome is Outcome.UNTOUCHED
