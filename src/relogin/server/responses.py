"""The application's response on its way out through the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from relogin.server.decisions import Answer, Claim, Decision
from relogin.server.fields import (
    EXPOSED,
    FixedHeaders,
    Headers,
    add_challenges,
    add_to_list,
    elements,
    keep_cookie,
    keep_private,
    sets_cookie,
    values,
    without,
    without_content,
)
from relogin.server.gate import Gate
from relogin.server.verdicts import FORBIDDEN, Refused

__all__ = ["MERGED", "additions", "dress", "lifetime_fields", "replacement"]


# A response with one of these fields is merged with what the gate adds.
MERGED = frozenset({"access-control-expose-headers", "cache-control", "set-cookie", "vary"})


def additions(
    gate: Gate, decision: Decision, status: int, names: Iterable[str]
) -> FixedHeaders | None:
    """Return the fields to add to a response that has fields of these lower-case names.

    Returns None if it must be replaced or merged with: see `replacement` and `dress`.
    """
    if decision.claim.ignored:
        return ()
    return None if gate.legacy is not None else _due(gate, decision, status, names)


def _due(gate: Gate, decision: Decision, status: int, names: Iterable[str]) -> FixedHeaders | None:
    if status == 401 or decision.died or not MERGED.isdisjoint(names):
        return None
    public = decision.claim.public
    if not decision.claim.presented:
        return gate.public_vary_alone if public else gate.vary_alone
    lifetime = decision.lifetime
    if lifetime is None:
        return gate.public_vary_private if public else gate.vary_private
    return lifetime_fields(gate.public_vary_alone if public else gate.vary_alone, lifetime)


def lifetime_fields(vary: FixedHeaders, lifetime: int) -> FixedHeaders:
    """Return the fields to add to a response that says how long its session lives."""
    return (*vary, ("Authentication-Info", f"expires_in={lifetime}"), _EXPOSE, _UNSTORED)


_UNSTORED = ("Cache-Control", "private, no-store")
_EXPOSE = ("Access-Control-Expose-Headers", ", ".join(EXPOSED))


def dress(gate: Gate, decision: Decision, status: int, headers: Headers) -> Headers:
    """Return the headers of a response, merged with what the gate adds."""
    if decision.claim.ignored:
        return headers
    added = _due(gate, decision, status, [name.lower() for name, _ in headers])
    return _merged(gate, decision, status, headers) if added is None else [*headers, *added]


def _merged(gate: Gate, decision: Decision, status: int, headers: Headers) -> Headers:
    shown = status == 401 or not decision.claim.public
    headers = add_to_list(headers, "Vary", gate.vary if shown else gate.public_vary)
    headers, store = _with_auth_fields(gate, decision, status, headers)
    if decision.died and not decision.claim.logout:
        # A late answer must not delete the cookie of the session that took over.
        headers = keep_cookie(headers, gate.cookie)
    if any(sets_cookie(header, gate.cookie) for header in headers):
        store = False
    if store and not decision.claim.presented:
        return headers
    return keep_private(headers, store=store)


def _with_auth_fields(
    gate: Gate, decision: Decision, status: int, headers: Headers
) -> tuple[Headers, bool]:
    """Add the challenge or the lifetime; return whether caches may store the response, too."""
    if status == 401 or (gate.announce and decision.died and status < 400):
        headers = _with_challenges(gate, decision, headers)
        return add_to_list(headers, "Access-Control-Expose-Headers", EXPOSED), False
    lifetime = decision.lifetime
    if lifetime is None:
        return headers, True
    headers = [*headers, ("Authentication-Info", f"expires_in={lifetime}")]
    headers = add_to_list(headers, "Access-Control-Expose-Headers", EXPOSED)
    # A lifetime from a cache is a stale one; but an application may want its own caching.
    return headers, bool(values(headers, "cache-control"))


def _with_challenges(gate: Gate, decision: Decision, headers: Headers) -> Headers:
    # To an admitted session a 401 is about something else, a wrong old password for example: a
    # challenge would tell the client that it presented no session.
    if decision.session is not None:
        gate.refusals.look_for_relayed(values(headers, "www-authenticate"))
        return headers
    headers = add_challenges(headers, gate.challenges(decision, decision.refused or Refused()))
    gate.refusals.measure(", ".join(values(headers, "www-authenticate")))
    return headers


def replacement(gate: Gate, decision: Decision, status: int, headers: Headers) -> Answer | None:
    """Return the answer in place of a response that says in a legacy way that a session is dead.

    Its fields are kept, except those about its content and the session cookie.
    """
    if decision.claim.ignored:
        return None
    if status == 401 and decision.trouble:
        # The application saw nobody. Whether there is a session, nobody could tell.
        answer = gate.refuse(decision)
    elif (error := _legacy_error(gate, decision.claim, status, headers)) is not None:
        answer = gate.refuse(decision, Refused(_error_to_send(gate, decision, error)))
    else:
        return None
    kept = without_content(headers, gate.cookie)
    vary, expose = values(kept, "vary"), values(kept, "access-control-expose-headers")
    headers = add_to_list(answer.headers, "Vary", elements(vary))
    headers = add_to_list(headers, "Access-Control-Expose-Headers", elements(expose))
    names = {name.lower() for name, _ in headers}
    return answer._replace(headers=[*without(kept, *names), *headers])


def _legacy_error(gate: Gate, claim: Claim, status: int, headers: Headers) -> str | None:
    legacy = gate.legacy
    if legacy is None or claim.logout:  # a logout may redirect to the login, and mean it
        return None
    if isinstance(legacy, Mapping):
        return legacy.get(status)
    by_name = {name.lower(): value for name, value in headers}
    more = (claim.request,) if gate.legacy_takes_request else ()
    return legacy(status, by_name, *more)


def _error_to_send(gate: Gate, decision: Decision, error: str) -> str | None:
    """Return the error to send; None if the gate can see that no session was presented."""
    none_presented = gate.cookie is not None and not decision.claim.presented
    return None if none_presented and error not in FORBIDDEN else error
