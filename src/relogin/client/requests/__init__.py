"""Renewal for requests: `session.auth = SessionAuth(login)`, and a dead session is renewed.

This drives `relogin.client.renewal.flow`: it sends, waits and logs in
as the flow says, and decides nothing.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from relogin import errors
from relogin.client.drain import drain
from relogin.client.driver.credentials import sent_with
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.failures import by_base, raisable
from relogin.client.driver.principal import Principal
from relogin.client.driver.reentry import ending, inside, logging_in
from relogin.client.events import heard
from relogin.client.renewal.flow import Command, Login, LogOut, Replay, answer, before
from relogin.client.renewal.log_out import give_back_replaced
from relogin.client.renewal.policy import UNAUTHORIZED, Credential, Policy, ResponseInfo
from relogin.client.renewal.shared import share
from relogin.client.requests.adapter import UploadAdapter
from relogin.client.requests.body import rewind, watch
from relogin.client.requests.lookahead import Lookahead
from relogin.client.requests.retries import RetriesUnauthorized, warn_of_retries
from relogin.client.requests.route import LoginSession, Route
from relogin.client.requests.signing import learn, sign_again, sign_prepared, sign_within
from relogin.client.signals import Error, signalled
from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Context
from relogin.client.terms.libraries import mixed_up
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import mark

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "RetriesUnauthorized",
    "SessionAuth",
    "UploadAdapter",
]


class LoginRefused(errors.LoginRefused, requests.RequestException):
    """The login was refused; `response` is the 401 that asked for it."""


class LoginUnavailable(errors.LoginUnavailable, requests.RequestException):
    """The login could not be done now; `response` is the 401 that asked for it."""


class InvalidGrant(errors.InvalidGrant, requests.RequestException):
    """The login returned what is no grant; `response` is the 401 that asked for it."""


class LoginTimeout(errors.LoginTimeout, requests.Timeout):
    """The renewal took too long; `response` is the 401 that asked for it."""


class BodyNotReplayable(errors.BodyNotReplayable, requests.RequestException):
    """The session lives again, but the body is spent; `response` is the 401."""


_CHALLENGE = "WWW-Authenticate"

_KINDS = by_base(LoginRefused, LoginUnavailable, InvalidGrant, LoginTimeout, BodyNotReplayable)


class SessionAuth(Principal[requests.Session], AuthBase):
    """Logs in again when a session dies, once for all threads, and sends the request again.

    Attach one object to as many `requests.Session` objects, in as many threads, as you like: it
    stands for one account. `repr` says for which servers it is and how the session stands.

    >>> import requests, relogin
    >>> def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> session = requests.Session()
    >>> session.auth = SessionAuth(login, "https://api.example.com")
    """

    def _begin(
        self,
        login: Callable[[Context], object],
        policy: Policy,
        http: requests.Session | None = None,
    ) -> None:
        if inspect.iscoroutinefunction(getattr(policy.store, "get", None)):
            raise TypeError("SessionAuth: an asynchronous store needs an asynchronous client")
        super()._begin(login, policy, http)
        # By origin, what its last 401 came through: a login ahead of time has no response to ask.
        self._routes: dict[str, Route] = {}
        self._adapter: object = None

    def __call__(self, prepared: PreparedRequest, *_: object) -> PreparedRequest:
        """Sign a request that is being prepared, and see to its response."""
        if not isinstance(prepared, PreparedRequest):
            raise mixed_up("requests", prepared)
        url = prepared.url or ""
        if inside(self._cache):
            own = ending(self._cache, url)
            return prepared if own is None else sign_within(prepared, own)
        origin = sent_to(url)
        credential = self._cache.for_request(origin, url)
        if not self._cache.ready(origin, credential):
            flow = before(self._cache, credential, origin, prepared.method or "", url)
            credential = drive(flow, lambda command: self._stand_by_or_log_in(command, origin))
        if prepared.body is not None:
            watch(prepared)
        if credential is not None:
            credential = self._sign(prepared, credential)
        hook = _Hook(self, credential)
        self._cache.departures.carries(hook, credential)
        prepared.register_hook("response", hook)
        return prepared

    def _sign(self, prepared: PreparedRequest, credential: Credential) -> Credential | None:
        try:
            return sign_prepared(prepared, credential)
        except errors.BodyNotReplayable as failure:
            raise raisable(failure, _KINDS, None) from None

    def _stand_by_or_log_in(self, command: Command, origin: str) -> object:
        if isinstance(command, LogOut):
            http = partial(self._open_http, command.credential.key.origin, self)
            return self._log_out(command, http)
        if isinstance(command, Login):
            context = command.context.with_http(lambda: self._open_http(origin))
            with logging_in(self._cache):
                return self.login(context)
        return stand_by(self._cache, command)

    def _do_here(self, command: Command) -> object:
        return self._stand_by_or_log_in(command, "")

    def _open_http(self, origin: str, auth: SessionAuth | None = None) -> requests.Session:
        if self._http is not None:
            return self._http
        http = LoginSession(self._routes.get(origin), self._cache.policy.login_timeout)
        http.auth = auth
        return http

    def _see_to(self, hook: _Hook, response: Response, sending: dict[str, Any]) -> Response:
        """Do what a response asks for; then give back what no request carries any more."""
        departures = self._cache.departures
        try:
            response = self._answered(hook, response, sending)
        finally:
            departures.answered(hook)
        if departures.waiting and not inside(self._cache):
            drive(give_back_replaced(self._cache), self._do_here)
        return response

    def _answered(self, hook: _Hook, response: Response, sending: dict[str, Any]) -> Response:
        """Do what a response asks for, and learn from the one that becomes the answer."""
        adapter = getattr(response, "connection", None)
        if adapter is not self._adapter:
            warn_of_retries(adapter)
            self._adapter = adapter
        credential, signal = hook.sent_with(response), None
        if self._cache.policy.signals_for(response.status_code):
            signal = self._signal(response, sending)
        if (
            (self._is_challenged(response) or signal)
            and adapter is not None
            and not inside(self._cache)
        ):
            exchange = _Exchange(self, hook, credential, response, sending, signal)
            response, credential, signal = exchange.answered(), exchange.credential, exchange.signal
        if credential is not None:
            self._learn(credential, response, dead=signal is not None)
            if self._cache.policy.fresh == "always":
                drive(share(self._cache, credential), partial(stand_by, self._cache))
        return response

    def _learn(self, credential: Credential, response: Response, *, dead: bool) -> None:
        try:
            learn(self._cache, credential, response, dead=dead)
        except errors.LoginUnavailable as failure:
            drain(response)  # nobody else would: it goes into the exception only
            raise raisable(failure, _KINDS, response) from None

    def _is_challenged(self, response: Response) -> bool:
        # Beside a 401 a challenge is news for who listens, and nothing else.
        return response.status_code == UNAUTHORIZED or (
            heard(self._cache.policy.listener) and _CHALLENGE in response.headers
        )

    def _signal(self, response: Response, sending: dict[str, Any]) -> Error | None:
        policy = self._cache.policy
        if sent_to(response.request.url) not in policy.origins:
            return None
        info = Answer(response.status_code, response.headers, response.url, reading=True)
        peek = Lookahead(response, streamed=bool(sending.get("stream")))
        return signalled(policy.signals_for(response.status_code), info, peek.more)


class _Hook:
    """The response hook of one request, with the grant it was last signed with.

    requests copies it along redirects and into copies of the request, and pickles it with every
    response; a pickled one does nothing.
    """

    __slots__ = ("__weakref__", "auth", "credential", "signed_again")

    def __init__(self, auth: SessionAuth, credential: Credential | None) -> None:
        self.auth = auth
        self.credential = credential
        self.signed_again = 0.0

    def __call__(self, response: Response, **sending: Any) -> Response:
        return self.auth._see_to(self, response, sending)

    def sent_with(self, response: Response) -> Credential | None:
        """Return the grant that was signed with, or `None` if it was signed anew meanwhile.

        That happens where several threads send one prepared request.
        """
        if self.signed_again:
            began = time.perf_counter() - response.elapsed.total_seconds()
            if began < self.signed_again:
                return None
        return self.credential

    def sign_again(
        self, refused: Response, dead: Credential | None, credential: Credential
    ) -> PreparedRequest:
        """Put a newer grant on the request, and remember which and when."""
        prepared, self.credential = sign_again(refused, dead, credential)
        self.signed_again = time.perf_counter()
        self.auth._cache.departures.carries(self, self.credential)
        return prepared

    def __reduce__(self) -> tuple[Any, ...]:
        return _idle, ()


def _idle() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(response: Response, **sending: Any) -> None:
    """Stand where a hook was before its request was pickled."""


class _Exchange:
    """One response, from its arrival to the answer that replaces it."""

    def __init__(
        self,
        auth: SessionAuth,
        hook: _Hook,
        credential: Credential | None,
        response: Response,
        sending: dict[str, Any],
        signal: Error | None,
    ) -> None:
        self.auth = auth
        self.hook = hook
        self.credential = credential
        self.response = response
        self.sending = sending
        self.signal = signal
        self.origin = sent_to(response.request.url)

    def answered(self) -> Response:
        """Run the flow; return its response, or raise its failure in requests' own kind."""
        started, first = time.monotonic(), self.response
        if self.origin in self.auth._cache.policy.origins:
            route = Route(first.connection, first.request.url or "", self.sending)
            self.auth._routes[self.origin] = route
        final = drive(answer(self.auth._cache, self._info()), self._do)
        response: Response = final.info.response
        if response is not first:
            response.elapsed = first.elapsed + timedelta(seconds=time.monotonic() - started)
        mark(response, final.outcome)
        if final.failure is not None:
            self._free_connection()  # nobody else would: it goes into the exception only
            raise raisable(final.failure, _KINDS, response) from final.failure.__cause__
        return response

    def _do(self, command: Command) -> object:
        self._free_connection()
        if isinstance(command, Replay):
            self._replay(command.credential)
            return self._info()
        return self.auth._stand_by_or_log_in(command, self.origin)

    def _free_connection(self) -> None:
        """Read what is left, for there may be no other connection that a login could use.

        One on which a request with a body was refused is closed: its server may not have read the
        body, and then closes it too, whatever it said. A signalled answer may yet be returned:
        nothing of it is lost to who reads or streams it.
        """
        blocks = getattr(self.response.connection, "_pool_block", False)
        if self.response.status_code == UNAUTHORIZED:
            drain(self.response, keep=not self.response.request.body)
        elif blocks or not self.sending.get("stream"):
            _ = self.response.content

    def _replay(self, credential: Credential) -> None:
        refused = self.response
        refused.close()
        rewind(refused.request)
        prepared = self.hook.sign_again(refused, self.credential, credential)
        self.credential = self.hook.credential
        self.response = refused.connection.send(prepared, **self.sending)
        self.response.history = [*refused.history, refused]
        self.response.request = prepared
        self.signal = None
        if self.auth._cache.policy.signals_for(self.response.status_code):
            self.signal = self.auth._signal(self.response, self.sending)

    def _info(self) -> ResponseInfo:
        response, request = self.response, self.response.request
        return ResponseInfo(
            response=response,
            status=response.status_code,
            method=(request.method or "").upper(),
            url=request.url or "",
            origin=self.origin,
            sent_with=self._sent_with(request),
            challenges=_challenge_lines(response),
            once=not getattr(getattr(response.raw, "retries", None), "history", ()),
            replayable=not self._is_dead() or rewind(request),
            signal=self.signal,
        )

    def _sent_with(self, request: PreparedRequest) -> Credential | None:
        return sent_with(self.auth._cache, self.credential, request.headers, request.url or "")

    def _is_dead(self) -> bool:
        return self.response.status_code == UNAUTHORIZED or self.signal is not None


def _challenge_lines(response: Response) -> list[str]:
    """Return the field lines apart: one that is malformed must not hide the others."""
    lines = getattr(getattr(response.raw, "headers", None), "getlist", None)
    if lines is not None:
        return list(lines(_CHALLENGE))
    joined = response.headers.get(_CHALLENGE)
    return [] if joined is None else [joined]
