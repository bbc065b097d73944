"""Calling the login once for all who wait; its result ends the flight."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from relogin.client.events import EventKind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Login
from relogin.client.renewal.ends import report
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.terms.grant import Context, Grant, granted
from relogin.client.terms.progress import Progress
from relogin.client.terms.query import without_parameter
from relogin.errors import LoginRefused

__all__ = ["log_in"]


def log_in(
    cache: CredentialCache,
    info: ResponseInfo,
    decision: Decision,
    flight: Flight,
    keep: Callable[[Grant], Generator[Command, Any, Credential | None]],
) -> Generator[Command, Any, Credential | None]:
    """Log in and `keep` the grant that the login returned.

    An `Exception` of the login ends the flight; only other exceptions, such as interrupts, are
    raised.
    """
    started, credential = cache.clock(), None
    flight.led = True
    if flight.previous is not None and not decision.is_met_by(flight.previous):
        cache.spare(flight)  # the session may live and lack scopes: no logins compete
    report(cache, EventKind.STARTED, decision)
    try:
        grant = granted((yield Login(flight, _context(cache, info, decision, flight))), info.url)
        if grant is None:
            cache.end(flight, Status.DECLINED)
        else:
            _note(cache, decision, flight)
            credential = yield from keep(grant)
            if credential is None or credential.grant is not grant:
                cache.orphan(decision, grant)
            if decision.scope:
                cache.demands(flight.key).grant(decision.scope, grant)
    except Exception as cause:  # noqa: BLE001 - anything that the user's code raises is its failure
        cache.failed(flight, cause, refused=isinstance(cause, LoginRefused))
    finally:
        seconds = cache.clock() - started
        if credential is not None:
            report(cache, EventKind.FINISHED, decision, seconds=seconds)
        else:
            _report_failure(cache, decision, flight, seconds=seconds)
    return credential


def _note(cache: CredentialCache, decision: Decision, flight: Flight) -> None:
    """Remember that a login ended, and whether it had a client of its own."""
    progress = flight.progress
    if progress is not None and decision.responder.grant_from is None:
        cache.own_client |= not progress.opened
        progress.unknown()  # if another login has overtaken it, it counts all the same


def _report_failure(
    cache: CredentialCache, decision: Decision, flight: Flight, *, seconds: float
) -> None:
    # Still running: there was an interrupt, or a later flight took over.
    running = flight.status is Status.RUNNING
    reason = Status.ABANDONED if running else flight.status
    report(cache, EventKind.FAILED, decision, reason=reason.name.lower(), seconds=seconds)


def _context(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight
) -> Context:
    demands = cache.demands(decision.key)
    flight.progress = Progress()
    flight.scope = demands.ask(decision.scope, flight.previous, cache.clock())
    return Context(
        challenge=decision.challenge,
        error=decision.error,
        realm=decision.key.realm,
        method=info.method,
        url=_without_token(info),
        attempt=flight.attempt,
        previous=flight.previous,
        scope=flight.scope,
        timeout=cache.policy.login_timeout,
        progress=flight.progress,
    )


def _without_token(info: ResponseInfo) -> str:
    """Return the URL of a request without the dead token, which a login need not see."""
    sent = info.sent_with
    if sent is None or sent.query is None:
        return info.url
    return without_parameter(info.url, sent.query[0])
