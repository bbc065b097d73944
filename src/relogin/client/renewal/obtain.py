"""How a request gets a newer grant: it leads a renewal, or waits for one that another leads.

A generator without I/O, which yields commands as `relogin.client.renewal.flow` does. An exception
that is thrown in leaves no renewal without a leader.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from relogin.client.events import EventKind
from relogin.client.logins.sending.spent_token import spends_refresh_token
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Final, Wait
from relogin.client.renewal.finals import ended, report
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.log_in import log_in
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.renewal.shared import find, publish, release, take_turn
from relogin.client.terms.outcomes import Outcome
from relogin.errors import LoginTimeout

__all__ = ["lead", "obtain", "passed_over"]

# Before Python 3.12, each look at a member of an enum is slow.
_RUNNING, _ABANDONED, _FORGOTTEN = Status.RUNNING, Status.ABANDONED, Status.FORGOTTEN


def obtain(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    dead: Credential | None,
    *,
    led: bool = False,
) -> Generator[Command, Any, tuple[Credential | Final | None, bool]]:
    """Obtain a newer grant than the dead one, if allowed; tell whether this request led."""
    if dead is not None and dead.version is not None and decision.is_end:
        cache.leave_behind(decision.key, dead.version.holder)
    joined = cache.under_way(decision.key, dead)
    if isinstance(joined, Credential):
        if decision.is_met_by(joined.grant):
            return joined, led
        dead = joined  # it lives, but does not cover what the challenge asks for
        joined = cache.under_way(decision.key, dead)
    if led or decision.stops:
        return (yield from _elsewhere(cache, decision, dead)), led
    return (yield from _renew(cache, info, decision, dead, joined))


def passed_over(
    cache: CredentialCache, decision: Decision, dead: Credential | None
) -> Credential | None:
    """Skip a newer grant that lives but does not cover what this challenge asks for."""
    if decision.is_met_by_any:
        return dead
    newer = cache.newer(decision.key, dead)
    return dead if newer is None or decision.is_met_by(newer.grant) else newer


def _elsewhere(
    cache: CredentialCache, decision: Decision, dead: Credential | None, *, patient: bool = True
) -> Generator[Command, Any, Credential | None]:
    """Find a grant that others have obtained or are obtaining: this request may not log in.

    Often a login ends the previous session, and the server calls that one revoked while the login
    is still in progress.
    """
    give_up = cache.clock() + (cache.policy.wait_timeout if patient else 0.0)
    while cache.clock() < give_up:
        joined = cache.under_way(decision.key, dead)
        if isinstance(joined, Credential):
            return joined
        if joined is None:
            break
        yield _joined(cache, decision, joined, give_up)
    if cache.policy.store is None:
        return None
    return (yield from find(cache, decision.key, dead, give_up))


def _renew(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    dead: Credential | None,
    joined: Credential | Flight | Blocked | None,
) -> Generator[Command, Any, tuple[Credential | Final, bool]]:
    """Obtain a newer grant: lead a renewal or wait for one; tell whether this request led.

    `joined` is the flight to wait for, if there is one.
    """
    if decision.replaces and dead is not None:
        cache.drop(dead)
    give_up, led, anew = cache.clock() + cache.policy.wait_timeout, False, False
    while cache.clock() < give_up:
        if joined is None:  # a thousand may find one: they need no flight of their own
            mine = Flight(decision.key)  # before `join`, so that `finally` always has it
            try:
                joined = cache.join(mine, dead)
                if joined is mine:
                    if led:  # its one login was overtaken, and the later grant is gone
                        break
                    credential = yield from lead(cache, info, decision, mine, give_up)
                    # After reset(), log in once more; a login of another process does not count.
                    led, anew = mine.led and (anew or mine.status is not _FORGOTTEN), True
                    if credential is not None:  # use it, however long the login took
                        return credential, led
            finally:
                cache.end(mine, _ABANDONED)
        if isinstance(joined, Flight) and joined.status is _RUNNING:
            yield _joined(cache, decision, joined, give_up)
        if isinstance(joined, Blocked):
            joined = (yield from _elsewhere(cache, decision, dead, patient=False)) or joined
        end = joined if isinstance(joined, Credential) else ended(cache, info, decision, joined)
        if end is not None:
            return end, led
        dead = passed_over(cache, decision, dead)
        joined = cache.under_way(decision.key, dead)
    late = cache.newer(decision.key, dead)  # it may have come at the last moment
    in_time = cache.clock() < give_up
    return late or Final(info, Outcome.UNAVAILABLE, _in_vain(cache, in_time=in_time)), led


def _joined(cache: CredentialCache, decision: Decision, flight: Flight, give_up: float) -> Wait:
    report(cache, EventKind.JOINED, decision)
    return Wait(flight, min(flight.deadline, give_up) - cache.clock())


def lead(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight, give_up: float
) -> Generator[Command, Any, Credential | None]:
    """Renew for this process; with a store, for all that share it."""
    if cache.policy.store is None:
        return log_in(cache, info, decision, flight)
    return _lead_all(cache, info, decision, flight, give_up)


def _lead_all(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight, give_up: float
) -> Generator[Command, Any, Credential | None]:
    """Renew for all processes that share the store, if this one gets the lease."""
    if not (yield from take_turn(cache, flight, decision, give_up)):
        return None
    if flight.status is not _RUNNING:  # the login that it has overtaken brought a grant
        cache.refund(flight)
        yield from release(cache, flight, unused=True)
        return None
    keep: Any = partial(publish, cache, flight, decision, url=info.url)
    try:
        credential = yield from log_in(cache, info, decision, flight, keep)
    except GeneratorExit:  # the store cannot be asked now: the lease ends by itself
        raise
    except BaseException:  # after an interrupt too, end the lease
        spent = flight.has_spent(own_client=cache.own_client)
        yield from release(cache, flight, unused=not spent)
        raise
    yield from release(cache, flight, unused=not _has_spent(flight))
    return credential


def _has_spent(flight: Flight) -> bool:
    """Tell whether the login may have used up its refresh token."""
    cause = None if flight.blocked is None else flight.blocked.cause
    return cause is not None and spends_refresh_token(cause, flight.progress)


def _in_vain(cache: CredentialCache, *, in_time: bool) -> LoginTimeout:
    if in_time:
        return LoginTimeout("this request's login was overtaken, or reset() has forgotten it")
    return LoginTimeout(f"no login finished within {cache.policy.wait_timeout:g} s")
