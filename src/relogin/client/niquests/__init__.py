"""Renewal for niquests: `session.auth = SessionAuth(login)`, for `Session` and `AsyncSession`.

`relogin.client.renewal.flow` decides what to do; this module sends, waits and logs in, in threads
and in tasks. Needs the extra ``relogin[niquests]``.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any, cast

try:
    import anyio as _anyio  # noqa: F401 - tasks of several loops wait with it
    import niquests
    from niquests.auth import AuthBase
except ImportError as _missing:
    raise ImportError(
        "relogin.client.niquests needs niquests: pip install 'relogin[niquests]'",
        name=_missing.name,
    ) from _missing

from relogin import errors
from relogin.client.drain import drain
from relogin.client.driver import tasks
from relogin.client.driver.async_principal import AsyncPrincipal, of_kind
from relogin.client.driver.content import is_precious
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.failures import by_base
from relogin.client.driver.reentry import ending, inside
from relogin.client.niquests.body import rewind, watch
from relogin.client.niquests.exchange import Begin, Drain, Exchange, Look, Send, put_in_place
from relogin.client.niquests.reading import drain_async, look, look_async
from relogin.client.renewal.commands import Login, LogOut
from relogin.client.renewal.flow import before
from relogin.client.renewal.policy import Credential
from relogin.client.requests.retries import RetriesUnauthorized, warn_of_retries
from relogin.client.requests.signing import sign_prepared, sign_within, write_url
from relogin.client.terms.libraries import mixed_up
from relogin.client.terms.origins import sent_to

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "RetriesUnauthorized",
    "SessionAuth",
]


class LoginRefused(errors.LoginRefused, niquests.RequestException):
    """The login was refused; `response` is the 401 that asked for it."""


class LoginUnavailable(errors.LoginUnavailable, niquests.RequestException):
    """The login could not be done now; `response` is the 401 that asked for it."""


class InvalidGrant(errors.InvalidGrant, niquests.RequestException):
    """The login returned no valid grant; `response` is the 401 that asked for it."""


class LoginTimeout(errors.LoginTimeout, niquests.Timeout):
    """The renewal took too long; `response` is the 401 that asked for it."""


class BodyNotReplayable(errors.BodyNotReplayable, niquests.RequestException):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, niquests.RequestException):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


_KINDS = by_base(
    LoginRefused,
    LoginUnavailable,
    InvalidGrant,
    LoginTimeout,
    BodyNotReplayable,
    MethodNotReplayable,
)


class SessionAuth(AsyncPrincipal[Any], AuthBase):
    """Logs in again when a session dies, once for all threads and tasks, and sends requests again.

    Use it with `niquests.Session` and `niquests.AsyncSession`; one object can serve both at once.
    All parameters are as for `relogin.client.httpx.SessionAuth`. `context.http` is a
    `niquests.AsyncSession` for a login that is a coroutine function, and a `niquests.Session` for
    any other. It has the proxies and certificates of the refused request, and its own connections.

    With ``multiplexed=True`` the login takes place when you gather the response or first access it.
    Signals see only the status and the headers of a streamed response.

    Raises `ValueError` for a function without `origins`, and for an origin that is neither https
    nor loopback.
    """

    def __call__(self, prepared: Any, *_: object) -> Any:
        """Sign a request that is being prepared, and register a hook for its response."""
        if not isinstance(prepared, niquests.PreparedRequest):
            raise mixed_up("niquests", prepared)
        signed = cast("Any", prepared)
        write_url(signed)
        url = prepared.url or ""
        if inside(self._cache):
            own = ending(self._cache, url)
            return prepared if own is None else sign_within(signed, own)
        origin = sent_to(url)
        credential = self._cache.for_request(origin, url)
        watch(prepared)
        precious = is_precious(signed.headers, partial(rewind, prepared))
        hook = _Hook(self)
        if not self._cache.ready(origin, credential, precious=precious):
            prepared.register_hook("pre_request", _Ahead(self, hook, origin, precious))
        elif credential is not None:
            hook.sign(signed, credential)
        prepared.register_hook("response", hook)
        return prepared

    # In a thread, and in a task

    def _do(self, step: Any, sending: dict[str, Any]) -> object:
        if isinstance(step, Send):
            return step.connection.send(step.prepared, **step.sending)
        if isinstance(step, Look):
            return look(step.signals, step.response, whole=step.whole)
        if isinstance(step, Drain):
            return drain(step.response) if step.bounded else step.response.content
        if isinstance(step, Login):
            return self._log_in(step, sending)
        if isinstance(step, LogOut):
            return self._log_out_here(step, sending)
        return stand_by(self._cache, step)

    async def _do_async(self, step: Any, sending: dict[str, Any]) -> object:
        if isinstance(step, Send):
            return await step.connection.send(step.prepared, **step.sending)
        if isinstance(step, Look):
            return await look_async(step.signals, step.response, whole=step.whole)
        if isinstance(step, Drain):
            return await (drain_async(step.response) if step.bounded else step.response.content)
        if isinstance(step, Begin):
            return await step.body.begin()
        if isinstance(step, Login):
            return await self._log_in_async(step, sending)
        if isinstance(step, LogOut):
            return await self._log_out_async(step, sending)
        return await tasks.stand_by(self._cache, step)

    # What a login gets

    def _is_awaited(self, http: object) -> bool:
        return isinstance(http, niquests.AsyncSession)

    def _do_here(self, command: Any) -> object:
        return self._do(command, {})

    async def _do_in_task(self, command: Any) -> object:
        return await self._do_async(command, {})

    def _open_http(self, opened: ExitStack, sending: Any, auth: Any = None) -> Any:
        if self._is_awaited(self._http):  # AsyncSession is derived from Session
            raise TypeError("http= is of niquests.AsyncSession; this login needs Session")
        if self._http is not None:
            return of_kind(niquests.Session, self._http)
        http = self._plain(niquests.Session, sending, auth)
        opened.callback(http.close)
        return http

    def _open_http_async(self, opened: AsyncExitStack, sending: Any, auth: Any = None) -> Any:
        if self._http is not None:
            return of_kind(niquests.AsyncSession, self._http)
        http = self._plain(niquests.AsyncSession, sending, auth)
        opened.push_async_callback(http.close)
        return http

    def _plain(self, kind: Any, sending: dict[str, Any], auth: Any) -> Any:
        """Make a session without cookies and netrc, with the proxies of the refused request."""
        http = kind(timeout=self._cache.policy.login_timeout)
        http.trust_env, http.auth = False, auth
        http.proxies = dict(sending.get("proxies") or {})
        http.verify, http.cert = sending.get("verify", True), sending.get("cert")
        return http


class _ForBoth(ABC):
    """A hook for both kinds of session: one calls it, the other awaits it.

    niquests awaits a hook that looks like a coroutine function, so this one does.
    """

    def __init__(self) -> None:
        self._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", None)  # Python 3.11
        getattr(inspect, "markcoroutinefunction", _do_nothing)(self)

    def __call__(self, subject: Any, **sending: Any) -> Any:
        caller = sys._getframe(1).f_code
        awaited = caller.co_flags & inspect.CO_COROUTINE
        return (self.awaited if awaited else self.called)(subject, sending)

    @abstractmethod
    def called(self, subject: Any, sending: dict[str, Any]) -> Any:
        """Do it in a thread."""

    @abstractmethod
    async def awaited(self, subject: Any, sending: dict[str, Any]) -> Any:
        """Do it in a task."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _idle, ()  # after pickling, it does nothing


def _idle() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(response: Any, **sending: Any) -> None:
    """Take the place of a hook whose request was pickled."""


class _Ahead(_ForBoth):
    """Before a request is sent, renews a session that is about to end, and signs it."""

    def __init__(self, auth: SessionAuth, hook: _Hook, origin: str, precious: bool) -> None:
        super().__init__()
        self._auth = auth
        self._hook = hook
        self._origin = origin
        self._precious = precious
        self._is_done = False

    def called(self, subject: Any, sending: dict[str, Any]) -> Any:
        if not self._is_done:  # a redirect calls it again
            self._is_done = True
            auth = self._auth
            self._sign(subject, drive(self._flow(subject), lambda step: auth._do(step, sending)))
        return subject

    async def awaited(self, subject: Any, sending: dict[str, Any]) -> Any:
        if not self._is_done:
            self._is_done = True
            do = partial(self._auth._do_async, sending=sending)
            self._sign(subject, await tasks.drive(self._flow(subject), do))
        return subject

    def _flow(self, prepared: Any) -> Any:
        cache, url = self._auth._cache, prepared.url or ""
        credential = cache.for_request(self._origin, url)
        method, precious = prepared.method or "", self._precious
        return before(cache, credential, self._origin, method, url, precious=precious)

    def _sign(self, prepared: Any, credential: Credential | None) -> None:
        if credential is not None:
            self._hook.sign(prepared, credential)


class _Hook(_ForBoth):
    """Handles the responses of one request; knows the grant that last signed it."""

    def __init__(self, auth: SessionAuth) -> None:
        super().__init__()
        self.credential: Credential | None = None
        self.began = 0.0
        self._auth = auth
        self._failed: TypeError | None = None

    def sign(self, prepared: Any, credential: Credential) -> None:
        """Sign the request with a grant, and remember which."""
        self.credential = sign_prepared(prepared, credential)
        self.began = self._auth._cache.clock()
        self._auth._cache.departures.carries(self, self.credential)

    def called(self, subject: Any, sending: dict[str, Any]) -> Any:
        exchange = self._exchange(subject, sending)
        if exchange is None:
            return subject
        try:
            response = drive(exchange.steps(), lambda step: self._auth._do(step, sending))
        except TypeError as error:
            self._failed = error
            raise
        return self._answered(exchange, subject, response, sending)

    async def awaited(self, subject: Any, sending: dict[str, Any]) -> Any:
        exchange = self._exchange(subject, sending)
        if exchange is None:
            return subject
        do = partial(self._auth._do_async, sending=sending)
        try:
            response = await tasks.drive(exchange.steps(), do)
        except TypeError as error:
            self._failed = error
            raise
        return self._answered(exchange, subject, response, sending)

    def _exchange(self, response: Any, sending: dict[str, Any]) -> Exchange | None:
        if self._failed is not None and not sending:
            raise self._failed  # after a TypeError, niquests calls a hook again without arguments
        if inside(self._auth._cache):
            return None
        warn_of_retries(response.connection)
        return Exchange(self._auth._cache, _KINDS, self, response, sending)

    def _answered(
        self, exchange: Exchange, first: Any, response: Any, sending: dict[str, Any]
    ) -> Any:
        self.credential = exchange.credential
        return put_in_place(first, response) if sending.get("multiplexed") else response
