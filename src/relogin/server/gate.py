"""Whether a request gets in: the decision, without I/O and without a framework.

A request's facts go in and come out as a `Claim`: the token that a verifier has to judge, if there
is one. What the verifier returned or raised goes in and comes out as a `Decision`. Every
integration is a translation of its framework into these words and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from relogin.server import answers
from relogin.server.answers import Answer, Page
from relogin.server.facts import Request, presented
from relogin.server.fields import add_to_list
from relogin.server.paths import Patterns
from relogin.server.schemes import Scheme, asks_for_password, spoken
from relogin.server.verdicts import CSRF_INVALID, Admitted, Refused, StepUp
from relogin.server.words import (
    Bounds,
    Legacy,
    Words,
    check_legacy,
    check_page,
    check_step_up,
    check_switch,
    cookie_name,
    drain_bounds,
    known,
    several,
)
from relogin.session import SessionChallenge, SessionError, check_seconds
from relogin.wire.model import Challenge
from relogin.wire.scan import MAX_LENGTH

__all__ = [
    "Admitted",
    "Answer",
    "Claim",
    "Decision",
    "Gate",
    "Refused",
    "Request",
    "StepUp",
    "Words",
    "is_session",
]

_DEAD = frozenset({SessionError.EXPIRED, SessionError.INVALID, SessionError.REVOKED})


# Named tuples, since each request makes one of each: frozen dataclasses take twice as long.


class Claim(NamedTuple):
    """What a request asks for, and what it presents for it.

    The `token` is for the verifier to judge. Without it, credentials that are `presented` cannot be
    read; without a `scheme` they are not meant for us.
    """

    request: Request
    public: bool = False
    step_ups: tuple[StepUp, ...] = ()
    presented: bool = False
    scheme: Scheme | None = None
    token: str | None = None
    by_cookie: bool = False
    preflight: bool = False

    def __repr__(self) -> str:
        return f"<Claim to {self.request.path!r}, presented={self.presented}>"


def is_session(outcome: object) -> bool:
    """Whether a verifier returned a session, just so; there may be one in other outcomes too."""
    return not (outcome is None or outcome is False or isinstance(outcome, _TO_DECIDE))


_TO_DECIDE = (Admitted, Exception)


class Decision(NamedTuple):
    """What becomes of a request: an `answer` is sent, or the application is asked.

    On a public page the session may be None. Then `refused` says why the one presented does not
    count, and `trouble` that nobody could tell.
    """

    claim: Claim
    verified: Any = None  # what the verifier returned: a session, or it as Admitted
    refused: Refused | None = None
    trouble: bool = False
    answer: Answer | None = None

    @property
    def session(self) -> Any:
        """The session that is admitted, or None."""
        verified = self.verified
        return verified.session if isinstance(verified, Admitted) else verified

    @property
    def died(self) -> bool:
        """Whether a session was presented that does not count any more, or never did."""
        return self.refused is not None and self.refused.error is not None

    @property
    def lifetime(self) -> int | None:
        """What Authentication-Info tells: it answers Authorization, and means nothing elsewhere."""
        verified, claim = self.verified, self.claim
        if not isinstance(verified, Admitted) or verified.expires_in is None or claim.by_cookie:
            return None
        told = claim.scheme is not None and claim.scheme.tells_lifetime
        return max(0, int(verified.expires_in)) if told else None

    def insist(self, asked: StepUp) -> None:
        """Raise `Refused` where there is no session, or one that is not enough."""
        if self.session is None:
            raise Refused
        if not asked.met_by(self.verified):
            raise asked.refusal()


Usual: TypeAlias = tuple[Scheme, str]


class Gate:
    """Decides on the requests of one protection space.

    - `realm`: its name, which is sent: printable ASCII without quote, backslash and comma.
    - `public`: the paths served to everybody, such as `["/health", "/docs/*"]`.
    - `step_up`: what some paths ask for beyond a living session: `{"/pay/*": StepUp(300)}`.
    - `cookie`: the name of the cookie that may carry the token; Authorization decides over it.
    - `schemes`: what is read from Authorization and offered: `Session`, `Bearer`, or both.
    - `also`: challenges of other schemes, to be offered on the same line.
    - `collapse`: say `session_invalid` for expired, invalid and revoked alike.
    - `retry_after`: seconds a client should wait when the session store has trouble.
    - `login_page`: HTML, or a callable that is given the `SessionChallenge` and returns some, as
      the content of the 401 to a navigation.
    - `legacy`: the application's own statuses that mean a dead session, `{440:
      "session_expired"}`, or a callable that is given status and headers and returns a code or
      None.
    - `announce`: let the challenge ride on public pages asked for with a dead session.
    - `drain`: how much of a refused request's content is read before the answer, in octets and
      seconds; 0 for none. Without it, proxies and TLS clients often lose the 401 of an upload.

    Raises `TypeError` or `ValueError` for words that could not be sent, are not what is meant here,
    or would open more than they say.
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
    ) -> None:
        self.realm = SessionChallenge(realm).realm
        self.cookie = cookie_name(cookie)
        self.also = several("also", also, Challenge, '[relogin.Challenge("DPoP")]')
        if asks_for_password(self.also):
            raise ValueError("next to a session scheme, this challenge opens a password window")
        check_switch("collapse", collapse)
        check_switch("announce", announce)
        check_seconds("retry_after", retry_after)
        check_page(login_page)
        check_legacy(legacy)
        self.collapse = collapse
        self.retry_after = retry_after
        self.login_page = login_page
        self.legacy = legacy
        self.announce = announce
        self.drain = drain_bounds(drain)
        self.schemes = spoken(several("schemes", schemes, str, '["Session"]'))
        self._public = Patterns(several("public", public, str, '["/health", "/docs/*"]'))
        steps = check_step_up(step_up)
        self._step_ups = [(Patterns([path]), asked) for path, asked in steps.items()]
        # Each field the gate looks at, whatever it decides (RFC 9110 §12.5.5).
        self.vary = ["Authorization"]
        self.vary += ["Cookie"] if cookie is not None else []
        self.vary += ["Accept", "Sec-Fetch-Mode"] if login_page is not None else []
        # What most responses get, ready-made.
        self.vary_alone = (("Vary", ", ".join(self.vary)),)
        self.vary_private = (*self.vary_alone, ("Cache-Control", "private"))

    @classmethod
    def of(cls, words: Words) -> Self:
        """Return the gate that these words describe; raises `TypeError` for one it has not."""
        return cls(**known(words))

    def usual(self, method: str, path: str, authorization: str) -> Usual | None:
        """Return scheme and token of a request like most, or None where there is more to look at.

        Its path begins as no public one does, and its one Authorization line is as clients write
        it. A short cut: `claim` comes to the same, and takes three times as long.
        """
        if self._step_ups or method == "OPTIONS" or self._public.may_spell(path):
            return None
        if len(authorization) <= MAX_LENGTH:
            for scheme in self.schemes:
                usual = scheme.usual(authorization)
                if usual is not None:
                    return scheme, usual[1]
        return None

    def usual_decision(self, request: Request, usual: Usual, session: object) -> Decision:
        """Return what `decide` comes to for such a request and a session, just so."""
        scheme, token = usual
        return Decision(Claim(request, presented=True, scheme=scheme, token=token), session)

    def claim(self, request: Request) -> Claim:
        """Read what a request asks for, and what it presents for it."""
        step_ups = self._asked(request.path) if self._step_ups else ()
        public = not step_ups and self._public.name(request.path, request.raw_path)
        if not public and request.is_preflight:
            return Claim(request, preflight=True)
        return Claim(request, public, step_ups, *presented(request, self.schemes, self.cookie))

    def _asked(self, path: str) -> tuple[StepUp, ...]:
        return tuple(asked for paths, asked in self._step_ups if paths.may_name(path))

    def decide(self, claim: Claim, outcome: object = None) -> Decision:
        """Decide, given what the verifier returned or raised for the claim's token, if it has one.

        None and False are no session: so does a verifier end that looked and found nothing.
        """
        if claim.preflight:
            # The layer outside that knows the allowed origins did not take it; no view ever does.
            return Decision(claim, answer=answers.preflight())
        if claim.token is None:
            outcome = Refused(SessionError.INVALID if claim.scheme else None)
        if isinstance(outcome, Exception):
            return self._refused(claim, outcome)
        decision = Decision(claim, outcome)
        session = decision.session
        if session is None or session is False:
            return self._refused(claim, Refused(SessionError.INVALID))
        for asked in claim.step_ups:
            if not asked.met_by(outcome):
                return self._refused(claim, asked.refusal())
        return decision

    def _refused(self, claim: Claim, why: Exception) -> Decision:
        refused = why if isinstance(why, Refused) else None
        decision = Decision(claim, refused=refused, trouble=refused is None)
        return decision if claim.public else decision._replace(answer=self.refuse(decision))

    def refuse(self, decision: Decision, why: Refused | None = None) -> Answer:
        """Build the answer for a request that is refused, by the gate or by the application.

        Where the application gives no reason of its own, the gate's reason stands.
        """
        if why is None or why.error is None:
            if decision.trouble:
                # Nobody knows whether the session lives: a 401 would log everybody out.
                return self._finish(decision, answers.store_trouble(self.retry_after))
            why = decision.refused or why or Refused()
        if why.error == CSRF_INVALID:
            return self._finish(decision, answers.forbidden(CSRF_INVALID, why.description))
        page = self.login_page if decision.claim.request.is_navigation else None
        said = self._said(why)
        code = self._speaker(decision).code(said.error)
        return self._finish(
            decision, answers.unauthorized(said, code, self.challenges(decision, why), page)
        )

    def challenges(self, decision: Decision, why: Refused) -> list[Challenge]:
        """Write one challenge for each scheme; the reason is in that of the one that was used."""
        said, silent = self._said(why), SessionChallenge(self.realm)
        used = self._speaker(decision)
        own = [scheme.challenge(said if scheme is used else silent) for scheme in self.schemes]
        return [*self.also, *own]

    def _finish(self, decision: Decision, answer: Answer) -> Answer:
        """Each answer varies by what was looked at; to HEAD it goes without its content.

        Its Content-Length stays what GET would get (RFC 9110 §9.3.2).
        """
        body = b"" if decision.claim.request.method == "HEAD" else answer.body
        headers = add_to_list(answer.headers, "Vary", self.vary)
        return replace(answer, headers=headers, body=body)

    def _said(self, why: Refused) -> SessionChallenge:
        if self.collapse and why.error in _DEAD:
            return SessionChallenge(self.realm, SessionError.INVALID)
        return SessionChallenge(self.realm, why.error, why.description, why.max_age, why.acr_values)

    def _speaker(self, decision: Decision) -> Scheme:
        return decision.claim.scheme or self.schemes[-1]
