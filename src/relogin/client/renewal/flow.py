"""From a 401 to the final response: one generator that decides, without I/O, clock or thread.

It yields commands and is sent their results. Each library has a driver that executes the commands;
a driver decides nothing.

    yields Login(flight, context)     -> what the login returned; its exception is thrown in
           Wait(flight, seconds)      -> None, when the flight has ended or the time is over
           Replay(credential, info)   -> the `ResponseInfo` of the response
           Ask, Pause                 -> see `renewal.commands`; only with a store
    returns Final

No lock is held at any `yield`, and an exception thrown in there leaves no renewal without a leader.
"""

from __future__ import annotations

from dataclasses import replace

from relogin.client.events import EventKind, heard
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final, Flow, Replay
from relogin.client.renewal.finals import foreign, not_replayed, report
from relogin.client.renewal.from_challenge import answer_itself
from relogin.client.renewal.obtain import obtain, passed_over
from relogin.client.renewal.policy import (
    MOST_REPLAYS,
    UNAUTHORIZED,
    Credential,
    Decision,
    ResponseInfo,
)
from relogin.client.renewal.refusals import report_refusal
from relogin.client.renewal.scopes import FORBIDDEN
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.signer import Signer
from relogin.errors import BodyNotReplayable

__all__ = ["answer", "in_its_space"]


# Before Python 3.12, each look at a member of an enum is slow.
_UNTOUCHED, _REPLAYED = Outcome.UNTOUCHED, Outcome.REPLAYED


def answer(cache: CredentialCache, info: ResponseInfo) -> Flow:
    """Decide about a response that may say that its session is dead."""
    decision = cache.policy.decision(info)
    if decision is not None and decision.answers_itself:
        return _reported(cache, answer_itself(cache, info, decision))
    return _answer_with_login(cache, info, decision)


def in_its_space(cache: CredentialCache, decision: Decision) -> Decision:
    """Move a decision to the space of the login before the first request, if it is of that."""
    return decision if cache.defaults is None else cache.defaults.of(decision, cache.space)


def _reported(cache: CredentialCache, flow: Flow) -> Flow:
    return report_refusal(cache, (yield from flow))


def _answer_with_login(
    cache: CredentialCache, info: ResponseInfo, decision: Decision | None
) -> Flow:
    policy, outcome, overtaken = cache.policy, _UNTOUCHED, False
    telling = heard(policy.listener)
    led = [False, False]  # one login for a dead session, and one for more scopes
    for _ in range(MOST_REPLAYS):
        if decision is None:
            return _unanswered(cache, info, outcome, telling=telling)
        decision = in_its_space(cache, decision)
        dead, more = _dead(info, decision), bool(decision.scope)
        if _may_persist(info, decision) and _persists(cache, info, decision, dead):
            _report_lapsed(cache, info)
            return report_refusal(cache, Final(info, outcome))
        if telling:
            report(cache, EventKind.CHALLENGED, decision)
        renewed: Credential | Final | None = _in_present_form(
            cache, info, decision, dead, overtaken=overtaken
        )
        overtaken = renewed is not None
        if renewed is None:
            cache.logouts.died(dead if decision.is_end else None)
            renewed, led[more] = yield from obtain(cache, info, decision, dead, led=led[more])
        if not isinstance(renewed, Credential):
            final = Final(info, outcome)
            return _without_grant(cache, final, renewed, decision, dead, led=led[more])
        cache.asked(decision.key, info.url, challenged=_shows_how(decision, dead))
        if not policy.may_replay(info):
            return not_replayed(cache, info, decision)
        if telling:
            report(cache, EventKind.REPLAYED, decision)
        try:
            info, outcome = (yield Replay(renewed, info)), _REPLAYED
        except BodyNotReplayable:  # it turned out that the body cannot be sent twice
            return not_replayed(cache, replace(info, replayable=False), decision)
        decision = policy.decision(info)
    return report_refusal(cache, Final(info, outcome))


def _may_persist(info: ResponseInfo, decision: Decision) -> bool:
    """Tell whether it may be about something other than the session: then no login changes it.

    A signal on another status than 403 (RFC 9110 §15.5.4) names the session.
    """
    return decision.may_persist or info.status == FORBIDDEN


def _persists(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, sent: Credential | None
) -> bool:
    """Tell whether a 401 without an error code, or a 403, is not about this session.

    It is not if it persisted after a login: for example, an old password in a form was wrong, or a
    right is missing, and no login changes that. Nor is a 401 without a challenge from a server that
    does send challenges. A demand for scopes persists if a login has already asked for them.
    """
    if decision.scope:
        asked_for = () if sent is None else sent.asked_for
        return cache.demands(decision.key).is_hopeless(decision.scope, asked_for, cache.clock())
    if sent is None:
        return False
    bare = decision.challenge is None and decision.error is None
    return cache.has_persisted(sent, info.method, info.url, bare=bare)


def _without_grant(
    cache: CredentialCache,
    final: Final,
    failed: Final | None,
    decision: Decision,
    dead: Credential | None,
    *,
    led: bool,
) -> Final:
    """End without a grant; remember what may persist, if it outlasted its own login.

    `led` says that the refused grant came from it.
    """
    if dead is not None and decision.is_end and decision.error is not None:
        dead.life.over = cache.clock()
    if failed is not None:
        return _kept(cache, failed, decision)
    info, own = final.info, passed_over(cache, decision, dead) if led and dead else None
    if own is not None and _may_persist(info, decision) and not decision.scope:
        cache.note_persistent(own, info.method, info.url)
    if final.outcome is Outcome.UNTOUCHED:
        report(cache, EventKind.REFUSED, decision, reason=decision.error)
    return report_refusal(cache, final)


def _kept(cache: CredentialCache, final: Final, decision: Decision) -> Final:
    """Return the refusal without a failure if only scopes are missing: the session lives."""
    if not decision.scope:
        return final
    if final.outcome is Outcome.DECLINED:
        cache.demands(decision.key).refuse(decision.scope, cache.clock())
    return Final(final.info, final.outcome)


def _dead(info: ResponseInfo, decision: Decision) -> Credential | None:
    """Return the refused grant: the one that the request carried, if it is of this realm."""
    sent = info.sent_with
    return sent if sent is not None and sent.key == decision.key else None


def _in_present_form(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    dead: Credential | None,
    *,
    overtaken: bool,
) -> Credential | None:
    """Return the session if it is alive and this request carried an old form of it.

    If the challenge says how to carry or sign it, that is learned first. All this is tried once: if
    the latest value is refused too, the session is dead.
    """
    sent = info.sent_with
    if sent is not None and sent.signer is not None:  # whatever realm the 401 names
        return _signed_anew(info, decision, sent, sent.signer, overtaken=overtaken)
    if overtaken or dead is None or not (dead.cookies or cache.policy.rolls or cache.defaults):
        return None
    _learn_scheme(cache, decision, dead)
    return _changed_since(cache, dead)


def _signed_anew(
    info: ResponseInfo, decision: Decision, sent: Credential, signer: Signer, *, overtaken: bool
) -> Credential | None:
    """Return the session if its signer has learned from the 401 how to sign the request.

    Only where no login can help, it may try one more nonce.
    """
    if info.status != UNAUTHORIZED or (overtaken and not decision.stops):
        return None
    again = signer.refused(decision.challenge, info.headers)
    return replace(sent, signer=again) if isinstance(again, Signer) else sent if again else None


def _learn_scheme(cache: CredentialCache, decision: Decision, dead: Credential) -> None:
    """Send the token as this challenge says from now on, if it is the first to say so.

    That can be after a login before the first request.
    """
    if cache.defaults is not None and cache.defaults.learns_from(decision, dead):
        cache.carry_as(dead, decision.responder)


def _changed_since(cache: CredentialCache, dead: Credential) -> Credential | None:
    """Return the session as it is now, if this request carried an old form of it.

    The server has replaced a value since, in another response or in a redirect that led here; or
    the token is carried in another way now.
    """
    now = cache.current(dead)
    return None if (now.cookies, now.headers) == (dead.cookies, dead.headers) else now


def _shows_how(decision: Decision, dead: Credential | None) -> bool:
    """Tell whether this server always sends a challenge when a session is dead.

    Some schemes promise it. With others, only a challenge to a request with a session shows it:
    many servers challenge a request without a session, and answer a dead one with a bare 401.
    """
    if decision.challenge is None:
        return False
    return (dead is not None and decision.is_end) or decision.responder.always_challenges


def _unanswered(
    cache: CredentialCache, info: ResponseInfo, outcome: Outcome, *, telling: bool
) -> Final:
    """Return the end for a response that causes no renewal."""
    if telling and info.origin in cache.policy.origins:
        _report_lapsed(cache, info)
    if info.status != UNAUTHORIZED:
        return Final(info, outcome)
    return report_refusal(cache, foreign(cache, info) or Final(info, outcome))


def _report_lapsed(cache: CredentialCache, info: ResponseInfo) -> None:
    lapsed = cache.policy.challenged(info)
    if lapsed is not None and lapsed.error is not None:
        report(cache, EventKind.LAPSED, lapsed)
