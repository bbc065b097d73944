"""What a request asks for, and what the gate decides."""

from __future__ import annotations

from typing import Any, NamedTuple

from relogin.reasons import SessionError
from relogin.server.credentials import Presented
from relogin.server.fields import Headers
from relogin.server.request import Request
from relogin.server.schemes import Scheme
from relogin.server.verdicts import (
    FORBIDDEN,
    Admitted,
    Refused,
    StepUp,
    StoreTrouble,
    without_frames,
)

__all__ = [
    "REFUSED",
    "SESSION",
    "SPECIAL_OUTCOMES",
    "VERIFY",
    "Answer",
    "Claim",
    "Decision",
    "is_session",
    "lifetime",
    "living",
]

# Where an application finds what was decided: in `environ`, in `scope`, in Django's `META`.
SESSION = "relogin.session"
REFUSED = "relogin.refused"
VERIFY = "relogin.verify"

# Named tuples, since each request makes one of each: frozen dataclasses take twice as long.


class Claim(NamedTuple):
    """What a request asks for, and the credentials that it presents.

    The verifier judges the `token`. If credentials are `presented` without a token, they cannot be
    read; without a `scheme`, they are not for this gate. The gate does not touch an `ignored`
    request. After a `logout` the application deletes the cookie, even if the session has ended.
    """

    request: Request
    public: bool = False
    step_ups: tuple[StepUp, ...] = ()
    presented: bool = False
    scheme: Scheme | None = None
    token: str | None = None
    by_cookie: bool = False
    preflight: bool = False
    ignored: bool = False
    logout: bool = False

    @property
    def found(self) -> Presented:
        """The credentials of the request."""
        return self.presented, self.scheme, self.token, self.by_cookie

    def __repr__(self) -> str:
        return f"<Claim to {self.request.path!r}, presented={self.presented}>"


def is_session(outcome: object) -> bool:
    """Whether a verifier returned a plain session; other outcomes may contain one too."""
    return not (outcome is None or outcome is False or isinstance(outcome, SPECIAL_OUTCOMES))


def living(outcome: object) -> Any:
    """Return the session, given what a verifier that was asked again returned or raised.

    Raises `Refused` if the session has ended, and `StoreTrouble` if nobody can tell.
    """
    if isinstance(outcome, Refused):
        raise outcome
    if isinstance(outcome, Exception):
        raise StoreTrouble
    session = outcome.session if isinstance(outcome, Admitted) else outcome
    if session is None or session is False:
        raise Refused(SessionError.INVALID)
    return session


SPECIAL_OUTCOMES = (Admitted, Exception)  # any other is the session itself
_NOT_DEAD = FORBIDDEN | {None}


def lifetime(verified: object, found: Presented) -> int | None:
    """Return how long a session lives, if that is known and the token came in Authorization."""
    if not isinstance(verified, Admitted) or verified.expires_in is None:
        return None
    _, scheme, _, by_cookie = found
    if scheme is None or not scheme.tells_lifetime or by_cookie:
        return None
    return max(0, int(verified.expires_in))


class Answer(NamedTuple):
    """A whole response: status, header fields in order, content; `error` is its code."""

    status: int
    headers: Headers
    body: bytes = b""
    error: str | None = None


class Decision(NamedTuple):
    """The decision about a request: send an `answer`, or call the application.

    On a public page the session may be None. Then `refused` says why the presented one does not
    count, or `trouble` that the store could not tell.
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
        return self.refused is not None and self.refused.error not in _NOT_DEAD

    @property
    def lifetime(self) -> int | None:
        """The lifetime to send in Authentication-Info, if any."""
        return lifetime(self.verified, self.claim.found)

    def reason(self, why: Refused | None = None) -> Refused | None:
        """Return the reason that is sent: the gate's if `why` does not say one.

        None if nobody knows whether the session lives: a 401 would log everybody out.
        """
        if why is None or why.error is None:
            if self.trouble or isinstance(why, StoreTrouble):
                return None
            return self.refused or why or Refused()
        return why

    def reason_to_keep(self, why: Refused) -> Refused | None:
        """Return the reason as the request can keep it: frames would hold the request in turn."""
        told = self.reason(why)
        return None if told is None else without_frames(told)

    def insist(self, required: StepUp) -> None:
        """Raise `Refused` if there is no session, or one that is not enough."""
        if self.session is None:
            raise Refused
        if not required.met_by(self.verified):
            raise required.refusal()
