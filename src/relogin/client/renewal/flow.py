"""From a 401 to the final response: one generator that decides, without I/O, clock or thread.

It yields what is to be done and is sent what came of it. The drivers beside it (requests, httpx in
both its forms) do those things, each in its own way; none of them decides anything.

    yields Login(flight, context)     -> what the login returned; its exception is thrown in
           Wait(flight, seconds)      -> None, when the flight has ended or the time is over
           Replay(credential, info)   -> the `ResponseInfo` of the answer
           Ask, Pause                 -> see `renewal.commands`; only where a store is shared
    returns Final

No lock is held at any `yield`, and whatever is thrown in at one leaves no renewal without a leader.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

from relogin.client.events import EventKind, heard
from relogin.client.logins.lost import spends_refresh_token
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import (
    Ask,
    Command,
    Final,
    Flow,
    Login,
    LogOut,
    Pause,
    Replay,
    Wait,
)
from relogin.client.renewal.ends import ended, foreign, not_replayed, report
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.from_challenge import answer_itself, answers_itself
from relogin.client.renewal.log_in import log_in
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.renewal.settled import settled
from relogin.client.renewal.shared import consult, find, give_back, publish, take_turn
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action
from relogin.errors import BodyNotReplayable, LoginTimeout

__all__ = [
    "Ask",
    "Command",
    "Final",
    "Flow",
    "LogOut",
    "Login",
    "Pause",
    "Replay",
    "Wait",
    "answer",
    "before",
    "obtain",
    "renew_ahead",
]


MOST_REPLAYS = 2


def answer(cache: CredentialCache, info: ResponseInfo) -> Flow:
    """Decide about a response that may say that its session is dead."""
    decision = cache.policy.decision(info)
    if decision is not None and answers_itself(decision):
        final = yield from answer_itself(cache, info, decision)
    else:
        final = yield from _answer_with_login(cache, info, decision)
    return settled(cache, final)


def _answer_with_login(
    cache: CredentialCache, info: ResponseInfo, decision: Decision | None
) -> Flow:
    policy, outcome = cache.policy, Outcome.UNTOUCHED
    led = {False: False, True: False}  # one login for a dead session, and one for more scopes
    for _ in range(MOST_REPLAYS):
        if decision is None or _stands(cache, info, decision):
            return _unanswered(cache, info, outcome)
        report(cache, EventKind.CHALLENGED, decision)
        dead, more = _refused(cache, info, decision), bool(decision.scope)
        renewed, led[more] = yield from obtain(cache, info, decision, dead, led=led[more])
        if renewed is None:
            _leave(cache, info, decision, dead if led[more] else None)
            if outcome is Outcome.UNTOUCHED:
                report(cache, EventKind.REFUSED, decision, reason=decision.error)
            return Final(info, outcome)
        if isinstance(renewed, Final):
            return _kept(cache, renewed, decision)
        cache.asked(decision.key, info.url, challenged=_shows_how(info, decision))
        if not policy.may_replay(info):
            return not_replayed(cache, info, decision)
        report(cache, EventKind.REPLAYED, decision)
        try:
            info, outcome = (yield Replay(renewed, info)), Outcome.REPLAYED
        except BodyNotReplayable:  # it looked as if it could be sent twice, and could not
            return not_replayed(cache, replace(info, replayable=False), decision)
        decision = policy.decision(info)
    return Final(info, outcome)


def obtain(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    dead: Credential | None,
    *,
    led: bool = False,
) -> Generator[Command, Any, tuple[Credential | Final | None, bool]]:
    """Obtain a newer grant than the dead one, if one shall be; tell whether this has `led`."""
    newer = cache.newer(decision.key, dead)
    if newer is not None:
        return newer, led
    if led or decision.action is Action.STOP:
        return (yield from _elsewhere(cache, decision, dead)), led
    return (yield from _renew(cache, info, decision, dead))


def before(
    cache: CredentialCache,
    credential: Credential | None,
    origin: str,
    method: str,
    url: str,
    *,
    precious: bool = False,
) -> Generator[Command, Any, Credential | None]:
    """Find the credential for a request about to be sent, where the cache is not `ready`."""
    if not cache.informed(origin, credential):
        yield from consult(cache, origin)
        credential = cache.for_request(origin, url)
    if credential is not None and cache.vitality.is_due(
        credential, cache.clock(), precious=precious
    ):
        credential = yield from renew_ahead(cache, credential, method, url)
    return credential


def renew_ahead(
    cache: CredentialCache, credential: Credential, method: str, url: str
) -> Generator[Command, Any, Credential]:
    """Renew a living session before its end, for a request that is about to be sent anyway.

    One request does it and the others go on with the living session; so does this one if the
    login fails.
    """
    decision = Decision(credential.key, Action.RENEW, credential.responder, None, None)
    info = ResponseInfo(None, 0, method, url, credential.key.origin)
    mine = cache.flight(credential.key)
    try:
        if cache.join(mine, credential) is mine:
            yield from _lead(cache, info, decision, mine, give_up=cache.clock())
            if mine.status is Status.DECLINED:
                cache.keep(credential)
            elif mine.status is Status.RUNNING:
                cache.postpone(credential)
    finally:
        cache.end(mine, Status.ABANDONED)
    return cache.newer(credential.key, credential) or credential


def _stands(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> bool:
    """Tell whether a 401 without a reason is about something else than this session.

    It is where it has outlasted a login already, and where a server that does send challenges has
    left this one bare: an old password in a form was wrong, say, and no login changes that. And a
    demand for scopes stands where a login has been asked for them.
    """
    sent = _dead(info, decision)
    if decision.scope:
        asked_for = () if sent is None else sent.asked_for
        return cache.demands(decision.key).stand(decision.scope, asked_for, cache.clock())
    if sent is None or decision.error is not None:
        return False
    return cache.stood(sent, info.method, info.url, bare=decision.challenge is None)


def _leave(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, own: Credential | None
) -> None:
    """Remember a refusal without a reason that has outlasted this request's own login."""
    if own is not None and decision.error is None:
        cache.stands(own, info.method, info.url)


def _kept(cache: CredentialCache, final: Final, decision: Decision) -> Final:
    """Return the refusal itself where scopes were not widened: the session lives as it was."""
    if not decision.scope:
        return final
    if final.outcome is Outcome.DECLINED:
        cache.demands(decision.key).refuse(decision.scope, cache.clock())
    return replace(final, failure=None)


def _dead(info: ResponseInfo, decision: Decision) -> Credential | None:
    """The grant that was refused: the one the request carried, if it was one for this realm."""
    sent = info.sent_with
    return sent if sent is not None and sent.key == decision.key else None


def _shows_how(info: ResponseInfo, decision: Decision) -> bool:
    """Tell whether this server says with a challenge that a session is dead, and never without.

    A scheme may promise that. Elsewhere only a challenge that has answered a session shows it: many
    servers challenge a request that carries none, and refuse a dead one with a bare 401.
    """
    if decision.challenge is None:
        return False
    called_dead = _dead(info, decision) is not None and decision.is_end
    return called_dead or decision.responder.always_challenges


def _refused(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Credential | None:
    """The grant that does not do any more: the one refused, or a newer one passed over."""
    sent = _dead(info, decision)
    if decision.is_end:
        cache.departures.died(sent)
    return _passed_over(cache, decision, sent)


def _passed_over(
    cache: CredentialCache, decision: Decision, dead: Credential | None
) -> Credential | None:
    """Pass over newer grants that live, and are not for what this challenge asks."""
    newer = cache.newer(decision.key, dead)
    return dead if newer is None or decision.is_met_by(newer.grant) else newer


def _elsewhere(
    cache: CredentialCache, decision: Decision, dead: Credential | None, *, patient: bool = True
) -> Generator[Command, Any, Credential | None]:
    """Find what others have obtained, or are about to: this request shall not log in.

    Many a login ends the session before it, and the server then calls that one revoked while the
    login is still under way.
    """
    give_up = cache.clock() + (cache.policy.wait_timeout if patient else 0.0)
    while cache.clock() < give_up:
        joined = cache.under_way(decision.key, dead)
        if isinstance(joined, Credential):
            return joined
        if joined is None:
            break
        yield from _follow(cache, decision, joined, give_up)
    if cache.policy.store is None:
        return None
    return (yield from find(cache, decision.key, dead, give_up))


def _renew(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, dead: Credential | None
) -> Generator[Command, Any, tuple[Credential | Final, bool]]:
    """Obtain a newer grant: lead a renewal or follow one; tell whether this request led."""
    if decision.action is Action.REPLACE and dead is not None:
        cache.drop(dead)
    give_up, led, anew = cache.clock() + cache.policy.wait_timeout, False, False
    while cache.clock() < give_up:
        dead = _passed_over(cache, decision, dead)
        mine = cache.flight(decision.key)  # before `join`, so that `finally` always has it
        try:
            joined = cache.join(mine, dead)
            if joined is mine:
                if led:  # its one login was overtaken, and the newcomer's is gone again
                    break
                credential = yield from _lead(cache, info, decision, mine, give_up)
                # reset() wants a login of its own, once; another process's was not this request's.
                led, anew = mine.led and (anew or mine.status is not Status.FORGOTTEN), True
                if credential is not None:  # at hand, however long the login took
                    return credential, led
            elif isinstance(joined, Flight):
                yield from _follow(cache, decision, joined, give_up)
        finally:
            cache.end(mine, Status.ABANDONED)
        if isinstance(joined, Blocked):
            joined = (yield from _elsewhere(cache, decision, dead, patient=False)) or joined
        if isinstance(joined, Credential):
            return joined, led
        final = ended(cache, info, decision, joined)
        if final is not None:
            return final, led
    late = cache.newer(decision.key, dead)  # it came at the very last moment
    in_time = cache.clock() < give_up
    return late or Final(info, Outcome.UNAVAILABLE, _in_vain(cache, in_time=in_time)), led


def _follow(
    cache: CredentialCache, decision: Decision, flight: Flight, give_up: float
) -> Generator[Command, Any, None]:
    report(cache, EventKind.JOINED, decision)
    yield Wait(flight, min(flight.deadline, give_up) - cache.clock())


def _lead(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight, give_up: float
) -> Generator[Command, Any, Credential | None]:
    """Renew for all of this process; with a store, for all who share it, if it is their turn."""
    keep: Any = partial(publish, cache, flight, decision, url=info.url)
    if cache.policy.store is None:
        return (yield from log_in(cache, info, decision, flight, keep))
    if not (yield from take_turn(cache, flight, decision, give_up)):
        return None
    try:
        credential = yield from log_in(cache, info, decision, flight, keep)
    except GeneratorExit:  # nothing can be asked any more: the lease ends at its deadline
        raise
    except BaseException:  # an interrupt too must leave no lease behind; it is raised on
        yield from give_back(cache, flight, unused=False)  # the login may still take effect
        raise
    yield from give_back(cache, flight, unused=not _has_spent(flight))
    return credential


def _has_spent(flight: Flight) -> bool:
    """Tell whether the refresh token that the login was given may be used up."""
    cause = None if flight.blocked is None else flight.blocked.cause
    return cause is not None and spends_refresh_token(cause)


def _in_vain(cache: CredentialCache, *, in_time: bool) -> LoginTimeout:
    if in_time:
        return LoginTimeout("this request's login was overtaken, or reset() has forgotten it")
    return LoginTimeout(f"no login finished within {cache.policy.wait_timeout:g} s")


def _unanswered(cache: CredentialCache, info: ResponseInfo, outcome: Outcome) -> Final:
    """Tell why nothing is done about a response, where there is something to tell."""
    final = foreign(cache, info)
    if final is not None:
        return final
    if heard(cache.policy.listener) and info.origin in cache.policy.origins:
        lapsed = cache.policy.challenged(info)
        if lapsed is not None and lapsed.error is not None:
            report(cache, EventKind.LAPSED, lapsed)
    return Final(info, outcome)
