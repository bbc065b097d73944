"""What `verify` says about a session: admitted, refused, or not enough.

The application may refuse too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeAlias, TypeVar

from relogin.session import MOST_SECONDS, SessionChallenge, SessionError, check_code

__all__ = [
    "CSRF_INVALID",
    "FORBIDDEN",
    "INSUFFICIENT_SCOPE",
    "Admitted",
    "Refused",
    "StepUp",
    "StoreTrouble",
    "check_duration",
    "refusal_in",
    "without_frames",
]

SessionT = TypeVar("SessionT")
CSRF_INVALID = "csrf_invalid"
INSUFFICIENT_SCOPE = "insufficient_scope"
# Answered with 403: no login would help.
FORBIDDEN = frozenset({CSRF_INVALID, INSUFFICIENT_SCOPE})
_CODES = FORBIDDEN.union(SessionError)
# RFC 6749 §3.3, without the comma that a challenge of ours never has.
_scope_token = re.compile(r"[!#-+\--\[\]-~]++").fullmatch


@dataclass(frozen=True, slots=True)
class Admitted(Generic[SessionT]):
    """What `verify` returns if it knows more about a living session than the session itself.

    `expires_in`: seconds until the session ends if no further request comes; it is sent to the
    client in Authentication-Info (RFC 9110 §11.6.3) if it sent ``Authorization: Session``.
    `auth_age`: seconds since the user last logged in; `acr`: how strongly (RFC 9470).

    Raises `TypeError` or `ValueError` for an `expires_in` or `auth_age` that is not a number of
    seconds.

    >>> Admitted({"user": "ada"}, expires_in=540).expires_in
    540
    """

    session: SessionT
    expires_in: float | None = None
    auth_age: float | None = None
    acr: str | None = None

    def __post_init__(self) -> None:
        if self.expires_in is not None:
            check_duration("expires_in", self.expires_in)
        if self.auth_age is not None:
            check_duration("auth_age", self.auth_age)


def check_duration(name: str, seconds: float) -> None:
    """Raise an error for what is no number of seconds, or too many to send."""
    try:
        fits = seconds <= MOST_SECONDS  # and is not NaN
    except TypeError:
        kind = type(seconds).__name__
        raise TypeError(f"{name} is a number of seconds, not {kind}") from None
    if not fits:
        raise ValueError(f"{name} is at most {MOST_SECONDS} seconds")


class Refused(Exception):
    """Raised by a verifier, or by the application, to refuse a request and say why.

    `error` is one of `relogin.SessionError`, or a vendor's own code with a dot in it; without one,
    no session was presented. Two codes are answered with 403, because no login would help:
    `csrf_invalid`, and `insufficient_scope` (RFC 6750 §3.1).
    `description` goes to developers: constant text, never what a user typed. `max_age` (seconds)
    and `acr_values` say which login would be enough, with `insufficient_user_authentication`
    (RFC 9470). `scope` says which scope a token needs: one string with spaces, or several.

    Raises `ValueError` for what a challenge cannot carry.

    >>> Refused("session_expired", "Idle for 15 minutes").error
    <SessionError.EXPIRED: 'session_expired'>
    >>> Refused("insufficient_scope", scope=["orders:read", "orders:write"]).scope
    'orders:read orders:write'
    """

    def __init__(
        self,
        error: str | None = None,
        description: str | None = None,
        *,
        max_age: int | None = None,
        acr_values: Iterable[str] = (),
        scope: str | Iterable[str] = (),
    ) -> None:
        super().__init__(error, description)
        self.error: str | None
        self.acr_values: tuple[str, ...]
        self.error, self.acr_values = _code_and_values(error, description, max_age, acr_values)
        self.description = description
        self.max_age = max_age
        self.scope: str | None = _scope(scope) if scope else None

    def __str__(self) -> str:
        return str(self.error or "no session was presented")  # a plain str, for structured logs


def refusal_in(raised: BaseException, *, wrapped: bool = False) -> Refused | None:
    """Return the `Refused` that was raised, alone or in a task group; None for another failure.

    With `wrapped`, also one that is the cause of a framework's own exception.
    """
    if isinstance(raised, Refused):
        return raised
    if isinstance(raised, BaseExceptionGroup):
        refusals = [refusal_in(one, wrapped=wrapped) for one in raised.exceptions]
        return refusals[0] if all(refusals) else None
    cause = raised.__cause__ if wrapped else None
    return None if cause is None else refusal_in(cause, wrapped=True)


def without_frames(why: Refused) -> Refused:
    """Return it without frames, its own and its causes': they hold the token and the request."""
    why.__cause__ = why.__context__ = None
    return why.with_traceback(None)


class StoreTrouble(Refused):
    """Raised if nobody can tell at the moment whether the session lives; the response is 503."""

    def __str__(self) -> str:
        return "the session store has trouble"


CodeAndValues: TypeAlias = tuple[str | None, tuple[str, ...]]


def _code_and_values(
    error: str | None, description: str | None, max_age: int | None, acr_values: Iterable[str]
) -> CodeAndValues:
    """Return the code and the `acr_values`; raise an error here, where a mistake was made.

    Most refusals are made again and again, so the results are cached.
    """
    values = tuple(acr_values.split()) if isinstance(acr_values, str) else tuple(acr_values)
    try:
        return _checked(error, description, max_age, values)
    except TypeError:  # among others for what has no hash
        return _checked.__wrapped__(error, description, max_age, values)


@lru_cache(maxsize=128, typed=True)  # typed, since True is no number of seconds and equals one
def _checked(
    error: str | None, description: str | None, max_age: int | None, acr_values: tuple[str, ...]
) -> CodeAndValues:
    forbidden = error in FORBIDDEN
    if error is not None and error not in _CODES:
        check_code(error, also=sorted(FORBIDDEN))
    challenge = SessionChallenge(
        error=None if forbidden else error,
        error_description=description,
        max_age=max_age,
        acr_values=acr_values,
    )
    return error if forbidden else challenge.error, challenge.acr_values


def _scope(given: str | Iterable[str]) -> str:
    tokens = given.split(" ") if isinstance(given, str) else list(given)
    if not all(map(_scope_token, tokens)):
        raise ValueError("a scope is printable ASCII without quotes, backslashes and commas")
    return " ".join(tokens)


@dataclass(frozen=True, slots=True)
class StepUp:
    """What a path requires beyond a living session (RFC 9470).

    `max_age`: the login was at most so many seconds ago; `acr_values`: it was one of these kinds.
    Raises `TypeError` or `ValueError` for what a challenge cannot ask for.

    >>> StepUp(max_age=300).met_by(Admitted("ada", auth_age=20))
    True
    """

    max_age: int | None = None
    acr_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "acr_values", self.refusal().acr_values)

    def met_by(self, verified: object) -> bool:
        """Whether this session is enough; one that does not tell its age or kind is not."""
        admitted = verified if isinstance(verified, Admitted) else Admitted(verified)
        age = admitted.auth_age
        recent = self.max_age is None or (age is not None and age <= self.max_age)
        return recent and (not self.acr_values or admitted.acr in self.acr_values)

    def refusal(self) -> Refused:
        """Return the exception to raise if it is not met."""
        return Refused(SessionError.INSUFFICIENT, max_age=self.max_age, acr_values=self.acr_values)
