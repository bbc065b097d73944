"""Renewal with schemes whose challenge contains all that a grant needs, such as Digest.

There is no login server, so a login is known to be right only when the server has accepted a
request that was signed with it. The first such request is sent alone, and all others wait for it:
so a wrong password is sent once. From then on each request answers its own challenge at once,
without a login, and later requests use the newest grant.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeAlias

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Final, Flow, Replay, Wait
from relogin.client.renewal.finals import ended, foreign, not_replayed, refused, report
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.log_in import log_in
from relogin.client.renewal.policy import (
    MOST_REPLAYS,
    UNAUTHORIZED,
    Credential,
    Decision,
    ResponseInfo,
)
from relogin.client.terms.grant import Grant
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action
from relogin.errors import BodyNotReplayable, LoginRefused, LoginTimeout

__all__ = ["answer_itself", "renewed_by_challenge"]

# This request's own grant, and the answer to the request that it signed.
Answered: TypeAlias = tuple[Credential, ResponseInfo]
Attempt: TypeAlias = Generator[Command, Any, Final | Answered]


def answer_itself(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Flow:
    """Answer a challenge from what it contains; again if that is refused with an error code."""
    sent, own = info.sent_with, None
    if not _is_accepted(cache, decision):
        own = sent if sent is not None and sent.key == decision.key else None
    for _ in range(MOST_REPLAYS):
        report(cache, EventKind.CHALLENGED, decision)
        final = _final(cache, info, decision, own)
        if final is not None:
            return final
        attempt = _at_once if _is_accepted(cache, decision) else _alone
        came = yield from attempt(cache, info, decision)
        if isinstance(came, Final):
            return came
        own = came[0] if _is_refused(info, came[1]) else None
        info = came[1]
        again = cache.policy.decision(info)
        if again is None or not again.answers_itself:
            return foreign(cache, info) or Final(info, Outcome.REPLAYED)
        decision = again
    return _final(cache, info, decision, own) or Final(info, Outcome.REPLAYED)


def renewed_by_challenge(
    cache: CredentialCache, decision: Decision, dead: Credential
) -> Credential | None:
    """Make a new grant from a challenge, for an account that was accepted before."""
    make: Any = decision.responder.grant_from
    grant = make(decision.challenge) if _is_accepted(cache, decision) else None
    if grant is None:
        return None
    cache.hold(_own(cache, decision, grant), dead)
    return cache.newer(decision.key, dead)


def _is_accepted(cache: CredentialCache, decision: Decision) -> bool:
    space = cache.space(decision.key)
    return space is not None and space.accepted


def _final(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, own: Credential | None
) -> Final | None:
    """End if the account is refused, now or earlier, or if the error code forbids to go on.

    A server that refuses the answer to its own challenge without an error code does not accept the
    account.
    """
    blocked = cache.refusal(decision.key)
    if blocked is None and own is not None and not decision.explained:
        blocked = cache.refuse(decision.key, _refusal())
    if blocked is not None:
        return refused(cache, info, decision, blocked)
    if decision.action is Action.STOP:
        report(cache, EventKind.REFUSED, decision, reason=decision.error)
        return Final(info, Outcome.UNTOUCHED if own is None else Outcome.REPLAYED)
    return None


def _refusal() -> LoginRefused:
    return LoginRefused("the server does not accept this user and password")


def _is_refused(asked: ResponseInfo, info: ResponseInfo) -> bool:
    """Tell whether a response refuses the signature of the request.

    After a redirect it does not: the server that sent the redirect accepted the signature.
    """
    said_so = info.status == UNAUTHORIZED or info.signal is not None
    return said_so and info.url == asked.url


def _at_once(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Attempt:
    """Answer without a login: the account was accepted before."""
    make: Any = decision.responder.grant_from
    grant = make(decision.challenge)
    if grant is None:
        return (yield from _alone(cache, info, decision))
    own, sent = _own(cache, decision, grant), info.sent_with
    came = yield from _replayed(cache, info, decision, own)
    if isinstance(came, Final) or not _is_refused(info, came[1]):
        cache.hold(own, sent)
    return came


def _alone(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Attempt:
    """Try a login that was not accepted yet, or wait until another request has tried it."""
    give_up = cache.clock() + cache.policy.wait_timeout
    while cache.clock() < give_up:
        mine = Flight(decision.key)
        try:
            joined = cache.join(mine, cache.newer(decision.key, None))
            if joined is mine:
                return (yield from _tried(cache, info, decision, mine))
            if isinstance(joined, Flight):
                report(cache, EventKind.JOINED, decision)
                yield Wait(joined, min(joined.deadline, give_up) - cache.clock())
        finally:
            cache.end(mine, Status.ABANDONED)
        final = None if isinstance(joined, Credential) else ended(cache, info, decision, joined)
        if final is not None:
            return final
        if _is_accepted(cache, decision):
            return (yield from _at_once(cache, info, decision))
    timeout = LoginTimeout(f"no login was accepted within {cache.policy.wait_timeout:g} s")
    return Final(info, Outcome.UNAVAILABLE, timeout)


def _tried(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight
) -> Attempt:
    """Log in, and end the flight according to the response to the signed request."""

    def keep(grant: Grant) -> Generator[Command, Any, Credential]:
        yield from ()
        return _own(cache, decision, grant)

    own = yield from log_in(cache, info, decision, flight, keep)
    if own is None:
        return ended(cache, info, decision, flight) or Final(info, Outcome.UNAVAILABLE)
    came = yield from _replayed(cache, info, decision, own)
    if isinstance(came, Final):  # the next request will show whether it is accepted
        cache.settle(flight, own, info.url)
    elif not _is_refused(info, came[1]):
        cache.settle(flight, own, info.url)
        cache.accepted(own)
    else:
        again = cache.policy.decision(came[1])
        if again is not None and again.key == own.key and not again.explained:
            cache.failed(flight, _refusal(), refused=True)
    return came


def _own(cache: CredentialCache, decision: Decision, grant: Grant) -> Credential:
    return cache.made(decision.key, decision.responder, grant, decision.challenge)


def _replayed(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, own: Credential
) -> Attempt:
    """Send the request again with this request's own grant, if it may be sent again."""
    cache.asked(decision.key, info.url)
    if not cache.policy.may_replay(info):
        return not_replayed(cache, info, decision)
    report(cache, EventKind.REPLAYED, decision)
    try:
        return own, (yield Replay(own, info))
    except BodyNotReplayable:  # it turned out that the body cannot be sent twice
        return not_replayed(cache, replace(info, replayable=False), decision)
