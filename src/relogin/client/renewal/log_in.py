"""Calling the login once for all who wait; its result ends the flight."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from relogin.client.events import EventKind, heard
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Login
from relogin.client.renewal.finals import report
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.terms.grant import Context, Grant, granted
from relogin.client.terms.progress import Progress
from relogin.client.terms.query import without_parameter
from relogin.errors import LoginRefused

__all__ = ["log_in"]

Keep: TypeAlias = Callable[[Grant], Generator[Command, Any, Credential | None]]


def log_in(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    flight: Flight,
    keep: Keep | None = None,
) -> Generator[Command, Any, Credential | None]:
    """Log in and `keep` the grant that the login returned; by default, in the cache alone.

    An `Exception` of the login ends the flight; only other exceptions, such as interrupts, are
    raised.
    """
    telling, credential = heard(cache.policy.listener), None
    started = cache.clock() if telling else 0.0
    flight.led = True
    if not decision.is_met_by_any and _lives_on(decision, flight):
        cache.refund(flight)  # the session may live and lack scopes: no logins compete
    if telling:
        report(cache, EventKind.STARTED, decision)
    try:
        grant = granted((yield Login(flight, _context(cache, info, decision, flight))), info.url)
        if grant is None:
            cache.end(flight, Status.DECLINED)
        else:
            _note(cache, decision, flight, grant)
            if keep is None:
                credential = cache.granted(flight, decision, grant, info.url)
            else:
                credential = yield from keep(grant)
            if credential is None or credential.grant is not grant:
                cache.orphan(decision, grant)
            if decision.scope:
                cache.demands(flight.key).grant(decision.scope, grant)
    except Exception as cause:  # noqa: BLE001 - anything that the user's code raises is its failure
        cache.failed(flight, cause, refused=isinstance(cause, LoginRefused))
    finally:
        if telling:
            _report_end(cache, decision, flight, credential, cache.clock() - started)
    return credential


def _note(cache: CredentialCache, decision: Decision, flight: Flight, grant: Grant) -> None:
    """Remember what a login brought, and whether it had a client of its own."""
    progress: Any = flight.progress
    if grant.refresh is not None:
        progress.keep(grant)  # an interrupt may come before the cache and the store have it
    if decision.responder.grant_from is None:
        cache.own_client |= not progress.opened
        progress.unknown()  # if another login has overtaken it, it counts all the same


def _lives_on(decision: Decision, flight: Flight) -> bool:
    return flight.previous is not None and not decision.is_met_by(flight.previous)


def _report_end(
    cache: CredentialCache,
    decision: Decision,
    flight: Flight,
    credential: Credential | None,
    seconds: float,
) -> None:
    if credential is not None:
        report(cache, EventKind.FINISHED, decision, seconds=seconds)
        return
    # Still running: there was an interrupt, or a later flight took over.
    running = flight.status is Status.RUNNING
    reason = Status.ABANDONED if running else flight.status
    report(cache, EventKind.FAILED, decision, reason=reason.name.lower(), seconds=seconds)


def _context(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight
) -> Context:
    sent, url, key = info.sent_with, info.url, decision.key
    demands = cache.demands(flight.key) if decision.scope else flight.demands
    if demands is not None and (decision.scope or demands.granted):
        flight.scope = demands.ask(decision.scope, flight.previous, cache.clock())
    if sent is not None and sent.query is not None:  # a login need not see the dead token
        url = without_parameter(url, sent.query[0])
    previous = flight.previous
    flight.progress = Progress(spends=previous is not None and previous.refresh is not None)
    return Context(
        challenge=decision.challenge,
        error=decision.error,
        realm=key.realm if cache.defaults is None else cache.defaults.realm_of(key),
        method=info.method,
        url=url,
        attempt=flight.attempt,
        previous=previous,
        scope=flight.scope,
        timeout=cache.policy.login_timeout,
        progress=flight.progress,
    )
