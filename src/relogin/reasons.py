"""Why a server refuses a session: the error codes of SPEC.md."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["SessionError", "known"]


class SessionError(StrEnum):
    """Why a server refuses a session (SPEC.md §3). The codes are case-sensitive.

    >>> SessionError("session_expired") is SessionError.EXPIRED
    True
    """

    EXPIRED = "session_expired"
    """It was idle for too long, or reached its end."""
    INVALID = "session_invalid"
    """It is unknown, malformed or lost. A client treats every code it does not know like this."""
    REVOKED = "session_revoked"
    """It was ended on purpose: a logout elsewhere, an administrator, a newer login."""
    INSUFFICIENT = "insufficient_user_authentication"
    """It lives, but is too old or too weak for this request (RFC 9470)."""


_CODES = frozenset(SessionError)  # Python 3.11 has no `"text" in SessionError`


def known(error: str | None) -> SessionError | str | None:
    """Return the `SessionError` of a code, or the code itself if SPEC.md does not have it."""
    return SessionError(error) if error in _CODES else error
