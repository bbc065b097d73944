"""How to answer one scheme: the protocol of a responder, and what to do for an error code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from relogin.client.terms.fields import is_field_value
from relogin.client.terms.grant import Grant
from relogin.client.terms.signer import Signer
from relogin.errors import InvalidGrant
from relogin.reasons import SessionError
from relogin.wire.model import Challenge

__all__ = ["ACTIONS", "Action", "Carried", "Carrier", "Responder", "covers_all"]


class Action(StrEnum):
    """What to do about a dead session. `SessionAuth(actions=…)` takes these or their names.

    >>> actions = {"session_revoked": Action.RENEW, "session_expired": "stop"}
    """

    RENEW = "renew"
    """Log in and replay; until then, other requests may still use the old session."""
    REPLACE = "replace"
    """Drop the credential at once, log in and replay."""
    STEP_UP = "step_up"
    """Step up the login if it supports that; if not, keep the session."""
    STOP = "stop"
    """Do nothing: you get the 401."""


class Carried(NamedTuple):
    """Where a request carries a token: header fields, or one parameter of the query."""

    headers: Mapping[str, str]
    query: tuple[str, str] | None = None

    def __repr__(self) -> str:  # it holds the token
        return "<Carried>"


class Carrier(Protocol):
    """How a token travels."""

    def carried(self, token: str) -> Carried:
        """Return where the token goes; raise `InvalidGrant` if it cannot be sent there."""
        ...


def _error_of(challenge: Challenge) -> str | None:
    return challenge.get("error")


def _as_it_is(challenge: Challenge) -> Challenge | None:
    return challenge


def _first(challenges: Sequence[Challenge]) -> Challenge | None:
    return challenges[0]


def covers_all(_grant: Grant, _challenge: Challenge) -> bool:
    """Tell that every grant covers every challenge: most schemes know no scopes."""
    return True


@dataclass(frozen=True, slots=True)
class Responder:
    """Answers one scheme: reads its challenges and signs its requests.

    For a scheme that sends the token unchanged, pass `authorization`, which writes the token. For a
    scheme that signs each request, pass `signer` instead: it makes a `Signer` from a grant and the
    challenge that asked for it (`None` if there was none).

    If the challenge contains all that you need to answer it, pass `grant_from` too. Once the server
    has accepted a login, it turns each further challenge into a grant, without another login; if it
    returns `None`, a login follows. If the server refuses such a grant and its challenge has no
    error code, the account is wrong: nothing is sent again before `reset()`.

    `reading`, `choose` and `error_of` depend on their arguments alone: what they return for a field
    is remembered.

    >>> import relogin
    >>> from relogin.client.responders import Responder
    >>> token = Responder("Token", authorization=lambda token: f"Token {token}")
    >>> token.error_of(relogin.Challenge("Token", {"error": "expired"}))
    'expired'
    """

    scheme: str
    error_of: Callable[[Challenge], SessionError | str | None] = _error_of
    """Reads the error code of a challenge. Default: its parameter `error`."""
    authorization: Callable[[str], str] | None = None
    """Writes a token into the Authorization field; raises `InvalidGrant` if that is impossible."""
    actions: Mapping[str | None, Action] = field(default_factory=lambda: ACTIONS)
    """What to do for each error code. An unknown code counts as `session_invalid`."""
    choose: Callable[[Sequence[Challenge]], Challenge | None] = _first
    """Chooses one of several challenges of its scheme; `None` if it can answer none of them."""
    signer: Callable[[Grant, Challenge | None], Signer] | None = None
    grant_from: Callable[[Challenge], Grant | None] | None = None
    covers: Callable[[Grant, Challenge], bool] = covers_all
    """Tells whether a living grant covers what a challenge asks for, such as a scope."""
    reading: Callable[[Challenge], Challenge | None] = _as_it_is
    """Returns the challenge as the responder understands it; `None` ignores the challenge."""
    always_challenges: bool = False
    """Whether servers send a challenge with every 401 about a session. If so, a 401 without one is
    about something else. Many Bearer servers challenge only a request without a token, and answer
    a dead token with a bare 401."""

    def read(self, challenge: Challenge) -> Challenge | None:
        """Return the challenge as this responder understands it, or `None` if it is not for it."""
        of_scheme = challenge.scheme.lower() == self.scheme.lower()
        return self.reading(challenge) if of_scheme else None

    def carried(self, token: str) -> Carried:
        """Write the Authorization field; raise `InvalidGrant` if a token cannot be sent in it.

        With a `signer`, it is written for each request.
        """
        if self.signer is not None:
            return Carried({})
        if self.authorization is None:
            raise InvalidGrant(
                f"the responder for {self.scheme} cannot send a token: it has no authorization="
            )
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
