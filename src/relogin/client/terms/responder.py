"""How one scheme is answered: the protocol of a responder, and what an error code asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from relogin.errors import InvalidGrant
from relogin.session import SessionError
from relogin.wire.model import Challenge

__all__ = ["ACTIONS", "Action", "Responder"]


class Action(StrEnum):
    """What to do about a dead session."""

    RENEW = "renew"
    """Log in and replay; the dead session may still be tried by others until then."""
    REPLACE = "replace"
    """Drop the credential at once, log in and replay."""
    STEP_UP = "step_up"
    """Log in more strongly if the login can; the session is kept if it cannot."""
    STOP = "stop"
    """Nothing: the 401 is the answer."""


@dataclass(frozen=True, slots=True)
class Responder:
    """A way to answer one scheme: how its challenges are read, and how its requests are signed."""

    scheme: str
    error_of: Callable[[Challenge], SessionError | str | None]
    authorization: Callable[[str], str]
    actions: Mapping[str | None, Action] = field(default_factory=lambda: ACTIONS)
    """What its codes ask for; one that is not here is taken for `session_invalid`."""

    def signs(self, token: str) -> str:
        """Write the Authorization field; raise `InvalidGrant` where a token cannot be sent."""
        value = self.authorization(token)
        if not _is_field_value(value):
            raise InvalidGrant("the token that the login returned cannot be sent in a header field")
        return value


# RFC 9110 §5.5
_is_field_value = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*+(?<![\t ]))?").fullmatch


ACTIONS: Mapping[str | None, Action] = {
    None: Action.RENEW,
    SessionError.EXPIRED: Action.RENEW,
    SessionError.INVALID: Action.REPLACE,
    SessionError.REVOKED: Action.STOP,
    SessionError.INSUFFICIENT: Action.STEP_UP,
    "csrf_invalid": Action.RENEW,  # said by a signal only: the session itself may live
}
