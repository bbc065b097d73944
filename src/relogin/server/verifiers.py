"""Verifiers: functions that judge a token, how to call them, and what their failure means.

A verifier is any function that takes a token. If it takes two arguments, it gets the `Request`
too, to find a tenant by its host for example. It returns the session or `relogin.Admitted`, raises
`relogin.Refused` to say why not, or returns None for a token it does not know. Any other exception
means trouble in the store: the session may well be alive.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from relogin.reasons import SessionError
from relogin.server.decisions import living
from relogin.server.event_loops import in_thread
from relogin.server.logs import report
from relogin.server.request import Request
from relogin.server.signatures import is_async, takes_request
from relogin.server.verdicts import Admitted, Refused, check_duration, without_frames

__all__ = [
    "AsyncVerifier",
    "Lookup",
    "Signed",
    "Verifier",
    "ask",
    "ask_again",
    "ask_async",
    "checked",
    "outcome_of",
    "synchronous",
    "unblocking",
    "wants_request",
]

Verifier: TypeAlias = Callable[[str], Any] | Callable[[str, Request], Any]
AsyncVerifier: TypeAlias = (
    Callable[[str], Awaitable[Any]] | Callable[[str, Request], Awaitable[Any]]
)
SessionT = TypeVar("SessionT")
VerifierT = TypeVar("VerifierT")


class Lookup(Generic[SessionT]):
    """Finds sessions in a mapping, or with a function that returns None for an unknown token.

    `expires_at` takes a session and returns when it ends, in seconds as `clock` counts them;
    `revoked` returns whether it was ended on purpose. For both, keep a session for as long as its
    token may come back. `key` turns a token into the key of the mapping: a store that holds only
    hashes of tokens is of no use to a thief.

    >>> ended = Lookup({"t1": 1000.0, "t2": 3000.0}, expires_at=float, clock=lambda: 2000.0)
    >>> ended("t2")
    Admitted(session=3000.0, expires_in=1000.0, auth_age=None, acr=None)
    >>> ended("t1")
    Traceback (most recent call last):
    relogin.server.verdicts.Refused: session_expired
    """

    def __init__(
        self,
        sessions: Mapping[str, SessionT] | Callable[[str], SessionT | None],
        *,
        expires_at: Callable[[SessionT], float] | None = None,
        revoked: Callable[[SessionT], bool] | None = None,
        key: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = sessions.get if isinstance(sessions, Mapping) else sessions
        if not callable(self._find):
            kind = type(sessions).__name__
            raise TypeError(
                f"sessions must be a mapping, or a function that finds a session, not {kind}"
            )
        functions = {"expires_at": expires_at, "revoked": revoked, "key": key, "clock": clock}
        for name, given in functions.items():
            if given is not None and not callable(given):
                raise TypeError(f"{name} must be a function, not {type(given).__name__}")
        self._expires_at = expires_at
        self._revoked = revoked
        self._key = key
        self._clock = clock
        self.blocking: bool = not isinstance(sessions, dict)

    def __call__(self, token: str) -> Admitted[SessionT] | None:
        """Return the living session of this token; raise `Refused` if it has ended."""
        session = self._find(token if self._key is None else self._key(token))
        if session is None:
            return None
        if self._revoked is not None and self._revoked(session):
            raise Refused(SessionError.REVOKED)
        if self._expires_at is None:
            return Admitted(session)
        ends, now = self._expires_at(session), self._clock()
        try:
            left = ends - now
        except TypeError:  # a datetime, for example
            kind = type(ends).__name__
            raise TypeError(f"expires_at must return seconds as clock does, not {kind}") from None
        if left <= 0:
            raise Refused(SessionError.EXPIRED)
        return Admitted(session, expires_in=left)


class Timed(Protocol):
    """What `Signed` needs: a `URLSafeTimedSerializer`, or an object with the same method."""

    def loads(self, token: str, /, max_age: int, return_timestamp: bool) -> Any:
        """Return what was signed, and when; raise what itsdangerous raises."""


class Signed:
    """Takes tokens that an `itsdangerous.URLSafeTimedSerializer` signed; `max_age` in seconds.

    A token with a genuine signature that is too old is expired; a forged one is invalid. There is
    no store, so nothing can be revoked before it expires.

    >>> from itsdangerous import URLSafeTimedSerializer
    >>> serializer = URLSafeTimedSerializer("a long random secret", salt="session")
    >>> verify = Signed(serializer, max_age=900)
    >>> verify(serializer.dumps({"user": "ada"})).session
    {'user': 'ada'}
    >>> verify("forged") is None
    True
    """

    blocking = False

    def __init__(self, serializer: Timed, max_age: int) -> None:
        if not hasattr(serializer, "loads"):
            kind = type(serializer).__name__
            raise TypeError(
                f"a serializer must be like itsdangerous.URLSafeTimedSerializer, not {kind}"
            )
        check_duration("max_age", max_age)
        self._serializer = serializer
        self._max_age = max_age

    def __call__(self, token: str) -> Admitted[Any] | None:
        """Return what was signed; raise `Refused` if that was too long ago."""
        from datetime import UTC, datetime

        from itsdangerous import BadData, SignatureExpired  # an extra

        try:
            session, signed_at = self._serializer.loads(
                token, max_age=self._max_age, return_timestamp=True
            )
        except SignatureExpired:
            raise Refused(SessionError.EXPIRED) from None
        except BadData:
            return None
        age = (datetime.now(UTC) - signed_at).total_seconds()
        return Admitted(session, expires_in=self._max_age - age)


def wants_request(verify: Verifier | AsyncVerifier) -> bool:
    """Tell whether a verifier takes the request; raise `TypeError` if it cannot be called."""
    return takes_request("verify", checked(verify), ("token",))


def ask(verify: Verifier, token: str | None, *request: Request) -> object:
    """Return what the verifier returns or raises; None without a token.

    Pass the `request` if the verifier takes one.
    """
    if token is None:
        return None
    try:
        call: Callable[..., Any] = verify
        return _without_waiting(call(token, *request))
    except Exception as raised:  # noqa: BLE001  whatever a store raises, it must not end in a 401
        return outcome_of(raised)


def ask_again(verify: Verifier, token: str | None, *request: Request) -> Any:
    """Return the session if it still lives, or raise `Refused`; the application may call this."""
    if token is None:
        raise Refused
    return living(ask(verify, token, *request))


async def ask_async(
    verify: Verifier | AsyncVerifier, token: str | None, *request: Request
) -> object:
    """Do the same as `ask`, with a verifier that may be awaited; a plain one may block the loop."""
    if token is None:
        return None
    try:
        call: Callable[..., Any] = verify
        answer = call(token, *request)
        return await answer if hasattr(answer, "__await__") else answer
    except Exception as raised:  # noqa: BLE001  whatever a store raises, it must not end in a 401
        return outcome_of(raised)


def unblocking(verify: Verifier | AsyncVerifier) -> Verifier | AsyncVerifier:
    """Return a verifier that does not block the event loop.

    One that is no coroutine function runs in a thread, unless it has `blocking = False`.
    """
    if is_async(verify) or not getattr(verify, "blocking", True):
        return verify
    return partial(_in_thread, verify)


async def _in_thread(verify: Callable[..., Any], *given: object) -> object:
    answer = await in_thread(verify, *given)
    return await answer if hasattr(answer, "__await__") else answer


def synchronous(verify: Verifier) -> Verifier:
    """Return the verifier; raise `TypeError` for one that needs an event loop.

    Its coroutine, which nobody awaits, would count as a session and admit everybody.
    """
    if is_async(verify):
        raise TypeError(
            "this gate has no event loop: pass a plain function as verify, not a coroutine function"
        )
    return verify


def checked(verify: VerifierT) -> VerifierT:
    """Return the verifier; raise `TypeError` if it cannot be called."""
    if not callable(verify):
        raise TypeError(
            f"verify must be a function that takes a token, not {type(verify).__name__}"
        )
    return verify


def _without_waiting(answer: object) -> object:
    if not hasattr(answer, "__await__"):
        return answer
    if isinstance(answer, Coroutine):
        answer.close()
    raise TypeError("verify is asynchronous, but this gate has no event loop")


def outcome_of(raised: Exception) -> Exception:
    """Return what a verifier raised; log trouble in the store."""
    if isinstance(raised, Refused):
        return without_frames(raised)  # it is kept for a while
    report("the session store has trouble", raised)
    return raised
