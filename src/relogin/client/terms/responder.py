"""How one scheme is answered: the protocol of a responder, and what an error code asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from relogin.client.terms.fields import is_field_value
from relogin.errors import InvalidGrant
from relogin.session import SessionError
from relogin.wire.model import Challenge

__all__ = ["ACTIONS", "Action", "Carried", "Carrier", "Responder"]


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


class Carried(NamedTuple):
    """A token on its way: in header fields, or in one parameter of the query."""

    headers: Mapping[str, str]
    query: tuple[str, str] | None = None

    def __repr__(self) -> str:  # it holds the token
        return "<Carried>"


class Carrier(Protocol):
    """How a token travels."""

    def carried(self, token: str) -> Carried:
        """Say where a token goes; raise `InvalidGrant` where it cannot be sent there."""
        ...


@dataclass(frozen=True, slots=True)
class Responder:
    """A way to answer one scheme: how its challenges are read, and how its requests are signed."""

    scheme: str
    error_of: Callable[[Challenge], SessionError | str | None]
    authorization: Callable[[str], str]
    actions: Mapping[str | None, Action] = field(default_factory=lambda: ACTIONS)
    """What its codes ask for; one that is not here is taken for `session_invalid`."""

    def carried(self, token: str) -> Carried:
        """Write the Authorization field; raise `InvalidGrant` where a token cannot be sent."""
        value = self.authorization(token)
        if not is_field_value(value):
            raise InvalidGrant("the token that the login returned cannot be sent in a header field")
        return Carried({"Authorization": value})


ACTIONS: Mapping[str | None, Action] = {
    None: Action.RENEW,
    SessionError.EXPIRED: Action.RENEW,
    SessionError.INVALID: Action.REPLACE,
    SessionError.REVOKED: Action.STOP,
    SessionError.INSUFFICIENT: Action.STEP_UP,
    "csrf_invalid": Action.RENEW,  # said by a signal only: the session itself may live
}
