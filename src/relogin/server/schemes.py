"""The schemes of a gate: where credentials have their token, and how a challenge gives a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from relogin.session import SCHEME, SessionChallenge, SessionError
from relogin.wire import Scanned
from relogin.wire.model import Challenge

__all__ = ["DETAILS", "Scheme", "asks_for_password", "schemes_named"]

# For developers, if there is no description: constant text, fit for a challenge.
DETAILS: dict[str | None, str] = {
    None: "No credentials of an accepted scheme were sent",
    SessionError.EXPIRED: "The session has expired",
    SessionError.INVALID: "The session is not known",
    SessionError.REVOKED: "The session was ended",
    SessionError.INSUFFICIENT: "A more recent or a stronger login is needed",
    "csrf_invalid": "The CSRF token is missing or wrong",
    "insufficient_scope": "The session lacks a right that is needed",
}

# A token after unquoting: visible ASCII without quote and backslash.
_token = re.compile(r"[!#-\[\]-~]++").fullmatch


class Scheme(Protocol):
    """One authentication scheme, as a server needs it."""

    name: str
    tells_lifetime: bool  # whether Authentication-Info has a meaning for it (RFC 9110 §11.6.3)
    tells_scope: bool  # whether a 403 has its challenge too (RFC 6750 §3.1)

    def usual(self, field: str, /) -> re.Match[str] | None:
        """Match credentials as clients write them, with the token as group 1.

        A fast path: it reads exactly as the grammar does, and nothing longer than a field may be.
        """

    def token(self, credentials: Scanned) -> str | None:
        """Return the token of credentials, or None if they have another form."""

    def code(self, error: str | None) -> str | None:
        """Return this scheme's own code for an error."""

    def challenge(self, reason: SessionChallenge) -> Challenge:
        """Write the challenge that gives this reason."""


class Session:
    """The Session scheme: the token is an auth-param, and a token68 is refused."""

    name = SCHEME
    tells_lifetime = True
    tells_scope = False
    usual: Callable[[str], re.Match[str] | None] = re.compile(
        r'Session token="([!#-\[\]-~]{1,8000}+)"'
    ).fullmatch

    def token(self, credentials: Scanned) -> str | None:
        """Return the value of `token`, if it could be one."""
        _, _, params = credentials
        token = params.get("token", "")
        return token if _token(token) else None

    def code(self, error: str | None) -> str | None:
        """Return the same code: this scheme has them all."""
        return error

    def challenge(self, reason: SessionChallenge) -> Challenge:
        """Write it as SPEC.md says."""
        return reason.to_challenge()


class Bearer:
    """RFC 6750, for those who cannot adopt a new scheme: the reason moves to the description."""

    name = "Bearer"
    tells_lifetime = False
    tells_scope = True
    usual: Callable[[str], re.Match[str] | None] = re.compile(
        r"Bearer ([A-Za-z0-9._~+/-]{1,8000}+={0,8}+)"
    ).fullmatch

    def token(self, credentials: Scanned) -> str | None:
        """Return the b64token (RFC 6750 §2.1)."""
        _, token68, _ = credentials
        return token68

    def code(self, error: str | None) -> str | None:
        """Return the one code for all that a new token cures (§3.1), or step-up's (RFC 9470)."""
        return error if error in {None, SessionError.INSUFFICIENT} else "invalid_token"

    def challenge(self, reason: SessionChallenge) -> Challenge:
        """Write it with the codes that RFC 6750 and RFC 9470 have."""
        params = dict(reason.to_challenge().params)
        error = self.code(reason.error)
        if error is not None:
            params["error"] = error
            params.setdefault(
                "error_description", DETAILS.get(reason.error, "The token is refused")
            )
        return Challenge(self.name, params)


# In the order of sending: many clients fail if an unknown scheme comes first (RFC 9110 §11.3).
_SCHEMES: Sequence[Scheme] = (Bearer(), Session())

# With one of these in a 401, browsers ask for a password in a window of their own.
_PASSWORD_SCHEMES = frozenset({"basic", "digest", "negotiate", "ntlm"})


def schemes_named(names: Iterable[str]) -> tuple[Scheme, ...]:
    """Return the schemes of these names, in the order of sending."""
    wanted = {name.lower() for name in names}
    found = tuple(scheme for scheme in _SCHEMES if scheme.name.lower() in wanted)
    if not found or len(found) < len(wanted):
        raise ValueError(f"schemes must be Session, Bearer or both, not {sorted(wanted)}")
    return found


def asks_for_password(challenges: Iterable[Challenge]) -> bool:
    """Whether a browser would open its password window for one of these challenges."""
    return any(challenge.scheme.lower() in _PASSWORD_SCHEMES for challenge in challenges)
