"""The rules: which challenge to answer, and what to do for its error code.

A challenge is untrusted input (RFC 9110 §17.16.3): it can only choose from what the user
configured, and it never says where to send anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from relogin.client import renewal
from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.scopes import (
    FORBIDDEN,
    INSUFFICIENT_SCOPE,
    demanded,
    signals_more,
)
from relogin.client.terms.answer import Source
from relogin.client.terms.grant import Context, Grant
from relogin.client.terms.origins import sent_to
from relogin.client.terms.responder import Action, Carrier, Responder, covers_all
from relogin.reasons import SessionError
from relogin.wire.model import Challenge

if TYPE_CHECKING:
    from relogin.client.events import Listener
    from relogin.client.signals import Signal
    from relogin.client.stores import AnyStore

__all__ = ["Credential", "Decision", "Key", "Policy", "ResponseInfo"]


OK = 200  # with any other status, no event stream starts
UNAUTHORIZED = 401
UNANSWERED = frozenset({502, 503, 504})
"""The statuses of a proxy if the server behind it has not answered."""
MOST_REPLAYS = 2  # how often one request is sent again
INVALID_REQUEST = "invalid_request"
_BLANK = " \t,"  # RFC 9110 §5.6.1: empty elements of a list


@dataclass(slots=True, eq=False, repr=False)
class ResponseInfo:
    """A response as the flow sees it; of `response`, the library's own, it reads only `headers`.

    `sent_with` is the grant that the request carried, or `None` if that is unknown: then any grant
    counts as newer. `once` says that the transport sent the request only once, `replayable` that
    its body can be sent again. `signal` is the error of a signal. A challenge that can be answered
    takes precedence, but if only the signal names a cause, that counts.
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

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields of the response; names are case-insensitive in every library."""
        headers: Mapping[str, str] = self.response.headers
        return headers


class Decision:
    """What to do about a dead session, in which protection space, and why.

    Treat it as immutable. Most decisions are cached, so what follows from one is found out once.
    """

    def __init__(
        self,
        key: Key,
        action: Action,
        responder: Responder,
        challenge: Challenge | None,
        error: SessionError | str | None,
        scope: frozenset[str] = frozenset(),
    ) -> None:
        challenged = challenge is not None
        self.key = key
        self.action = action
        self.responder = responder
        self.challenge = challenge
        self.error = error
        self.scope = scope
        """The scopes that the server demands, if a login has to ask for more."""
        self.is_end: bool = not scope and error not in _NO_ENDS
        """Whether the session has ended; if not, the server asks for more than it has."""
        self.answers_itself: bool = challenged and responder.grant_from is not None
        """Whether the challenge is of a scheme that needs no login server."""
        self.explained: bool = error is not None and (
            challenge is None or responder.error_of(challenge) is not None
        )
        """Whether it has an error code, not only a signal's beside a challenge without one."""
        self.may_persist: bool = bool(scope) or not self.explained
        """Whether it may be about something other than the session: then no login changes it."""
        self.replaces: bool = action is Action.REPLACE
        """Whether the credential is dropped before the login."""
        self.stops: bool = action is Action.STOP
        """Whether no login may follow."""
        self.is_met_by_any: bool = not challenged or responder.covers is covers_all
        """Whether each grant that lives covers what the server asks for."""

    def moved_to(self, key: Key) -> Decision:
        """Return the same decision for another protection space."""
        return Decision(key, self.action, self.responder, self.challenge, self.error, self.scope)

    def is_met_by(self, grant: Grant) -> bool:
        """Tell whether a grant, if it lives, covers what the server asks for."""
        if self.is_met_by_any or self.challenge is None:
            return True
        return self.responder.covers(grant, self.challenge)


class _Decided(dict[tuple[str, ...], Decision]):
    """Caches decisions by origin and field lines; it is pickled empty.

    A server sends the same challenge each time a session dies.
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
# Bearer's `invalid_token` and a signal's default are that: the other may know better.
_UNSPECIFIC = frozenset({None, SessionError.EXPIRED})
# RFC 9110 §9.2.2
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


# Treat it as immutable, as all above: `frozen` would double what it costs to import. Without slots,
# because the first protocols of pickle read those of frozen classes only.
@dataclass(repr=False)
class Policy:
    """What the user configured, as the flow needs it; times are in seconds."""

    origins: frozenset[str]
    responders: tuple[Responder, ...]
    origin_of_login: bool = False
    """Whether the user passed no origin, so that the login's own is the only one."""
    realm: str | None = None
    account: str = ""
    signals: tuple[Signal, ...] = ()
    actions: Mapping[str | None, Action] = field(default_factory=dict)
    steps_up: bool = False
    scopes_up: bool = False
    """Whether the login can ask for more scopes."""
    replay_any_method: bool | None = None
    check: str | bool = True
    """Whether a small request checks the session of an upload without a response, and where."""
    unchallenged: Responder | None = None
    """Who signs if no challenge says how; by default the first of `responders`."""
    bare: bool = False
    """Whether a 401 without any challenge counts as one."""
    preemptive: Responder | None = None
    """The responder that signs requests before any challenge, if a login comes before them."""
    carry: Carrier | None = None
    """How to send the token; `None` if the scheme of the challenge says it."""
    rolls: Mapping[str, Source] = field(default_factory=dict)
    """Header fields of a grant that a response can change, and where it has the new value."""
    logout: Callable[[Context], object] | None = None
    logout_replaced: bool = True
    any_scheme: bool = False
    """Whether a challenge of any scheme counts like a 401 without one."""
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
                "SessionAuth: responders= is empty: no challenge would ever be answered"
            )
        self.has_signals: bool = bool(self.signals) or self.scopes_up
        """Whether `signals_for` any status returns a signal."""
        self.reads_all: bool = bool(self.signals or self.rolls)
        """Whether each response may say more than a 401 and its fields do."""
        self.flight_timeout: float = self.login_timeout * 1.5
        """When another request may take over a renewal: after the timeout of any login."""
        self.wait_timeout: float = self.flight_timeout + self.login_timeout
        """When a waiter gives up: late enough for a whole login after a takeover."""
        self._decided = _Decided()

    def signals_for(self, status: int) -> tuple[Signal, ...]:
        """Return the signals that look at a response of this status."""
        if self.scopes_up and status == FORBIDDEN:
            return (signals_more, *self.signals)
        return self.signals

    def decision(self, info: ResponseInfo) -> Decision | None:
        """Decide what to do about a response; return `None` if there is nothing to do."""
        if info.origin not in self.origins:
            return None
        if self.scopes_up and info.status in {UNAUTHORIZED, FORBIDDEN}:
            more = self._more_scopes(info)
            if more is not None or info.signal == INSUFFICIENT_SCOPE:
                return more
        if info.status != UNAUTHORIZED and info.signal is None:
            return None
        found = self.challenged(info)
        if found is None:
            counts = info.signal is not None or self._counts(info.challenges)
            return self._unchallenged(info) if counts else None
        if info.signal in _UNSPECIFIC or found.error not in _UNSPECIFIC:
            return found
        return self._decision(found.key, found.responder, found.challenge, info.signal)

    def _counts(self, lines: Sequence[str]) -> bool:
        """Tell whether a 401 counts although no responder knows its schemes."""
        if not any(line.strip(_BLANK) for line in lines):  # no challenge at all
            return self.bare
        if not (self.bare and self.any_scheme):
            return False
        return self.realm is None or any(map(self._is_of_realm, renewal.challenges.readable(lines)))

    def challenged(self, info: ResponseInfo) -> Decision | None:
        """Find a challenge that can be answered, whatever the status is."""
        said = (info.origin, *info.challenges)
        decision = self._decided.get(said)
        if decision is None:
            decision = self._challenged(info.origin, renewal.challenges.readable(info.challenges))
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
        """Drop the error code of a challenge to a request that had no token.

        RFC 6750 §3.1 wants no code then, but hono sends `invalid_request`.
        """
        if info.sent_with is not None or INVALID_REQUEST in self.actions:
            return decision
        return self._decision(decision.key, decision.responder, decision.challenge, None)

    def _more_scopes(self, info: ResponseInfo) -> Decision | None:
        """Find a challenge that demands scopes that the sent token lacks."""
        challenges = renewal.challenges.readable(info.challenges)
        for responder in self.responders:
            if self.actions.get(INSUFFICIENT_SCOPE) is Action.STOP:
                break
            for challenge in filter(None, map(responder.read, challenges)):
                scope = demanded(challenge)
                if scope and self._is_of_realm(challenge):
                    error = responder.error_of(challenge)
                    if error == INSUFFICIENT_SCOPE:
                        sent = info.sent_with
                        key = Key(info.origin, challenge.realm or "", self.account)
                        key = key if sent is None else sent.key
                        return Decision(key, Action.STEP_UP, responder, challenge, error, scope)
        return None

    def _unchallenged(self, info: ResponseInfo) -> Decision:
        # No challenge names a realm: take that of the credential that was sent.
        sent = info.sent_with
        if sent is None:
            key = Key(info.origin, self.realm or "", self.account)
            responder = self.unchallenged or self.responders[0]
            return self._decision(key, responder, None, info.signal)
        return self._decision(sent.key, sent.responder, None, info.signal)

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
        """Return method and URL of the small request that checks the session of a request."""
        if isinstance(self.check, str) and sent_to(self.check) == info.origin:
            return "GET", self.check
        return "HEAD", info.url

    def may_replay(self, info: ResponseInfo) -> bool:
        """Tell whether the request may be sent again (RFC 9110 §9.2.2, §15.5.2).

        After a 401, any method may, because the server did not apply the request, unless the
        transport has sent it more than once. The same is true of a 403 that demands more scopes
        (§15.5.4). After an error, or a signal on another status, only idempotent methods may.
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


# In seconds. The operating system cannot wait for any longer time than it can count.
_A_DAY = 86_400
