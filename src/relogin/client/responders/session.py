"""The Session scheme (SPEC.md)."""

from __future__ import annotations

import re

from relogin.client.terms.responder import Responder
from relogin.errors import InvalidGrant
from relogin.reasons import SessionError, known
from relogin.wire.model import Challenge, without_quotes

__all__ = ["SESSION"]


def _session_error(challenge: Challenge) -> SessionError | str | None:
    return known(without_quotes(challenge).get("error"))


def _read(challenge: Challenge) -> Challenge | None:
    # `Session expired` is an error message, although it is a well-formed challenge.
    return without_quotes(challenge) if challenge.token68 is None else None


# SPEC.md's session-token.
_is_session_token = re.compile(r"[!#-\[\]-~]++").fullmatch


def _session_authorization(token: str) -> str:
    if not _is_session_token(token):
        raise InvalidGrant(
            "the token that the login returned cannot be sent: a session token is visible ASCII "
            "without spaces, quotes and backslashes (SPEC.md §4.1)"
        )
    return f'Session token="{token}"'


SESSION = Responder(
    "Session", _session_error, _session_authorization, reading=_read, always_challenges=True
)
"""Answers the Session scheme (SPEC.md)."""
