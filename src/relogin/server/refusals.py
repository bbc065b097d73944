"""The gate's own responses: 401, 403, 503, and the response to a CORS preflight.

They contain nothing that a user typed. The reason is in the challenge and again in a problem
document (RFC 9457), because gateways rename that field and caches strip it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from relogin.errors import ChallengeSyntaxError
from relogin.server.custom_refusals import (
    Fields,
    Page,
    Params,
    PerRefusal,
    checked_fields,
    checked_page,
    checked_params,
)
from relogin.server.decisions import Answer, Decision
from relogin.server.fields import EXPOSED, Headers, add_to_list
from relogin.server.logs import log
from relogin.server.schemes import DETAILS, Scheme
from relogin.server.verdicts import (
    CSRF_INVALID,
    FORBIDDEN,
    INSUFFICIENT_SCOPE,
    Refused,
)
from relogin.session import SessionChallenge, SessionError
from relogin.wire.field import parse, serialize
from relogin.wire.model import Challenge

__all__ = ["PREFLIGHT", "Refusals", "forbidden"]

# For a preflight that no CORS layer has answered: it allows nothing.
PREFLIGHT = Answer(204, [("Cache-Control", "no-store")])

_DEAD = frozenset({SessionError.EXPIRED, SessionError.INVALID, SessionError.REVOKED})
_NGINX_LIMIT = 4095  # octets of a header that nginx takes in its defaults
_OTHER_FIELDS = 345  # octets of a refusal's other fields, with those that servers add
_CACHED = 64  # refusals that are built once

# The schemes that clients log in for on their own.
_ANSWERED = frozenset({"session", "bearer"})


class Refusals:
    """Writes the refusals of one gate."""

    def __init__(
        self,
        realm: str,
        schemes: Sequence[Scheme],
        *,
        also: Sequence[Challenge],
        params: Params | None,
        headers: Fields | None,
        cookie: str | None,
        collapse: bool,
        retry_after: int,
        login_page: Page | None,
        vary: Iterable[str],
    ) -> None:
        self._realm = realm
        self._schemes = schemes
        self._also = also
        self._params: PerRefusal[dict[str, str]] = PerRefusal(
            "params", params, checked_params, {}, argument="request"
        )
        self._fields: PerRefusal[dict[str, str]] = PerRefusal(
            "headers", headers, partial(checked_fields, cookie=cookie), {}
        )
        self._page: PerRefusal[str | None] = PerRefusal(
            "login_page", login_page, checked_page, None
        )
        self._has_page = login_page is not None
        self._collapse = collapse
        self._retry_after = retry_after
        self._vary = tuple(vary)
        self._warned = self._warned_of_relayed = False
        self._cache: dict[object, Answer] = {}
        self._is_fixed = self._params.is_fixed and self._fields.is_fixed
        silent = SessionChallenge(realm)
        self.measure(serialize(self._write(silent, schemes[-1], self._params.fixed)))

    def answer(self, decision: Decision, why: Refused | None = None) -> Answer:
        """Build the response; if the application gives no reason, the gate's own counts."""
        answer = self._for_get(decision, why)
        if decision.claim.request.method == "HEAD":
            return answer._replace(body=b"")  # its Content-Length stays (RFC 9110 §9.3.2)
        return answer

    def _for_get(self, decision: Decision, why: Refused | None) -> Answer:
        why = decision.reason(why)
        if why is None:
            return self._with_vary(_store_trouble(self._retry_after))
        shown = self._has_page and decision.claim.request.is_navigation
        if not self._is_fixed or (shown and not self._page.is_fixed):
            return self._build(decision, why, shown=shown)
        reason = (why.error, why.description, why.max_age, why.acr_values, why.scope)
        key = (*reason, decision.claim.scheme, shown)
        cached = self._cache.get(key)
        if cached is None:
            if len(self._cache) >= _CACHED:  # somebody's descriptions are not constant
                self._cache.clear()
            cached = self._cache[key] = self._build(decision, why, shown=shown)
        return cached

    def challenges(self, decision: Decision, why: Refused) -> list[Challenge]:
        """Write one challenge for each scheme; the reason is in that of the one that was used."""
        return self._write(
            self._session_challenge(why),
            self._scheme_of(decision),
            self._extra_params(decision, why),
        )

    def _write(
        self, reason: SessionChallenge, used: Scheme, more: Mapping[str, str]
    ) -> list[Challenge]:
        silent = SessionChallenge(self._realm)
        own = [scheme.challenge(reason if scheme is used else silent) for scheme in self._schemes]
        return [*self._also, *(Challenge(one.scheme, {**one.params, **more}) for one in own)]

    def measure(self, line: str, own: Mapping[str, str] | None = None) -> str:
        """Return the line; warn once if it is longer, with the `own` fields, than nginx takes."""
        # The names are in Access-Control-Expose-Headers too.
        fields = {} if own is None else own
        room = (
            _NGINX_LIMIT
            - _OTHER_FIELDS
            - sum(2 * len(name) + len(fields[name]) + 6 for name in fields)
        )
        if len(line) > room and not self._warned:
            self._warned = True
            log().warning(
                "the challenges take %d bytes of one header field, and beside the others there is "
                "room for %d. If a header takes more than %d bytes, nginx answers 502. Shorten "
                "your params, also, headers or descriptions",
                *(len(line), room, _NGINX_LIMIT),
            )
        return line

    def look_for_relayed(self, lines: Sequence[str]) -> None:
        """Warn once of a 401 to a living session that another server seems to have written."""
        if self._warned_of_relayed:
            return
        realms = {one.realm for one in _readable(lines) if one.scheme.lower() in _ANSWERED}
        if realms - {self._realm}:
            self._warned_of_relayed = True
            log().warning(
                "the application answered 401 to a living session, with a challenge of another "
                "realm, and a client may log in because of it. If it is another server's, answer "
                "502 instead"
            )

    def _build(self, decision: Decision, why: Refused, *, shown: bool) -> Answer:
        if why.error == CSRF_INVALID:
            return self._with_vary(forbidden(CSRF_INVALID, why.description))
        if why.error == INSUFFICIENT_SCOPE:
            return self._with_vary(self._insufficient_scope(decision, why))
        reason, request = self._session_challenge(why), decision.claim.request
        html = self._page(reason, request) if shown else None
        code = self._scheme_of(decision).code(reason.error)
        own = self._fields(reason, request)
        line = self.measure(serialize(self.challenges(decision, why)), own)
        return self._with_vary(_unauthorized(reason, code, line, html, own, why.scope))

    def _insufficient_scope(self, decision: Decision, why: Refused) -> Answer:
        """Build the 403 of RFC 6750 §3.1; no other scheme has a challenge in a 403."""
        used, line = self._scheme_of(decision), None
        if used.tells_scope:
            params = {"realm": self._realm, "error": INSUFFICIENT_SCOPE}
            if why.description is not None:
                params["error_description"] = why.description
            params |= self._extra_params(decision, why)
            challenge = Challenge(used.name, params)
            line = self.measure(serialize([challenge]))
        return forbidden(INSUFFICIENT_SCOPE, why.description, why.scope, line)

    def _extra_params(self, decision: Decision, why: Refused) -> dict[str, str]:
        """Return the operator's own parameters, and the scope that this refusal asks for."""
        own = self._params(decision.claim.request)
        return own if why.scope is None else {**own, "scope": why.scope}

    def _with_vary(self, answer: Answer) -> Answer:
        """List in Vary what the gate has read."""
        return answer._replace(headers=add_to_list(answer.headers, "Vary", self._vary))

    def _session_challenge(self, why: Refused) -> SessionChallenge:
        error = why.error
        if error in FORBIDDEN:  # it stands in a 403, and says nothing in the application's own 401
            return SessionChallenge(self._realm)
        if self._collapse and error in _DEAD:
            return SessionChallenge(self._realm, SessionError.INVALID)
        return SessionChallenge(self._realm, error, why.description, why.max_age, why.acr_values)

    def _scheme_of(self, decision: Decision) -> Scheme:
        return decision.claim.scheme or self._schemes[-1]


def _unauthorized(
    reason: SessionChallenge,
    code: str | None,
    line: str,
    html: str | None,
    own: Mapping[str, str],
    scope: str | None,
) -> Answer:
    """Build the 401: the challenges, the operator's fields, and a problem document or a page."""
    headers = [("WWW-Authenticate", line), _exposed(own), *own.items()]
    if html is not None:
        return _answer(401, headers, "text/html; charset=utf-8", html.encode(), code)
    return _problem(
        401,
        "Unauthorized",
        reason.error_description or DETAILS.get(reason.error),
        headers,
        code,
        max_age=reason.max_age,
        acr_values=" ".join(reason.acr_values) or None,
        scope=scope,
    )


def forbidden(
    error: str, description: str | None, scope: str | None = None, line: str | None = None
) -> Answer:
    """Build the 403 for what no login cures; its challenge, if any, names the needed scope."""
    headers = [] if line is None else [("WWW-Authenticate", line), _exposed({})]
    detail = description or DETAILS.get(error)
    return _problem(403, "Forbidden", detail, headers, error, scope=scope)


def _exposed(own: Mapping[str, str]) -> tuple[str, str]:
    """Name the fields that scripts of other origins may read, with the operator's own."""
    return "Access-Control-Expose-Headers", ", ".join((*EXPOSED, *own))


def _store_trouble(retry_after: int) -> Answer:
    """Build the 503 for a store that cannot answer: nobody knows whether the session lives."""
    headers = [
        ("Retry-After", str(retry_after)),
        ("Access-Control-Expose-Headers", "Retry-After"),
    ]
    detail = "Sessions cannot be checked at the moment"
    return _problem(503, "Service Unavailable", detail, headers)


def _problem(
    status: int,
    title: str,
    detail: str | None,
    headers: Headers,
    error: str | None = None,
    **more: str | int | None,
) -> Answer:
    import json

    members = {"title": title, "status": status, "detail": detail, "error": error, **more}
    document = {name: member for name, member in members.items() if member is not None}
    body = json.dumps(document).encode()
    return _answer(status, headers, "application/problem+json", body, error)


def _answer(
    status: int, headers: Headers, content_type: str, body: bytes, error: str | None
) -> Answer:
    content = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    caching = ("Cache-Control", "private, no-store")
    return Answer(status, [*headers, caching, *content], body, error)


def _readable(lines: Sequence[str]) -> list[Challenge]:
    try:
        return parse(lines)
    except ChallengeSyntaxError:
        return []
