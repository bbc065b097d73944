"""Whether a request is admitted: the decision, without I/O and without a framework.

A request's facts go in and come out as a `Claim`: the token that a verifier has to judge, if there
is one. What the verifier returned or raised goes in and comes out as a `Decision`. Every
integration translates between its framework and these types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from relogin.server.credentials import Presented, presented
from relogin.server.custom_refusals import Fields, Page, Params
from relogin.server.decisions import Answer, Claim, Decision, is_session
from relogin.server.fields import FixedHeaders
from relogin.server.options import (
    Bounds,
    Legacy,
    Options,
    check_legacy,
    check_step_up,
    check_switch,
    cookie_name,
    drain_bounds,
    field_name,
    interval,
    known,
    logout_paths,
    several,
)
from relogin.server.paths import EVERYTHING, Patterns
from relogin.server.proxy_path import OriginalPath, PathWatch
from relogin.server.refusals import PREFLIGHT, Refusals
from relogin.server.request import Request
from relogin.server.schemes import Scheme, asks_for_password, schemes_named
from relogin.server.verdicts import Admitted, Refused, StepUp, StoreTrouble
from relogin.session import SessionChallenge, SessionError, check_seconds
from relogin.wire.model import Challenge

__all__ = [
    "Admitted",
    "Answer",
    "Claim",
    "Decision",
    "Gate",
    "Options",
    "Refused",
    "Request",
    "StepUp",
    "StoreTrouble",
    "is_session",
]


class Gate:
    """Decides about the requests to one application.

    - `realm`: a name that clients see: printable ASCII without quotes, backslashes and commas.
    - `public`: the paths that are open to everybody, such as `["/health", "/docs/*"]`.
    - `step_up`: paths that need a recent or stronger login: `{"/pay/*": StepUp(300)}`.
    - `cookie`: the name of a cookie that may carry the token; Authorization comes first.
    - `schemes`: the schemes that are read and offered: `Session`, `Bearer`, or both.
    - `also`: challenges of other schemes to send on the same line.
    - `collapse`: send `session_invalid` for expired, invalid and revoked alike.
    - `retry_after`: the Retry-After of a 503, in seconds, when the session store fails.
    - `login_page`: the body of a 401 to a browser that opens a page: HTML, or a function that gets
      the `SessionChallenge` and, if it takes a second argument, the `Request`, and returns HTML.
    - `legacy`: the application's own statuses that mean a dead session, `{440:
      "session_expired"}`, or a function that gets status, headers and, if it takes a third
      argument, the `Request`, and returns a code or None.
    - `announce`: send the challenge with a public page, too, if the session is dead.
    - `drain`: how much of a refused request's body is read before the response, in bytes and
      seconds; 0 for none. Without it, proxies and TLS clients often lose the 401 of an upload.
    - `params`: parameters of your own in each challenge, `{"resource_metadata": "https://…"}`, or a
      function that gets the `Request` and returns a mapping.
    - `headers`: your own header fields in each 401 of the gate, `{"HX-Redirect": "/login"}`, or a
      function that gets what `login_page` gets and returns a mapping.
    - `ignore`: paths that the gate does not touch, such as `["/static/*"]`.
    - `logout`: the path, or the paths, that are served to everybody and may delete the cookie of a
      session that has already ended.
    - `path_from`: the header in which a proxy that asks about requests sends their path, such as
      `X-Original-URI`. A client that can reach the gate without that proxy chooses the path.
    - `recheck`: seconds after which `verify` is called again while a response or a WebSocket goes
      on.

    Raises `TypeError` or `ValueError` for an option of the wrong type, for a value that cannot be
    sent, and for a path pattern that would open more than it seems to.

    >>> gate = Gate("orders", public=["/health"])
    >>> claim = gate.claim(Request("GET", "/orders", lambda name: []))
    >>> answer = gate.decide(claim, None).answer
    >>> answer.status, dict(answer.headers)["WWW-Authenticate"]
    (401, 'Session realm="orders"')
    """

    def __init__(
        self,
        realm: str,
        *,
        public: Iterable[str] = (),
        step_up: Mapping[str, StepUp] | None = None,
        cookie: str | None = None,
        schemes: Iterable[str] = ("Session",),
        also: Iterable[Challenge] = (),
        collapse: bool = False,
        retry_after: int = 5,
        login_page: Page | None = None,
        legacy: Legacy | None = None,
        announce: bool = False,
        drain: Bounds | Literal[0] | None = (64 * 1024 * 1024, 30.0),
        params: Params | None = None,
        headers: Fields | None = None,
        ignore: Iterable[str] = (),
        logout: str | Iterable[str] = (),
        path_from: str | None = None,
        recheck: float | None = None,
    ) -> None:
        self.realm: str | None = SessionChallenge(realm).realm
        self.cookie: str | None = cookie_name(cookie)
        others = several("also", also, Challenge, '[relogin.Challenge("DPoP")]')
        if asks_for_password(others):
            raise ValueError(
                "also must not offer Basic, Digest, Negotiate or NTLM: a browser would open a "
                "password window of its own"
            )
        check_switch("collapse", collapse)
        check_switch("announce", announce)
        check_seconds("retry_after", retry_after)
        self.legacy = legacy
        self.legacy_takes_request: bool = check_legacy(legacy)
        self.announce = announce
        self.retry_after = retry_after
        self.drain: Bounds | None = drain_bounds(drain)
        self.recheck: float | None = interval("recheck", recheck)
        self.schemes: tuple[Scheme, ...] = schemes_named(
            several("schemes", schemes, str, '["Session"]')
        )
        self._take_paths(public, ignore, logout)
        step_ups = check_step_up(step_up)
        self._step_ups = [(Patterns([path]), required) for path, required in step_ups.items()]
        path_field = field_name("path_from", path_from)
        self._original = None if path_field is None else OriginalPath(path_field)
        self._watch = PathWatch(step_ups if self._original is None else ())
        self._take_fields(path_field, has_page=login_page is not None)
        self.refusals: Refusals = Refusals(
            realm,
            self.schemes,
            also=others,
            params=params,
            headers=headers,
            cookie=cookie,
            collapse=collapse,
            retry_after=retry_after,
            login_page=login_page,
            vary=self.vary,
        )
        # What most requests need is decided here: whether the fast path can be taken at all, and
        # which statuses are to be looked at.
        self.statuses_looked_at: frozenset[int] = frozenset(
            {401, 500, *(legacy if isinstance(legacy, Mapping) else ())}
        )
        self.is_plain: bool = not self._step_ups and self._original is None

    def _take_paths(
        self, public: Iterable[str], ignore: Iterable[str], logout: str | Iterable[str]
    ) -> None:
        ignored = several("ignore", ignore, str, '["/static/*"]')
        if EVERYTHING in ignored:
            raise ValueError('a gate that ignores "/*" protects nothing')
        leaving = logout_paths(logout)
        served = (*several("public", public, str, '["/health", "/docs/*"]'), *leaving)
        self._public = Patterns(served)
        self._ignored = Patterns(ignored) if ignored else None
        self._logout = Patterns(leaving) if leaving else None
        self.open: Patterns = Patterns((*served, *ignored))
        self._beginnings = self.open.beginnings

    def _take_fields(self, path_field: str | None, *, has_page: bool) -> None:
        """Name the headers that the gate reads, whatever it decides (RFC 9110 §12.5.5)."""
        public = ["Authorization"]
        public += ["Cookie"] if self.cookie is not None else []
        public += [path_field] if path_field is not None else []
        # A public page is never refused, so nobody asks whether a page would be shown.
        self.public_vary: tuple[str, ...] = tuple(public)
        self.vary: tuple[str, ...] = (
            (*public, "Accept", "Sec-Fetch-Mode") if has_page else self.public_vary
        )
        # What most responses get, ready-made.
        self.vary_alone: FixedHeaders = (("Vary", ", ".join(self.vary)),)
        private = ("Cache-Control", "private")
        self.vary_private: FixedHeaders = (*self.vary_alone, private)
        self.public_vary_alone: FixedHeaders = (("Vary", ", ".join(self.public_vary)),)
        self.public_vary_private: FixedHeaders = (*self.public_vary_alone, private)

    @classmethod
    def of(cls, options: Options) -> Self:
        """Return the gate with these options; raises `TypeError` for an unknown one."""
        return cls(**known(options))

    def usual(self, method: str, path: str, authorization: str) -> Presented | None:
        """Return the credentials of a common request, or None if there is more to look at.

        Its path begins like no public one, and its one Authorization line is written as clients
        write it. A fast path: `claim` comes to the same result, and takes three times as long.
        """
        starts, exactly = self._beginnings
        if path in exactly or path.startswith(starts) or method == "OPTIONS" or not self.is_plain:
            return None
        for scheme in self.schemes:
            usual = scheme.usual(authorization)
            if usual is not None:
                return True, scheme, usual[1], False
        return None

    def usual_decision(self, request: Request, found: Presented, session: object) -> Decision:
        """Return what `decide` returns for such a request and a plain session."""
        return Decision(Claim(request, False, (), *found), session)

    def claim(self, request: Request) -> Claim:
        """Read what a request asks for, and which credentials it has."""
        if self._original is not None:
            request = self._original.of(request)
        path, raw_path = request.path, request.raw_path
        self._watch.look(request)
        logout = self._logout is not None and self._logout.name(path, raw_path)
        step_ups = self._step_ups_for(path) if self._step_ups and not logout else ()
        if not step_ups and self._ignored is not None and self._ignored.name(path, raw_path):
            return Claim(request, ignored=True)
        public = not step_ups and self._public.name(path, raw_path)
        if not public and request.is_preflight:
            return Claim(request, preflight=True)
        found = presented(request, self.schemes, self.cookie)
        return Claim(request, public, step_ups, *found, logout=logout)

    def _step_ups_for(self, path: str) -> tuple[StepUp, ...]:
        return tuple(required for paths, required in self._step_ups if paths.may_name(path))

    def decide(self, claim: Claim, outcome: object = None) -> Decision:
        """Decide, given what the verifier returned or raised for the claim's token, if any.

        None and False mean that there is no such session.
        """
        if claim.preflight:
            # The layer outside that knows the allowed origins did not take it; no view ever does.
            return Decision(claim, answer=PREFLIGHT)
        if claim.ignored:
            return Decision(claim)
        if claim.token is None:
            outcome = Refused(SessionError.INVALID if claim.scheme else None)
        if isinstance(outcome, Exception):
            return self._refused(claim, outcome)
        decision = Decision(claim, outcome)
        session = decision.session
        if session is None or session is False:
            return self._refused(claim, Refused(SessionError.INVALID))
        for required in claim.step_ups:
            if not required.met_by(outcome):
                return self._refused(claim, required.refusal())
        return decision

    def _refused(self, claim: Claim, why: Exception) -> Decision:
        # A verifier may have asked another gate, whose store has trouble.
        if isinstance(why, Refused) and not isinstance(why, StoreTrouble):
            decision = Decision(claim, refused=why)
        else:
            decision = Decision(claim, trouble=True)
        return decision if claim.public else decision._replace(answer=self.refuse(decision))

    def refuse(self, decision: Decision, why: Refused | None = None) -> Answer:
        """Build the response for a request that is refused, by the gate or by the application.

        If the application gives no reason of its own, the gate's reason is sent.
        """
        return self.refusals.answer(decision, why)

    def challenges(self, decision: Decision, why: Refused) -> list[Challenge]:
        """Write one challenge for each scheme; the reason is in that of the one that was used."""
        return self.refusals.challenges(decision, why)
