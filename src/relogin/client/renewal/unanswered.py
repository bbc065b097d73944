"""Handling uploads that got no response, perhaps because their session is dead.

A server may refuse a request before it has read the body, and close the connection. Then the 401 is
often lost: the client sees a broken connection, or a proxy's 502. A program that only uploads would
never log in again. So one small request asks whether the session lives, for all that wait. This is
a flow like that of `relogin.client.renewal.flow`, and yields one more command:

    Check(credential, method, url, info)   -> the `ResponseInfo` of the response
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.checks import PendingCheck
from relogin.client.renewal.commands import Check, Command, Final, Flow, Replay, Wait
from relogin.client.renewal.finals import report
from relogin.client.renewal.flight import Status
from relogin.client.renewal.flow import in_its_space
from relogin.client.renewal.from_challenge import renewed_by_challenge
from relogin.client.renewal.obtain import obtain
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action
from relogin.errors import BodyNotReplayable

__all__ = ["check", "unanswered"]


def unanswered(
    cache: CredentialCache, info: ResponseInfo, began: float, *, refused: bool = False
) -> Flow:
    """Decide about an upload, started at `began`, that ended in an error or in `UNANSWERED`.

    `info.response` is that error or response, and `info.status` is 0 for an error. The request ends
    with it if the session lives, or if it may not be sent again: the server may have applied it. If
    the upload was `refused` just before, its session has been renewed; it may have been sent again
    over the connection of that refusal, which the server closes.
    """
    sent = info.sent_with
    if sent is None:
        return Final(info, Outcome.UNTOUCHED)
    renewed = yield from check(cache, info, sent, began)
    if renewed is None and refused and sent.life.seen >= began:
        renewed = sent
    if not isinstance(renewed, Credential):
        return Final(info, Outcome.UNTOUCHED if renewed is None else renewed.outcome)
    decision = _decision(sent)
    if not cache.policy.may_replay(info):
        return _not_replayed(cache, info, decision)
    report(cache, EventKind.REPLAYED, decision)
    try:
        return Final((yield Replay(renewed, info)), Outcome.REPLAYED)
    except BodyNotReplayable:  # it turned out that the body cannot be sent twice
        return _not_replayed(cache, info, decision)


def check(
    cache: CredentialCache, info: ResponseInfo, sent: Credential, began: float
) -> Generator[Command, Any, Credential | Final | None]:
    """Renew a session if it is dead; return `None` if it lives or that is unknown.

    Returns a `Final` that says why there is no new session, if it cannot be renewed.

    A session that was seen alive since the upload began is not checked.
    """
    give_up = cache.clock() + cache.policy.wait_timeout
    while cache.policy.check and cache.clock() < give_up:
        mine = PendingCheck(sent.key, cache.clock() + cache.policy.wait_timeout)
        asked = cache.join_check(mine)
        try:
            # Only after `join`: another request may get its answer in between.
            newer = cache.newer(sent.key, sent)
            if newer is not None or sent.life.seen >= began:
                return newer
            if asked is mine:
                return (yield from _asked(cache, info, sent, mine))
            yield Wait(asked, min(asked.deadline, give_up) - cache.clock())
        finally:
            cache.end(mine, Status.ABANDONED)
        if asked.status is Status.FAILED:
            return None
        if asked.answer is not None:
            return (yield from _renewed(cache, *asked.answer, sent))
    return None


def _asked(
    cache: CredentialCache, info: ResponseInfo, sent: Credential, mine: PendingCheck
) -> Generator[Command, Any, Credential | Final | None]:
    """Ask, and renew a dead session before the others continue: none of them asks again."""
    try:
        answer: ResponseInfo = yield Check(sent, *cache.policy.small_request(info), info)
    except Exception:  # noqa: BLE001 - whatever a library raises, the state is unknown
        cache.end(mine, Status.FAILED)
        return None
    decision = cache.policy.decision(answer)
    if decision is None:
        sent.life.seen = cache.clock()
        return None
    decision = in_its_space(cache, decision)
    renewed = yield from _renewed(cache, answer, decision, sent)
    mine.answer = answer, decision
    return renewed


def _renewed(
    cache: CredentialCache, answer: ResponseInfo, decision: Decision, sent: Credential
) -> Generator[Command, Any, Credential | Final | None]:
    report(cache, EventKind.CHALLENGED, decision)
    if decision.answers_itself:
        return renewed_by_challenge(cache, decision, sent)
    dead = sent if sent.key == decision.key else None
    renewed, _ = yield from obtain(cache, answer, decision, dead)
    return Final(answer, Outcome.UNTOUCHED) if renewed is None else renewed


def _decision(sent: Credential) -> Decision:
    return Decision(sent.key, Action.RENEW, sent.responder, None, None)


def _not_replayed(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Final:
    report(cache, EventKind.REFUSED, decision, reason=Outcome.RENEWED_NOT_REPLAYED)
    return Final(info, Outcome.RENEWED_NOT_REPLAYED)
