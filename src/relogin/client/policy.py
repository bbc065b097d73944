"""Which challenge is answered, and what its reason asks for: the rules, as values.

A challenge is untrusted input (RFC 9110 §17.16.3): here it chooses among what the user configured,
and nothing it says is an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Any, Literal, NamedTuple

from relogin.client.events import Listener
from relogin.client.grant import Grant
from relogin.client.signals import Signal
from relogin.client.stores import AnyStore
from relogin.errors import ChallengeSyntaxError, InvalidGrant
from relogin.session import SessionChallenge, SessionError
from relogin.wire.field import parse
from relogin.wire.model import Challenge, Credentials
from relogin.wire.scan import MAX_LENGTH

__all__ = ["BEARER", "SESSION", "Action", "Demand", "Held", "Key", "Policy", "Responder", "Seen"]


UNAUTHORIZED = 401


class Key(NamedTuple):
    """A protection space (RFC 9110 §11.5): an origin and a realm, and whose sessions they are."""

    origin: str
    realm: str
    account: str = ""


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
    actions: Mapping[str | None, Action] = field(default_factory=lambda: _ACTIONS)
    """What its codes ask for; one that is not here is taken for `session_invalid`."""

    def signs(self, token: str) -> str:
        """Write the Authorization field; raise `InvalidGrant` where a token cannot be sent."""
        value = self.authorization(token)
        if not _is_field_value(value):
            raise InvalidGrant("the token that the login returned cannot be sent in a header field")
        return value


# RFC 9110 §5.5
_is_field_value = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*+(?<![\t ]))?").fullmatch


_ACTIONS: Mapping[str | None, Action] = {
    None: Action.RENEW,
    SessionError.EXPIRED: Action.RENEW,
    SessionError.INVALID: Action.REPLACE,
    SessionError.REVOKED: Action.STOP,
    SessionError.INSUFFICIENT: Action.STEP_UP,
    "csrf_invalid": Action.RENEW,  # said by a signal only: the session itself may live
}


def _session_error(challenge: Challenge) -> SessionError | str | None:
    return SessionChallenge.from_challenge(challenge).error


# SPEC.md's session-token.
_is_session_token = re.compile(r"[!#-\[\]-~]++").fullmatch


def _session_authorization(token: str) -> str:
    if not _is_session_token(token):
        raise InvalidGrant(
            "the token that the login returned cannot be sent: a session token is visible ASCII "
            "without space, quote and backslash (SPEC.md §4.1)"
        )
    return str(Credentials("Session", {"token": token}))


# RFC 6750 §3.1, in the words of SPEC.md.
_BEARER_ERRORS = {
    "invalid_token": SessionError.EXPIRED,
    "insufficient_user_authentication": SessionError.INSUFFICIENT,
}


def _bearer_error(challenge: Challenge) -> SessionError | str | None:
    error = challenge.get("error")
    return None if error is None else _BEARER_ERRORS.get(error, error)


_is_bearer_token = re.compile(r"[A-Za-z0-9\-._~+/]++=*+").fullmatch


def _bearer_authorization(token: str) -> str:
    if not _is_bearer_token(token):
        raise InvalidGrant(
            "the token that the login returned cannot be sent: a Bearer token is letters, digits "
            "and -._~+/ (RFC 6750 §2.1)"
        )
    return str(Credentials("Bearer", token68=token))


SESSION = Responder("Session", _session_error, _session_authorization)
"""SPEC.md's scheme."""

# Of these a new token is no cure.
_BEARER_ACTIONS = {
    **_ACTIONS,
    "insufficient_scope": Action.STOP,
    "invalid_request": Action.STOP,
}

BEARER = Responder("Bearer", _bearer_error, _bearer_authorization, _BEARER_ACTIONS)
"""RFC 6750: `invalid_token` is an expired session; `insufficient_scope` is none."""


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """A grant in use. `generation` counts logins: a cookie that rolls changes, and it does not.

    `version` is the generation among all who share a store, of the grant itself if it is `shared`,
    and otherwise of the one it replaced.
    """

    key: Key
    grant: Grant
    generation: int
    responder: Responder
    authorization: str | None
    cookies: Mapping[str, str]
    renew_at: float | None = None
    version: int = 0
    shared: bool = False

    def __repr__(self) -> str:
        return f"<Held generation {self.generation} for {self.key.origin}>"


@dataclass(slots=True)
class Seen:
    """A response as the flow sees it; `response` is the driver's own and never looked at.

    `sent_with` is the grant the request went out with, or `None` where that cannot be said: then
    any grant there is counts as newer. `carried` says that it carried credentials of any kind,
    `once` that the transport sent it once only, `replayable` that its body can be sent again.
    `signal` is the reason that a signal gave; a challenge that can be answered counts for more.
    """

    response: Any
    status: int
    method: str
    url: str
    origin: str
    sent_with: Held | None = None
    challenges: Sequence[str] = ()
    carried: bool = False
    cookies: Collection[str] = ()
    once: bool = True
    replayable: bool = True
    signal: SessionError | str | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """A dead session that something can be done about, and what."""

    key: Key
    action: Action
    responder: Responder
    challenge: Challenge | None
    error: SessionError | str | None


# RFC 9110 §9.2.2
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user configured, in the terms of the flow; times are in seconds."""

    origins: frozenset[str]
    realm: str | None = None
    account: str = ""
    signals: tuple[Signal, ...] = ()
    responders: tuple[Responder, ...] = (SESSION,)
    actions: Mapping[str | None, Action] = field(default_factory=dict)
    steps_up: bool = False
    replay_any_method: bool = False
    strict: bool = False
    listener: Listener | None = None
    login_timeout: float = 20.0
    budget: int = 10
    budget_window: float = 30.0
    store: AnyStore | None = None
    fresh: Literal["always"] | None = None

    def __post_init__(self) -> None:
        _check_number("login_timeout", self.login_timeout, most=_A_DAY)
        _check_number("the first number of budget", self.budget)
        _check_number("the second number of budget", self.budget_window)
        if not self.responders:
            raise ValueError(
                "SessionAuth: responders= names no scheme: no challenge would ever be answered"
            )

    @property
    def flight_timeout(self) -> float:
        """When a newcomer may take a renewal over: later than any login that keeps its time-out."""
        return self.login_timeout * 1.5

    @property
    def wait_timeout(self) -> float:
        """When a waiter gives up: whoever takes the flight over has time for a whole login too."""
        return self.flight_timeout + self.login_timeout

    def demand(self, seen: Seen) -> Demand | None:
        """Find what a response asks for that can be answered; `None` where there is nothing."""
        if seen.origin not in self.origins:
            return None
        challenged = self.challenged(seen) if seen.status == UNAUTHORIZED else None
        if challenged is not None or seen.signal is None:
            return challenged
        return self._signalled(seen, seen.signal)

    def challenged(self, seen: Seen) -> Demand | None:
        """Find the challenge that can be answered, whatever the status it came with."""
        for responder in self.responders:
            for challenge in _readable(seen.challenges):
                if self._answers(responder, challenge):
                    error = responder.error_of(challenge)
                    key = Key(seen.origin, challenge.realm or "", self.account)
                    return self._demand(key, responder, challenge, error)
        return None

    def _signalled(self, seen: Seen, error: SessionError | str) -> Demand:
        # A signal names no realm: it is that of the grant which the request went out with.
        held = seen.sent_with
        if held is None:
            key = Key(seen.origin, self.realm or "", self.account)
            return self._demand(key, self.responders[0], None, error)
        return self._demand(held.key, held.responder, None, error)

    def _answers(self, responder: Responder, challenge: Challenge) -> bool:
        if challenge.scheme.lower() != responder.scheme.lower():
            return False
        return self.realm is None or (challenge.realm or "") == self.realm

    def _demand(
        self,
        key: Key,
        responder: Responder,
        challenge: Challenge | None,
        error: SessionError | str | None,
    ) -> Demand:
        return Demand(key, self._action(responder, error), responder, challenge, error)

    def _action(self, responder: Responder, error: str | None) -> Action:
        action = self.actions.get(error) or responder.actions.get(error, Action.REPLACE)
        if action is Action.STEP_UP and not self.steps_up:
            return Action.STOP
        return action

    def may_replay(self, seen: Seen, demand: Demand, held: Held) -> bool:
        """Say whether the request may be sent again with this grant (RFC 9110 §9.2.2, §15.5.2).

        A 401 that follows SPEC.md was not applied, so any method may, unless the transport had
        sent it before. A signal, or a challenge without a reason to a request that gave
        credentials, comes from a server that promises nothing: only idempotent methods may.
        """
        if not seen.replayable:
            return False
        if seen.method in _IDEMPOTENT or self.replay_any_method:
            return True
        # Of its cookies, those that a login owns are credentials.
        carried = seen.carried or any(name in held.cookies for name in seen.cookies)
        promised = demand.challenge is not None and (demand.error is not None or not carried)
        return promised and seen.once


def _check_number(name: str, value: object, most: float = inf) -> None:
    if not isinstance(value, int | float) or not 0 < value <= most:
        bound = "" if most == inf else f" and at most {most:g}"
        raise ValueError(f"SessionAuth: {name} must be a number above 0{bound}, not {value!r:.40}")


# In seconds. No wait that the operating system is asked for may be longer than it can count.
_A_DAY = 86_400


def _readable(lines: Sequence[str]) -> list[Challenge]:
    try:
        return parse(lines, lenient=True)
    except ChallengeSyntaxError:  # too long: a line that is it by itself must not hide the others
        short = [line for line in lines if len(line) <= MAX_LENGTH]
        return [challenge for line in short for challenge in parse(line, lenient=True)]
