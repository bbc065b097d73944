"""How a renewal ends for one request, and which events it causes."""

from __future__ import annotations

from relogin.client.events import Event, EventKind, heard, tell, warn
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Final
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import UNAUTHORIZED, Decision, ResponseInfo
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.terms.outcomes import Outcome
from relogin.errors import (
    BodyNotReplayable,
    InvalidGrant,
    LoginRefused,
    LoginUnavailable,
    MethodNotReplayable,
    ReloginError,
)

__all__ = ["ended", "foreign", "not_replayed", "refused", "report"]

_DECLINED = Status.DECLINED  # before Python 3.12, each look at a member of an enum is slow


def _failure(blocked: Blocked, now: float) -> ReloginError | None:
    """Build an exception for this request: a shared one would mix the frames of threads."""
    cause = blocked.cause
    if cause is None:
        return None
    error: ReloginError
    if blocked.outcome is Outcome.REFUSED:
        said = f": {cause}" if str(cause) else ""
        error = LoginRefused(f"the login was refused{said}; it is not tried again until reset()")
    elif isinstance(cause, InvalidGrant):
        error = InvalidGrant(str(cause))
    else:
        pause = None if blocked.until is None else max(blocked.until - now, 0.0)
        # The text of other exceptions may hold anything, such as a URL with a password.
        ours = isinstance(cause, LoginUnavailable) and str(cause)
        said = ours or type(cause).__name__
        error = LoginUnavailable(f"the login failed: {said}", retry_after=pause)
    error.__cause__ = cause
    return error


def ended(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, joined: Flight | Blocked
) -> Final | None:
    """Return the end for a request whose renewal brought no grant; `None`: try again."""
    if isinstance(joined, Flight) and joined.status is _DECLINED:
        return Final(info, Outcome.DECLINED)
    blocked = joined.blocked if isinstance(joined, Flight) else joined
    return None if blocked is None else refused(cache, info, decision, blocked)


def refused(
    cache: CredentialCache, info: ResponseInfo, decision: Decision, blocked: Blocked
) -> Final:
    """End because no login is tried now."""
    report(cache, EventKind.REFUSED, decision, reason=blocked.outcome)
    told = info.origin, blocked.outcome
    if blocked.outcome is Outcome.OVER_BUDGET and info.status and told not in cache.warned:
        cache.warned.add(told)
        warn(
            "%s from %s: nothing was done, because budget= allows no more logins for now. If "
            "programs end each other's session, give all of them one store=",
            *(info.status, info.origin),
        )
    return Final(info, blocked.outcome, _failure(blocked, cache.clock()))


def foreign(cache: CredentialCache, info: ResponseInfo) -> Final | None:
    """End if the 401 is from another origin, which gets no token."""
    if info.status != UNAUTHORIZED or info.origin in cache.policy.origins:
        return None
    tell(cache.policy.listener, Event(EventKind.REFUSED, info.origin, reason=Outcome.FOREIGN))
    return Final(info, Outcome.FOREIGN)


def not_replayed(cache: CredentialCache, info: ResponseInfo, decision: Decision) -> Final:
    """End with a renewed session, and a request that cannot be sent again."""
    detail = "method" if info.replayable else "body"
    outcome = Outcome.RENEWED_NOT_REPLAYED
    report(cache, EventKind.REFUSED, decision, reason=outcome, detail=detail)
    failure = _strict(info)
    if cache.policy.strict:
        return Final(info, outcome, failure, detail)
    told = info.origin, detail
    if told not in cache.warned:
        cache.warned.add(told)
        warn("%s from %s: %s", info.status, info.origin, failure)
    return Final(info, outcome, None, detail)


def _strict(info: ResponseInfo) -> ReloginError:
    if not info.replayable:
        return BodyNotReplayable("the session was renewed, but the request's body is used up")
    return MethodNotReplayable(
        f"the session was renewed, but a {info.method} is not sent twice here: the server may have "
        "acted on it; replay_any_method=True sends it again anyway"
    )


def report(
    cache: CredentialCache,
    kind: EventKind,
    decision: Decision,
    *,
    reason: str | None = None,
    seconds: float | None = None,
    detail: str | None = None,
) -> None:
    """Send an event about a session, if anybody listens."""
    if heard(cache.policy.listener):
        key = decision.key
        realm = cache.realm_of(key)
        event = Event(kind, key.origin, realm, decision.error, reason, seconds, detail)
        tell(cache.policy.listener, event)
