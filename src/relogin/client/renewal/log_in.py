"""Calling the login, once for all who wait: what came of it ends the flight."""

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
    """Log in and `keep` what the login returned; only what is no `Exception` is raised.

    Any other end of the login is the end of the flight.
    """
    started, credential = cache.clock(), None
    flight.led = True
    if flight.previous is not None and not decision.is_met_by(flight.previous):
        cache.spare(flight)  # it may well live, and is good for less: nobody evicts anybody
    report(cache, EventKind.STARTED, decision)
    try:
        grant = granted((yield Login(flight, _context(cache, info, decision, flight))), info.url)
        if grant is None:
            cache.end(flight, Status.DECLINED)
        else:
            credential = yield from keep(grant)
            if credential is None or credential.grant is not grant:
                cache.orphan(decision, grant)
            if decision.scope:
                cache.demands(flight.key).grant(decision.scope, grant)
    except Exception as cause:  # noqa: BLE001 - whatever the user's own code raises is its failure
        cache.failed(flight, cause, refused=isinstance(cause, LoginRefused))
    finally:
        seconds = cache.clock() - started
        if credential is not None:
            report(cache, EventKind.FINISHED, decision, seconds=seconds)
        else:
            _report_failure(cache, decision, flight, seconds=seconds)
    return credential


def _report_failure(
    cache: CredentialCache, decision: Decision, flight: Flight, *, seconds: float
) -> None:
    # Still running: an interrupt is on its way, or a newcomer has taken over.
    running = flight.status is Status.RUNNING
    reason = Status.ABANDONED if running else flight.status
    report(cache, EventKind.FAILED, decision, reason=reason.name.lower(), seconds=seconds)


def _context(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, flight: Flight
) -> Context:
    demands = cache.demands(decision.key)
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
    )


def _without_token(info: ResponseInfo) -> str:
    """Return the URL of a request; a login need not see the dead token in it."""
    sent = info.sent_with
    if sent is None or sent.query is None:
        return info.url
    return without_parameter(info.url, sent.query[0])
