"""Which challenge is answered, and what its reason asks for: the rules, as values.

A challenge is untrusted input (RFC 9110 §17.16.3): here it chooses among what the user configured,
and nothing it says is an address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from typing import Any, Literal

from relogin.client.events import Listener
from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.scopes import (
    FORBIDDEN,
    INSUFFICIENT_SCOPE,
    demanded,
    signals_more,
)
from relogin.client.signals import Signal
from relogin.client.stores import AnyStore
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import sent_to
from relogin.client.terms.responder import Action, Carrier, Responder
from relogin.errors import ChallengeSyntaxError
from relogin.session import SessionError
from relogin.wire.field import parse
from relogin.wire.model import Challenge
from relogin.wire.scan import MAX_LENGTH

__all__ = ["Credential", "Decision", "Key", "Policy", "ResponseInfo", "readable"]


UNAUTHORIZED = 401
INVALID_REQUEST = "invalid_request"
_BLANK = " \t,"  # RFC 9110 §5.6.1: empty elements of a list


@dataclass(slots=True)
class ResponseInfo:
    """A response as the flow sees it; `response` is the driver's own and never looked at.

    `sent_with` is the grant the request went out with, or `None` where that cannot be said: then
    any grant there is counts as newer. `once` says that the transport sent it once
    only, `replayable` that its body can be sent again.
    `signal` is the reason that a signal gave; a challenge that can be answered counts for more.
    """

    response: Any
    status: int
    method: str
    url: str
    origin: str
    sent_with: Credential | None = None
    challenges: Sequence[str] = ()
    once: bool = True
    replayable: bool = True
    signal: SessionError | str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A dead session that something can be done about, and what."""

    key: Key
    action: Action
    responder: Responder
    challenge: Challenge | None
    error: SessionError | str | None
    scope: frozenset[str] = frozenset()
    """The scopes that are demanded, where a login is to ask for more."""

    @property
    def is_end(self) -> bool:
        """Whether it says that the session has ended: others ask for more than it has."""
        return not self.scope and self.error not in _NO_ENDS

    def is_met_by(self, grant: Grant) -> bool:
        """Tell whether a grant, if it lives, is one for what is asked."""
        return self.challenge is None or self.responder.covers(grant, self.challenge)


class _Decided(dict[tuple[str, ...], Decision]):
    """What the challenges of late ask for, by origin and field lines; it is pickled empty.

    A server says the same each time a session dies.
    """

    def keep(self, said: tuple[str, ...], decision: Decision) -> None:
        if len(self) >= _MOST_DECIDED:
            self.clear()
        self[said] = decision

    def __reduce__(self) -> tuple[type[_Decided], tuple[()]]:
        return _Decided, ()


_MOST_DECIDED = 64
_NO_ENDS = frozenset(
    {SessionError.INSUFFICIENT, "insufficient_scope", INVALID_REQUEST, "csrf_invalid"}
)
# RFC 9110 §9.2.2
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user configured, in the terms of the flow; times are in seconds."""

    origins: frozenset[str]
    responders: tuple[Responder, ...]
    origin_of_login: bool = False
    """Whether the user named no origin, so that the login's own is the only one."""
    realm: str | None = None
    account: str = ""
    signals: tuple[Signal, ...] = ()
    actions: Mapping[str | None, Action] = field(default_factory=dict)
    steps_up: bool = False
    scopes_up: bool = False
    """Whether the login can ask for more scopes."""
    replay_any_method: bool | None = None
    check: str | bool = True
    """Whether a small request asks about a session whose upload nobody answered, and where."""
    bare: Responder | None = None
    """What answers a 401 without any challenge; `None` where nothing does."""
    carry: Carrier | None = None
    """How the token travels; `None` where the challenge's own scheme says it."""
    rolls: Mapping[str, Callable[[Answer], str | None]] = field(default_factory=dict)
    """Header fields of a grant that an answer may give a new value, and where it stands."""
    logout: Callable[[Context], object] | None = None
    logout_replaced: bool = True
    any_scheme: bool = False
    """Whether a challenge of any scheme counts where a 401 without one does."""
    strict: bool = False
    listener: Listener | None = None
    login_timeout: float = 20.0
    budget: int = 10
    budget_window: float = 30.0
    store: AnyStore | None = None
    fresh: Literal["always"] | None = None
    _decided: _Decided = field(default_factory=_Decided, init=False, compare=False)

    def __post_init__(self) -> None:
        _check_number("login_timeout", self.login_timeout, most=_A_DAY)
        _check_number("the first number of budget", self.budget)
        _check_number("the second number of budget", self.budget_window)
        if not self.responders:
            raise ValueError(
                "SessionAuth: responders= is empty: no challenge would ever be answered"
            )

    @property
    def flight_timeout(self) -> float:
        """When a newcomer may take a renewal over: later than any login that keeps its time-out."""
        return self.login_timeout * 1.5

    @property
    def wait_timeout(self) -> float:
        """When a waiter gives up: whoever takes the flight over has time for a whole login too."""
        return self.flight_timeout + self.login_timeout

    def signals_for(self, status: int) -> tuple[Signal, ...]:
        """Return what looks at a response of this status."""
        if self.scopes_up and status == FORBIDDEN:
            return (signals_more, *self.signals)
        return self.signals

    def decision(self, info: ResponseInfo) -> Decision | None:
        """Find what a response asks for that can be answered; `None` where there is nothing."""
        if info.origin not in self.origins:
            return None
        if self.scopes_up and info.status in {UNAUTHORIZED, FORBIDDEN}:
            more = self._more_scopes(info)
            if more is not None or info.signal == INSUFFICIENT_SCOPE:
                return more
        challenged = self.challenged(info) if info.status == UNAUTHORIZED else None
        if challenged is not None:
            return challenged
        if info.signal is not None:
            # An API that challenges for other schemes takes the token as most do.
            plain = self.bare if info.status == UNAUTHORIZED and info.challenges else None
            return self._unchallenged(info, plain or self.responders[0], info.signal)
        if self.bare is None or info.status != UNAUTHORIZED or not self._counts(info.challenges):
            return None
        return self._unchallenged(info, self.bare, None)

    def _counts(self, lines: Sequence[str]) -> bool:
        """Tell whether a 401 counts although no responder knows a scheme in it."""
        if not any(line.strip(_BLANK) for line in lines):  # a list of no challenges at all
            return True
        if not self.any_scheme:
            return False
        return self.realm is None or any(map(self._is_of_realm, readable(lines)))

    def challenged(self, info: ResponseInfo) -> Decision | None:
        """Find the challenge that can be answered, whatever the status it came with."""
        said = (info.origin, *info.challenges)
        decision = self._decided.get(said)
        if decision is None:
            decision = self._challenged(info.origin, readable(info.challenges))
            if decision is not None:
                self._decided.keep(said, decision)
        if decision is not None and decision.error == INVALID_REQUEST:
            return self._of_none_sent(info, decision)
        return decision

    def _challenged(self, origin: str, challenges: Sequence[Challenge]) -> Decision | None:
        for responder in self.responders:
            read = filter(None, map(responder.read, challenges))
            offered = [one for one in read if self._is_of_realm(one)]
            challenge = responder.choose(offered) if offered else None
            if challenge is not None:
                error = responder.error_of(challenge)
                key = Key(origin, challenge.realm or "", self.account)
                return self._decision(key, responder, challenge, error)
        return None

    def _of_none_sent(self, info: ResponseInfo, decision: Decision) -> Decision:
        """Drop the code of a challenge that only says that there was no token.

        RFC 6750 §3.1 wants no code then. hono sends this one, which stands for a malformed request.
        """
        if info.sent_with is not None or INVALID_REQUEST in self.actions:
            return decision
        action = self._action(decision.responder, None)
        return replace(decision, error=None, action=action)

    def _more_scopes(self, info: ResponseInfo) -> Decision | None:
        """Find a challenge that demands scopes of the token that was sent."""
        for responder in self.responders:
            if self.actions.get(INSUFFICIENT_SCOPE) is Action.STOP:
                break
            for challenge in filter(None, map(responder.read, readable(info.challenges))):
                scope = demanded(challenge)
                if scope and self._is_of_realm(challenge):
                    error = responder.error_of(challenge)
                    if error == INSUFFICIENT_SCOPE:
                        sent = info.sent_with
                        key = Key(info.origin, challenge.realm or "", self.account)
                        key = key if sent is None else sent.key
                        return Decision(key, Action.STEP_UP, responder, challenge, error, scope)
        return None

    def _unchallenged(
        self, info: ResponseInfo, responder: Responder, error: SessionError | str | None
    ) -> Decision:
        # Nothing names a realm: it is that of the credential which the request went out with.
        sent = info.sent_with
        if sent is None:
            key = Key(info.origin, self.realm or "", self.account)
            return self._decision(key, responder, None, error)
        return self._decision(sent.key, sent.responder, None, error)

    def _is_of_realm(self, challenge: Challenge) -> bool:
        return self.realm is None or (challenge.realm or "") == self.realm

    def _decision(
        self,
        key: Key,
        responder: Responder,
        challenge: Challenge | None,
        error: SessionError | str | None,
    ) -> Decision:
        return Decision(key, self._action(responder, error), responder, challenge, error)

    def _action(self, responder: Responder, error: str | None) -> Action:
        action = self.actions.get(error) or responder.actions.get(error, Action.REPLACE)
        if action is Action.STEP_UP and not self.steps_up:
            return Action.STOP
        return action

    def small_request(self, info: ResponseInfo) -> tuple[str, str]:
        """Return method and URL of what asks whether a session lives, for a request's sake."""
        if isinstance(self.check, str) and sent_to(self.check) == info.origin:
            return "GET", self.check
        return "HEAD", info.url

    def may_replay(self, info: ResponseInfo) -> bool:
        """Say whether the request may be sent again (RFC 9110 §9.2.2, §15.5.2).

        A 401 says that the request was not applied, so any method may, unless the transport had
        sent it before. So does a 403 that demands more scopes (§15.5.4). A signal on another status
        says no such thing, nor does an error: only idempotent methods may.
        """
        if not info.replayable:
            return False
        if info.method in _IDEMPOTENT or self.replay_any_method:
            return True
        refused = info.status == UNAUTHORIZED or info.signal == INSUFFICIENT_SCOPE
        return self.replay_any_method is None and refused and info.once


def _check_number(name: str, value: object, most: float = inf) -> None:
    if not isinstance(value, int | float) or not 0 < value <= most:
        bound = "" if most == inf else f" and at most {most:g}"
        raise ValueError(f"SessionAuth: {name} must be a number above 0{bound}, not {value!r:.40}")


# In seconds. No wait that the operating system is asked for may be longer than it can count.
_A_DAY = 86_400


def readable(lines: Sequence[str]) -> tuple[Challenge, ...]:
    """Read all challenges that can be read; a malformed line hides no other."""
    return _read(tuple(lines))


# A server says the same each time a session dies.
@lru_cache(maxsize=64)
def _read(lines: tuple[str, ...]) -> tuple[Challenge, ...]:
    try:
        return tuple(parse(lines, lenient=True))
    except ChallengeSyntaxError:  # too long: a line that is it by itself must not hide the others
        short = [line for line in lines if len(line) <= MAX_LENGTH]
        return tuple(challenge for line in short for challenge in parse(line, lenient=True))
