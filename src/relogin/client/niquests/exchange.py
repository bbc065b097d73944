"""One response of niquests, from its arrival to the response that replaces it, without I/O.

`Exchange.steps` yields steps; a `Session` executes them in a thread, an `AsyncSession` in a task.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, TypeAlias

from relogin import errors
from relogin.client.driver.content import has_body
from relogin.client.driver.credentials import sent_with
from relogin.client.driver.drive import Stepping
from relogin.client.driver.failures import Kinds, raisable
from relogin.client.events import heard
from relogin.client.niquests.body import is_repeated, rewind
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import (
    Ask,
    Check,
    Flow,
    Login,
    LogOut,
    Pause,
    Replay,
    Wait,
)
from relogin.client.renewal.flow import answer
from relogin.client.renewal.log_out import log_out_replaced
from relogin.client.renewal.policy import UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.renewal.shared import share
from relogin.client.renewal.unanswered import UNANSWERED, unanswered
from relogin.client.requests.signing import learn, sign_again
from relogin.client.requests.unanswered import small_request
from relogin.client.signals import Error, Signal
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import mark

__all__ = ["Begin", "Drain", "Exchange", "Look", "Send", "Step", "put_in_place"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request over this connection."""

    connection: Any
    prepared: Any
    sending: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """Ask signals about a response."""

    response: Any
    signals: Sequence[Signal]
    whole: bool
    """Whether signals see its body: the body of a streamed response cannot be put back."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Read a response: a 401 within bounds, any other to its end, as you may get it."""

    response: Any
    bounded: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the next pass over a body, so that the flow sees its errors before the request."""

    body: Any


Step: TypeAlias = Send | Look | Drain | Begin | Login | LogOut | Wait | Ask | Pause
_CHALLENGE = "WWW-Authenticate"


class Exchange:
    """One request: the grant that it was sent with, and its latest response."""

    def __init__(
        self,
        cache: CredentialCache,
        kinds: Kinds,
        user: Any,
        response: Any,
        sending: dict[str, Any],
    ) -> None:
        self.credential: Credential | None = user.credential
        self._user = user
        self.response: Any = response
        self._signal: Error | None = None
        self._cache = cache
        self._kinds = kinds
        self._sending = sending
        self._origin = sent_to(response.request.url)

    def steps(self) -> Generator[Step, Any, Any]:
        """Handle the response; return the final one."""
        departures = self._cache.departures
        try:
            yield from self._see_to()
        finally:
            departures.answered(self._user)
        if departures.waiting:
            yield from log_out_replaced(self._cache)
        return self.response

    def _see_to(self) -> Generator[Step, Any, None]:
        policy, first = self._cache.policy, self.response
        yield from self._look()
        if self._is_lost():
            yield from self._ended(unanswered(self._cache, self._info(), self._user.began))
        if self._is_dead() or (heard(policy.listener) and _CHALLENGE in first.headers):
            yield from self._ended(answer(self._cache, self._info()))
        if self.credential is not None:
            yield from self._learn(self.credential)
            if policy.fresh == "always":
                yield from share(self._cache, self.credential)

    def _look(self) -> Generator[Step, Any, None]:
        whole = not self._is_streamed()
        self._signal = yield from self._signalled(self.response, self._origin, whole=whole)

    def _signalled(
        self, response: Any, origin: str, *, whole: bool
    ) -> Generator[Step, Any, Error | None]:
        policy = self._cache.policy
        signals = policy.signals_for(response.status_code)
        if not signals or origin not in policy.origins:
            return None
        found: Error | None = yield Look(response, signals, whole)
        return found

    def _ended(self, flow: Flow) -> Generator[Step, Any, None]:
        started, first = time.monotonic(), self.response
        with closing(flow):
            steps = Stepping(flow)
            for command in steps:
                with steps:
                    steps.done = yield from self._do(command)
        final = steps.result
        self.response = final.info.response
        if self.response is not first:
            self.response.elapsed = first.elapsed + timedelta(seconds=time.monotonic() - started)
        mark(self.response, final.outcome, final.detail)
        if final.failure is not None:
            yield from self._fail(final.failure)

    def _do(self, command: Any) -> Generator[Step, Any, object]:
        refused = self.response
        dead = refused.status_code == UNAUTHORIZED
        if dead or not self._is_streamed():
            yield Drain(refused, bounded=dead)
        if isinstance(command, Check):
            return (yield from self._ask(command))
        if not isinstance(command, Replay):
            return (yield command)
        if is_repeated(refused.request):
            yield Begin(refused.request.body)
        rewind(refused.request)
        prepared, self.credential = sign_again(refused, self.credential, command.credential)
        self._cache.departures.carries(self._user, self.credential)
        sending = {**self._sending, "multiplexed": False}
        self.response = yield Send(refused.connection, prepared, sending)
        self.response.history = [*refused.history, refused]
        self.response.request = prepared
        yield from self._look()
        return self._info()

    def _ask(self, command: Check) -> Generator[Step, Any, ResponseInfo]:
        """Check whether a session lives, with a small request over the route of an upload."""
        origin = sent_to(command.url)
        sending = {**self._sending, "multiplexed": False, "stream": True}
        asked = small_request(self._cache, command)
        response = yield Send(self.response.connection, asked, sending)
        signal = yield from self._signalled(response, origin, whole=False)
        yield Drain(response, bounded=True)
        return ResponseInfo(
            response=response,
            status=response.status_code,
            method=command.method,
            url=command.url,
            origin=origin,
            sent_with=command.credential,
            challenges=_challenge_lines(response),
            signal=signal,
        )

    def _learn(self, credential: Credential) -> Generator[Step, Any, None]:
        try:
            dead = self._signal is not None
            learn(self._cache, credential, self.response, self._origin, dead=dead)
        except errors.LoginUnavailable as failure:
            yield from self._fail(failure)

    def _fail(self, failure: errors.ReloginError) -> Generator[Step, Any, NoReturn]:
        yield Drain(self.response, bounded=True)  # you get it in the exception only
        raise raisable(failure, self._kinds, self.response) from failure.__cause__

    def _info(self) -> ResponseInfo:
        response, request = self.response, self.response.request
        url = request.url or ""
        return ResponseInfo(
            response=response,
            status=response.status_code,
            method=(request.method or "").upper(),
            url=url,
            origin=self._origin,
            sent_with=sent_with(self._cache, self.credential, request.headers, url),
            challenges=_challenge_lines(response),
            once=not getattr(getattr(response.raw, "retries", None), "history", ()),
            replayable=not (self._is_dead() or self._is_lost()) or rewind(request),
            signal=self._signal,
        )

    def _is_streamed(self) -> bool:
        # An extension reads the frames of a WebSocket, or the events of a stream.
        return bool(self._sending.get("stream")) or self.response.extension is not None

    def _is_lost(self) -> bool:
        # A proxy reports that the server did not answer an upload.
        lost = self.response.status_code in UNANSWERED and self.credential is not None
        return lost and has_body(self.response.request.headers)

    def _is_dead(self) -> bool:
        return self.response.status_code == UNAUTHORIZED or self._signal is not None


def _challenge_lines(response: Any) -> list[str]:
    return list(response.raw.headers.getlist(_CHALLENGE))


def put_in_place(first: Any, response: Any) -> Any:
    """Turn the first response object into the final response: the user has that object already.

    With multiplexed connections, niquests returns a response object before the response arrives.
    """
    if response is first:
        return first
    refused = object.__new__(type(first))  # not `copy`, which works like pickling
    vars(refused).update(vars(first))
    response.history = [refused if past is first else past for past in response.history]
    vars(first).clear()
    vars(first).update(vars(response))
    return first
