"""Renewal for requests: `session.auth = SessionAuth(login, …)`.

`relogin.client.renewal.flow` decides what to do; this module sends, waits and logs in.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from relogin import client, errors
from relogin.client import renewal
from relogin.client.drain import drain
from relogin.client.driver.content import is_precious
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.failures import by_base, raisable
from relogin.client.driver.principal import Principal
from relogin.client.driver.reentry import ending, inside, logging_in
from relogin.client.renewal.commands import Check, Command, Login, LogOut
from relogin.client.renewal.policy import (
    OK,
    UNANSWERED,
    UNAUTHORIZED,
    Credential,
    Policy,
    ResponseInfo,
)
from relogin.client.renewal.scopes import FORBIDDEN
from relogin.client.requests.adapter import UploadAdapter
from relogin.client.requests.body import rewind, watch
from relogin.client.requests.exchange import Exchange, Hook
from relogin.client.requests.fields import CHALLENGE, found, has, tells_more
from relogin.client.requests.lookahead import Lookahead
from relogin.client.requests.retries import (
    RetriesUnauthorized,
    warn_of_no_connection,
    warn_of_retries,
)
from relogin.client.requests.route import Route
from relogin.client.requests.signing import learn, lives, sign_prepared, sign_within
from relogin.client.requests.streams import watch as watch_stream
from relogin.client.requests.unanswered import Upload, ask, in_place_of_a_response
from relogin.client.terms.answer import Answer
from relogin.client.terms.fields import is_event_stream
from relogin.client.terms.grant import Context
from relogin.client.terms.libraries import mixed_up
from relogin.client.terms.origins import sent_to
from relogin.lazy import importing

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "RetriesUnauthorized",
    "SessionAuth",
    "UploadAdapter",
]


_REFUSALS = frozenset({UNAUTHORIZED, FORBIDDEN})
_SERVER_ERRORS = 500


class LoginRefused(errors.LoginRefused, requests.RequestException):
    """The login was refused; `response` is the 401 that asked for it, if any."""


class LoginUnavailable(errors.LoginUnavailable, requests.RequestException):
    """The login could not be done now; `response` is the 401 that asked for it, if any."""


class InvalidGrant(errors.InvalidGrant, requests.RequestException):
    """The login returned no valid grant; `response` is the 401 that asked for it, if any."""


class LoginTimeout(errors.LoginTimeout, requests.Timeout):
    """The renewal took too long; `response` is the 401 that asked for it, if any."""


class BodyNotReplayable(errors.BodyNotReplayable, requests.RequestException):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, requests.RequestException):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


_KINDS = by_base(
    LoginRefused,
    LoginUnavailable,
    InvalidGrant,
    LoginTimeout,
    BodyNotReplayable,
    MethodNotReplayable,
)


@cache
def _call() -> Callable[..., object]:
    with importing:
        from relogin.client.driver.login_call import call  # needed at the first login
    return call


@cache
def _login_session() -> Any:
    with importing:
        from relogin.client.requests import login_session  # needed at the first login
    return login_session


class SessionAuth(Principal[requests.Session], AuthBase):
    """Logs in again when a session dies, once for all threads, and sends the request again.

    One object is for one account. Attach it to as many `requests.Session` objects, in as many
    threads, as you like. Its `repr` shows its servers and the state of its session.

    >>> import requests, relogin
    >>> def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> session = requests.Session()
    >>> session.auth = SessionAuth(login, "https://api.example.com")
    """

    _kinds = _KINDS

    def _begin(
        self,
        login: Callable[[Context], object],
        policy: Policy,
        http: requests.Session | None = None,
    ) -> None:
        if inspect.iscoroutinefunction(getattr(policy.store, "get", None)):
            raise TypeError("SessionAuth: an asynchronous store needs an asynchronous client")
        super()._begin(login, policy, http)
        # By origin, the route of its last 401, for a login that no response has asked for.
        self._routes: dict[str, Route] = {}
        self._adapter: object = None
        self._uploads = threading.local()

    def __call__(self, prepared: PreparedRequest, *_: object) -> PreparedRequest:
        """Sign a request that is being prepared, and register a hook for its response."""
        if not isinstance(prepared, PreparedRequest):
            raise mixed_up("requests", prepared)
        url = prepared.url or ""
        if inside(self._cache):
            own = ending(self._cache, url)
            return prepared if own is None else sign_within(prepared, own)
        origin = sent_to(url)
        credential = self._cache.for_request(origin, url)
        precious = False
        if prepared.body is not None:
            watch(prepared)
            precious = is_precious(prepared.headers, partial(rewind, prepared))
        if not self._cache.ready(origin, credential, precious=precious):
            credential = self._prepared(prepared, credential, origin, precious=precious)
        if prepared.body and credential is not None:
            credential = self._after_an_error(prepared, credential, origin)
        if credential is not None:
            credential = self._sign(prepared, credential)
        hook = Hook(self, credential, prepared.url, origin)
        if prepared.body and credential is not None:
            hook.upload = self._uploads.last = Upload(credential, self._cache.clock())
        if self._policy.logout is not None:
            self._cache.logouts.carries(hook, credential)
        prepared.hooks["response"].append(hook)  # `register_hook` first looks what a hook is
        return prepared

    def _prepared(
        self,
        prepared: PreparedRequest,
        credential: Credential | None,
        origin: str,
        *,
        precious: bool,
    ) -> Credential | None:
        """Do what is to be done before a request: ask the store, renew ahead, or log in."""
        method, url = prepared.method or "", prepared.url or ""
        flow = renewal.ahead.before(self._cache, credential, origin, method, url, precious=precious)
        try:
            return drive(flow, partial(self._stand_by_or_log_in, origin=origin))
        except errors.ReloginError as failure:
            raise raisable(failure, _KINDS, None, prepared) from failure.__cause__

    def _sign(self, prepared: PreparedRequest, credential: Credential) -> Credential | None:
        try:
            return sign_prepared(prepared, credential)
        except errors.BodyNotReplayable as failure:
            raise raisable(failure, _KINDS, None) from None

    def _after_an_error(
        self, prepared: PreparedRequest, credential: Credential, origin: str
    ) -> Credential:
        """Check the session if this thread's last upload with it got no response.

        That upload may have failed because the session died. An auth sees no exceptions, unless
        `UploadAdapter` is mounted.
        """
        last = getattr(self._uploads, "last", None)
        if last is None or last.answered or last.credential.generation != credential.generation:
            return credential
        asking = in_place_of_a_response(prepared, None)
        url, method = prepared.url or "", prepared.method or ""
        info = ResponseInfo(asking, 0, method, url, origin, credential)
        flow = renewal.unanswered.check(self._cache, info, credential, last.began)
        renewed = drive(flow, partial(self._stand_by_or_log_in, origin=origin))
        return renewed if isinstance(renewed, Credential) else credential

    def _stand_by_or_log_in(self, command: Command, origin: str) -> object:
        if isinstance(command, Login | LogOut):
            return self._log_in_or_out(command, origin)
        if isinstance(command, Check):
            with logging_in(self._cache):
                return ask(self._cache, self._route(command), command, self._signal)
        return stand_by(self._cache, command)

    def _log_in_or_out(self, command: Login | LogOut, origin: str) -> object:
        """Call the login or the logout, and close the session that was opened for it, if any."""
        opened: list[requests.Session] = []
        try:
            if isinstance(command, LogOut):
                origin = command.credential.key.origin
                return self._log_out(command, partial(self._open_http, opened, origin, self))
            open_http = partial(self._open_http, opened, origin)
            return _call()(self._cache, self.login, command.context, open_http, self._http)
        finally:
            for session in opened:
                session.close()

    def _route(self, command: Check) -> Route:
        """Find a route for a small request: that of the upload, or else a new one."""
        origin = sent_to(command.url)
        known = self._known_route(origin)
        if known is not None:
            return known
        http, url = self._open_http([], origin), command.url
        sending = _login_session().settings_for_check(http, command)
        return Route(http.get_adapter(url), url, sending, self._cache.process)

    def _known_route(self, origin: str) -> Route | None:
        route = self._routes.get(origin)
        return route if route is not None and route.process == os.getpid() else None

    def _do_here(self, command: Command) -> object:
        return self._stand_by_or_log_in(command, "")

    def _open_http(
        self, opened: list[requests.Session], origin: str, auth: SessionAuth | None = None
    ) -> requests.Session:
        if self._http is not None:
            return self._http
        timeout = self._cache.policy.login_timeout
        http: requests.Session = _login_session().LoginSession(self._known_route(origin), timeout)
        http.auth = auth
        opened.append(http)
        return http

    def _handle(self, hook: Hook, response: Response, sending: dict[str, Any]) -> Response:
        """Handle a response; then log out replaced sessions that no request uses any more."""
        logouts = self._cache.logouts
        try:
            response = self._answered(hook, response, sending)
        finally:
            logouts.answered(hook)
        if logouts.waiting and not inside(self._cache):
            drive(renewal.log_out.log_out_replaced(self._cache), self._do_here)
        return response

    def _is_plain(self, credential: Credential | None, response: Response) -> bool:
        """Tell whether a response at most says that its session lives; if so, remember that."""
        status = response.status_code
        if (
            status >= _SERVER_ERRORS
            or status in _REFUSALS
            or self._policy.reads_all
            or tells_more(response.headers)
        ):
            return False
        if credential is not None:
            # A mock may give cookies without a field that sets them.
            if credential.signer is not None or (credential.cookies and len(response.cookies)):
                return False
            lives(self._cache, credential, response.request)
        return True

    def _answered(self, hook: Hook, response: Response, sending: dict[str, Any]) -> Response:
        """Handle a response, and update the grant from the final one."""
        straight = (
            hook.upload is None
            and not hook.signed_again
            and response.request.url == hook.url
            and getattr(response, "connection", None) is self._adapter
        )
        if straight and self._is_plain(hook.credential, response):
            return response
        adapter = self._adapter_of(hook, response)
        credential, signal, lost = hook.credential, None, False
        if hook.signed_again:
            credential = hook.sent_with(response)
        if hook.upload is not None:
            hook.upload.answered = True
            lost = response.status_code in UNANSWERED
        if self._policy.has_signals:
            signal = self._signal(response, sending)
        if (
            (response.status_code == UNAUTHORIZED or signal or lost or self._causes_event(response))
            and adapter is not None
            and not inside(self._cache)
        ):
            exchange = Exchange(self, hook, credential, response, sending, signal)
            if lost:
                response = exchange.answered_after_all()
            dead = response.status_code == UNAUTHORIZED or exchange.signal
            if dead or not lost or self._causes_event(response):
                response = exchange.answered()
            credential, signal = exchange.credential, exchange.signal
        if credential is not None:
            self._learn(hook, credential, response, sending, dead=signal is not None)
        return response

    def _adapter_of(self, hook: Hook, response: Response) -> Any:
        """Return the adapter a response names; warn if it names none or one that retries."""
        adapter = getattr(response, "connection", None)
        if adapter is not self._adapter:
            warn_of_retries(adapter)
            self._adapter = adapter
        if adapter is None and hook.origin_of(response.request) in self._policy.origins:
            warn_of_no_connection(self._cache, response)
        return adapter

    def _learn(
        self,
        hook: Hook,
        credential: Credential,
        response: Response,
        sending: dict[str, Any],
        *,
        dead: bool,
    ) -> None:
        origin = hook.origin_of(response.request)
        if origin == credential.key.origin and self._is_plain(credential, response):
            return
        try:
            learn(self._cache, credential, response, origin, dead=dead)
        except errors.LoginUnavailable as failure:
            drain(response)  # nobody else does: you get it in the exception only
            raise raisable(failure, _KINDS, response) from None
        if response.status_code == OK and is_event_stream(found(response.headers, "content-type")):
            self._watch_stream(credential, response, origin, sending)
        if self._policy.fresh == "always":
            drive(renewal.shared.share(self._cache, credential), partial(stand_by, self._cache))
        if response.is_redirect:  # the next request carries the latest values
            hook.credential = self._cache.current(credential)

    def _watch_stream(
        self, credential: Credential, response: Response, origin: str, sending: dict[str, Any]
    ) -> None:
        url, adapter = response.request.url or "", getattr(response, "connection", None)

        def do(command: Command) -> object:
            # A stream may wait forever, a small request may not.
            if adapter is not None:
                asking = {**sending, "timeout": None}
                self._routes[origin] = Route(adapter, url, asking, self._cache.process)
            return self._stand_by_or_log_in(command, origin)

        if origin == credential.key.origin:
            watch_stream(self._cache, credential, response, do)

    def _causes_event(self, response: Response) -> bool:
        """Tell whether a challenge that is not in a 401 causes an event."""
        return has(response.headers, CHALLENGE) and client.events.heard(self._cache.policy.listener)

    def _signal(self, response: Response, sending: dict[str, Any]) -> client.signals.Error | None:
        signals = self._policy.signals_for(response.status_code)
        if not signals or sent_to(response.request.url) not in self._policy.origins:
            return None
        info = Answer(response.status_code, response.headers, response.url, reading=True)
        lookahead = Lookahead(response, streamed=bool(sending.get("stream")))
        return client.signals.signalled(signals, info, lookahead.more)
