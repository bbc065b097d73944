"""The Bearer scheme (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Callable

from relogin.client.terms.fields import is_field_value
from relogin.client.terms.responder import ACTIONS, Action, Responder
from relogin.errors import InvalidGrant
from relogin.reasons import SessionError
from relogin.wire.abnf import TOKEN68
from relogin.wire.model import Challenge, without_quotes

__all__ = ["BEARER", "like_bearer"]


# The codes of RFC 6750 §3.1, as those of SPEC.md.
_BEARER_ERRORS = {
    "invalid_token": SessionError.EXPIRED,
    "insufficient_user_authentication": SessionError.INSUFFICIENT,
}


def _bearer_error(challenge: Challenge) -> SessionError | str | None:
    error = challenge.get("error")
    return None if error is None else _BEARER_ERRORS.get(error, error)


_is_bearer_token = re.compile(TOKEN68).fullmatch


def _bearer_authorization(token: str) -> str:
    if token[:7].lower() == "bearer ":  # some logins return the whole value of the header
        token = token[7:]
    if not _is_bearer_token(token):
        as_it_is = '; carry=Authorization("Bearer") sends it as it is'
        raise InvalidGrant(
            "the token that the login returned cannot be sent: a Bearer token is letters, digits "
            f"and -._~+/ (RFC 6750 §2.1){as_it_is if is_field_value(token) else ''}"
        )
    return f"Bearer {token}"


# A new token does not help against these.
_BEARER_ACTIONS = {
    **ACTIONS,
    "insufficient_scope": Action.STOP,
    "invalid_request": Action.STOP,
}

BEARER = Responder(
    "Bearer", _bearer_error, _bearer_authorization, _BEARER_ACTIONS, reading=without_quotes
)
"""Answers Bearer (RFC 6750). `invalid_token` means an expired session."""


def like_bearer(scheme: str, authorization: Callable[[str], str]) -> Responder:
    """Make a responder for another scheme with the error codes of RFC 6750, if any."""
    return Responder(scheme, _bearer_error, authorization, _BEARER_ACTIONS, reading=without_quotes)
