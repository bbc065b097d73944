"""Whether a request gets in: the decision, without I/O and without a framework."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Admitted", "Refused"]

SessionT = TypeVar("SessionT")


@dataclass(frozen=True, slots=True)
class Admitted(Generic[SessionT]):
    """What a verifier returns when it knows more of a living session than the session itself.

    `expires_in`: seconds until the session would be refused if no further request came. It answers an
    accepted `Authorization: Session` as `Authentication-Info` (RFC 9110 section 11.6.3).
    `auth_age`: seconds since the person last proved who they are; `acr`: how strongly (RFC 9470).

    >>> Admitted({"user": "ada"}, expires_in=540).expires_in
    540
    """

    session: SessionT
    expires_in: int | None = None
    auth_age: int | None = None
    acr: str | None = None


class Refused(Exception):
    """Raised by a verifier, or by the application, to refuse a request and say why.

    `error` is one of `reauth.SessionError`, or `csrf_invalid`; None says that no session was presented.
    `max_age` (seconds) and `acr_values` say what would do, with `insufficient_user_authentication` (RFC 9470).
    The description is for developers and must be constant: it is sent, so it never holds what a user typed.

    >>> Refused("session_expired").error
    'session_expired'
    """

    def __init__(
        self,
        error: str | None = None,
        description: str | None = None,
        *,
        max_age: int | None = None,
        acr_values: Iterable[str] = (),
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.max_age = max_age
        self.acr_values = tuple(acr_values)
