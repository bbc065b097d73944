"""One renewal for all processes that share a store: the part of the flow that asks the store.

The cache chooses one leader among the threads and tasks of a process. Only the leader comes here,
to agree with other processes on who logs in. Like the flow, these are generators without I/O:

    yields Ask(call, arguments)   -> what the store's method returned; its exception is thrown in
           Pause(seconds)         -> None, when the time is over

If the store fails, an event says so, and this process continues by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isnan, nan
from typing import Any

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Decision
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.renewal.stored import (
    Asking,
    Change,
    View,
    Waiting,
    ask,
    look,
    past,
    polls,
    read,
    report,
    stand_by,
    swap,
    view_of,
)
from relogin.client.stores import Snapshot
from relogin.client.stores.record import Block, Period, Record
from relogin.client.terms.grant import Grant, granted
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = [
    "consult",
    "find",
    "forget",
    "publish",
    "release",
    "share",
    "take_turn",
]


# In seconds, how long other processes do not try a refused password: long enough that a service
# that restarts again and again does not lock the account.
_REFUSAL_LASTS = 900.0


# Renewing


def take_turn(
    cache: CredentialCache, flight: Flight, decision: Decision, give_up: float
) -> Waiting[bool]:
    """Agree with other processes on who logs in; return whether this flight does, now.

    If not, another process logged in or was refused, and the flight has ended in the same way; or
    the time is up.
    """

    def acquire(record: Record, view: View) -> Record | None:
        if view.block(flight.key) is not None:
            return None
        drop, seconds = decision.action is Action.REPLACE, cache.policy.flight_timeout
        over, held = past(cache, flight.key), cache.space(flight.key)
        if held is not None and held.latest is not None:
            record = record.with_lost(held.version, held.latest, over)
        return record.acquire(flight.version, seconds, view.now, drop=drop, past=over)

    waited = None
    for pause in polls():  # pragma: no branch - it never ends
        change = yield from swap(cache, flight.key, acquire)
        if change is None or change.made:
            _begin(cache, flight, Record() if change is None else change.record)
            return True
        if _settled(cache, flight, change) or cache.clock() >= give_up:
            break
        cache.prolong(flight)
        waited = yield from stand_by(cache, flight.key, change.view, pause, waited)
    return False


def _begin(cache: CredentialCache, flight: Flight, record: Record) -> None:
    """Prepare a flight for its login, under its lease if there is one.

    Use a refresh token only under the lease, and only the one in the store: another process may
    have used the one that this process remembers. If the store has lost that, it is back by now.
    """
    latest = flight.previous
    flight.previous = record.grant or (latest and replace(latest, refresh=None))
    flight.lease = None if record.lease is None else record.of_lease
    if record.block is not None:
        flight.attempt = max(flight.attempt, 1 + record.block.failures)
    cache.prolong(flight)


def _settled(cache: CredentialCache, flight: Flight, change: Change) -> bool:
    """End a flight like another process's renewal; return `False` while that is running."""
    record, view, _ = change
    if record.newer(flight.version, past(cache, flight.key)):
        if _adopt(cache, flight.key, record, view.now) is None:
            flight.version = record.of_grant  # unusable here: renew this version
            return False
        cache.refund(flight)
        return True
    block = view.block(flight.key)
    if block is not None:
        cache.block(flight, _blocked(block, cache.clock() - view.now))
    return block is not None


def _blocked(block: Block, ahead: float) -> Blocked:
    """Adopt another process's failure. `ahead`: the cache's clock minus the store's."""
    if block.outcome == Outcome.REFUSED:
        return Blocked(Outcome.REFUSED, LoginRefused("by another process"))
    until = sum(block.period) + ahead
    return Blocked(
        Outcome.UNAVAILABLE, LoginUnavailable("by another process"), until, block.failures
    )


def publish(
    cache: CredentialCache, flight: Flight, decision: Decision, grant: Grant, url: str
) -> Asking[Credential | None]:
    """End a flight with its grant, for this process and for all others.

    If another process has taken over the lease, the grant of that process counts. Until there is
    one, this process uses its own.
    """
    lease, shared = flight.lease, False
    if lease is not None:
        cache.carried(grant, decision.responder)  # raises before others can read it
        if flight.version is not None:
            cache.leave_behind(flight.key, flight.version.holder)
        scheme = decision.responder.scheme
        change = yield from swap(
            cache,
            flight.key,
            lambda record, view: record.put(
                lease, grant, scheme, view.now, past(cache, flight.key)
            ),
        )
        flight.lease = None
        if change is not None and not change.made:
            credential = _taken_over(cache, flight, change)
            if credential is not None:
                return credential
        shared = change is None or change.made  # unless it is certainly not stored
        if shared:
            flight.version = lease
    return cache.granted(flight, decision, grant, url, shared=shared)


def _taken_over(cache: CredentialCache, flight: Flight, change: Change) -> Credential | None:
    """End a flight with the grant of the process that has taken the lease over, if it has one."""
    if not change.record.newer(flight.version, past(cache, flight.key)):
        return None
    credential = _adopt(cache, flight.key, change.record, change.view.now)
    if credential is not None:
        cache.end(flight, Status.GRANTED)
    return credential


def release(cache: CredentialCache, flight: Flight, *, unused: bool) -> Asking[None]:
    """End the lease of a flight without a grant, and store why there is none.

    `unused` says that the login did not use up its refresh token: it may be tried again.
    """
    lease, blocked = flight.lease, flight.blocked
    if lease is None:
        return
    flight.lease = None

    def change(record: Record, view: View) -> Record | None:
        block = None if blocked is None else _block(blocked, cache.clock(), view.now)
        return record.release(lease, block, unused=unused, newest=flight.newest)

    yield from swap(cache, flight.key, change)


def _block(blocked: Blocked, clock: float, now: float) -> Block:
    seconds = _REFUSAL_LASTS if blocked.until is None else max(blocked.until - clock, 0.0)
    return Block(blocked.outcome, Period(now, seconds), blocked.failures)


def find(
    cache: CredentialCache, key: Key, dead: Credential | None, give_up: float
) -> Waiting[Credential | None]:
    """Find a newer grant than the dead one; wait if another process is renewing it."""
    version, waited = None if dead is None else dead.version, None
    for pause in polls():  # pragma: no branch - it never ends
        view = yield from look(cache, key.origin)
        if view is None:
            break
        record = view.record(key)
        if record.newer(version, past(cache, key)):
            return _adopt(cache, key, record, view.now)
        if not record.leased(view.now) or cache.clock() >= give_up:
            break
        waited = yield from stand_by(cache, key, view, pause, waited)
    return None


def _adopt(cache: CredentialCache, key: Key, record: Record, now: float) -> Credential | None:
    """Use a stored grant, unless another thread has found a newer one.

    Return `None` if it is over, or if no request can be signed with it here.
    """
    responder = next((r for r in cache.policy.responders if r.scheme == record.scheme), None)
    try:
        grant = granted(record.to_use(now), key.origin)
        if responder is None or grant is None:
            return None
        credential = cache.made(key, responder, grant, version=record.of_grant, shared=True)
    except (TypeError, ValueError):  # not written by relogin
        return None
    current = cache.newer(key, None)
    held = None if current is None else current.version
    if record.of_grant.is_new(held, past(cache, key)):
        cache.leave_behind(key, *record.past)
        cache.hold(credential, current)
        current = cache.newer(key, current) or credential
    report(cache, EventKind.ADOPTED, key)
    return current


# Before and after a request


def consult(cache: CredentialCache, origin: str) -> Asking[None]:
    """Update the cache from the store, before a request to this origin is signed."""
    peeks = hasattr(cache.policy.store, "peek")
    place = ("peek" if peeks else "get", origin, cache.policy.account)
    found = yield from ask(cache, origin, *place, even_if_cancelled=False)  # it changes nothing
    cache.consulted(origin)
    if found is not None and not cache.agrees_with(origin, found if peeks else found.entries):
        # The time is NaN if it would cost more.
        yield from _take_over(cache, origin, Snapshot(found, nan) if peeks else found)


def _take_over(cache: CredentialCache, origin: str, snapshot: Snapshot) -> Asking[None]:
    """Update the cache from what was read; first ask for the time if that is needed."""
    records = _own(cache, origin, snapshot)
    if isnan(snapshot.now) and any(_is_news(cache, *one) for one in records.items()):
        timed = yield from read(cache, origin)
        if timed is not None:
            yield from _take_over(cache, origin, timed)
    else:
        for key, record in records.items():
            _absorb(cache, key, record, snapshot.now)
        cache.agree_with(origin, snapshot.entries)


def _own(cache: CredentialCache, origin: str, snapshot: Snapshot) -> Mapping[Key, Record]:
    """Return the records of the realms that this principal logs in to."""
    records = view_of(origin, snapshot).records
    wanted, account = cache.policy.realm, cache.policy.account
    return {Key(origin, r, account): records[r] for r in records if wanted in {None, r}}


def _is_news(cache: CredentialCache, key: Key, record: Record) -> bool:
    credential = cache.newer(key, None)
    return record.newer(None if credential is None else credential.version, past(cache, key))


def _absorb(cache: CredentialCache, key: Key, record: Record, now: float) -> None:
    credential = cache.newer(key, None)
    if _is_news(cache, key, record):
        _adopt(cache, key, record, now)
    elif credential is None or credential.version is None or not credential.shared:
        return  # a grant of its own
    elif record.has_ended(credential.version):
        cache.drop(credential)
    elif record.grant is not None and record.of_grant.is_same(credential.version):
        cookies: Any = record.grant.cookies  # no jar is stored
        if credential.rolled(cookies, record.grant.headers) != credential:
            cache.roll(credential, cookies, record.grant.headers)


def share(cache: CredentialCache, credential: Credential) -> Asking[None]:
    """Store the cookies and fields that a response has changed, for other processes."""
    now, before, version = cache.current(credential), credential.headers, credential.version
    if now is credential or version is None or not credential.shared:
        return
    headers = {name: value for name, value in now.headers.items() if before.get(name) != value}
    if headers or now.cookies != credential.cookies:
        yield from swap(
            cache,
            credential.key,
            lambda record, _: record.roll(version, now.cookies, headers),
        )


def forget(cache: CredentialCache) -> Asking[None]:
    """Forget every session and every refusal, for all processes that share the store."""
    for origin in sorted(cache.policy.origins):
        view = yield from look(cache, origin)
        for realm in () if view is None else view.records:
            key = Key(origin, realm, cache.policy.account)
            yield from swap(cache, key, lambda record, view: record.forget(view.now))
