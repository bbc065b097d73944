"""Renewal for requests: `session.auth = SessionAuth(login)`, and a dead session is renewed.

This drives `reauth.client.flow`: it sends, waits and logs in as the flow says, and decides nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from reauth import errors
from reauth.client.body import rewind, watch
from reauth.client.book import Book
from reauth.client.drain import drain
from reauth.client.drive import drive
from reauth.client.events import Listener
from reauth.client.flow import Command, Login, Replay, Wait, answer, renew_ahead
from reauth.client.grant import Context
from reauth.client.origins import sent_to, trusted
from reauth.client.outcomes import mark
from reauth.client.policy import SESSION, UNAUTHORIZED, Action, Held, Policy, Responder, Seen
from reauth.client.reentry import inside, logging_in
from reauth.client.route import LoginSession, Route
from reauth.client.signing import carries_cookies, keep_record, learn, sent_with, sign, sign_again

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "SessionAuth",
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


_KINDS: Mapping[type[errors.ReauthError], type[errors.ReauthError]] = {
    kind.__mro__[1]: kind
    for kind in (LoginRefused, LoginUnavailable, InvalidGrant, LoginTimeout, BodyNotReplayable)
}


class SessionAuth(AuthBase):
    """Renews a dead session for requests, once for all threads, and sends the request again.

    `login` is any callable: it gets a `Context` and returns a `reauth.Grant`, a token, or `None`
    to decline. `origins` names whose challenges it answers; a ready-made login brings its own.
    Give `realm` where several tenants share an origin. One object is one principal: attach it to
    as many sessions as you like.

    `strict` raises `BodyNotReplayable` where a body cannot be sent twice, instead of returning
    the 401. `login_timeout`, in seconds, is what a login's own requests may take; others take a
    renewal over after one and a half times that, and stop waiting after twice that. `budget` is
    how many logins, and in how many seconds, are led before a 401 is returned as it is.
    `actions` says what an error code asks for, where that differs from SPEC.md. `on_event` is
    called with each `reauth.client.events.Event`. `http` is the session that `context.http`
    shall be. `insecure` allows origins that are not https.

    Raises `ValueError` for a bare callable without `origins`, and for an origin that is neither
    https nor loopback.

    >>> import requests, reauth
    >>> def login(context):
    ...     return reauth.Grant(token="…", expires_in=600)
    >>> session = requests.Session()
    >>> session.auth = SessionAuth(login, "https://api.example.com")
    """

    def __init__(
        self,
        login: Callable[[Context], object],
        origins: str | Iterable[str] | None = None,
        *,
        realm: str | None = None,
        http: requests.Session | None = None,
        responders: Iterable[Responder] = (SESSION,),
        actions: Mapping[str | None, Action] | None = None,
        strict: bool = False,
        insecure: bool = False,
        replay_any_method: bool = False,
        login_timeout: float = 20.0,
        budget: tuple[int, float] = (10, 30.0),
        on_event: Listener | None = None,
    ) -> None:
        policy = Policy(
            origins=trusted(login, origins, insecure=insecure),
            realm=realm,
            responders=tuple(responders),
            actions=dict(actions or {}),
            steps_up=bool(getattr(login, "steps_up", False)),
            replay_any_method=replay_any_method,
            strict=strict,
            listener=on_event,
            login_timeout=login_timeout,
            budget=budget[0],
            budget_window=budget[1],
        )
        self._begin(login, policy, http)

    def _begin(
        self,
        login: Callable[[Context], object],
        policy: Policy,
        http: requests.Session | None = None,
    ) -> None:
        self.login = login
        self._http = http
        self._book = Book(policy)
        # By origin, what its last 401 came through: a login ahead of time has no response to ask.
        self._routes: dict[str, Route] = {}

    def reset(self) -> None:
        """Forget the session and every refused login: the next challenge is answered anew."""
        self._book.reset()

    def __call__(self, prepared: PreparedRequest) -> PreparedRequest:
        """Sign a request that is being prepared, and see to its response."""
        if inside(self._book):
            return prepared
        url = prepared.url or ""
        held = self._book.for_request(sent_to(url), url)
        if held is not None:
            held = self._renewed_ahead(held, prepared)
            sign(prepared, held)
        watch(prepared)
        prepared.register_hook("response", _Hook(self, held))
        return prepared

    def _renewed_ahead(self, held: Held, prepared: PreparedRequest) -> Held:
        if held.renew_at is None or self._book.clock() < held.renew_at:
            return held
        flow = renew_ahead(self._book, held, prepared.method or "", prepared.url or "")
        return drive(flow, lambda command: self._wait_or_log_in(command, held.key.origin))

    def _wait_or_log_in(self, command: Command, origin: str) -> object:
        if isinstance(command, Login):
            context = replace(command.context, open_http=lambda: self._open_http(origin))
            with logging_in(self._book, command.flight):
                return self.login(context)
        if isinstance(command, Wait):
            self._wait(command)
        return None

    def _wait(self, command: Wait) -> None:
        ended = threading.Event()
        if self._book.watch(command.flight, ended.set):
            try:
                ended.wait(command.seconds)
            finally:
                self._book.unwatch(command.flight, ended.set)

    def _open_http(self, origin: str) -> requests.Session:
        return self._http or LoginSession(self._routes.get(origin), self._book.policy.login_timeout)

    def _see_to(self, hook: _Hook, response: Response, sending: dict[str, Any]) -> Response:
        """Do what a response asks for, and learn from the one that becomes the answer."""
        if response.status_code == UNAUTHORIZED and not inside(self._book):
            response = _Exchange(self, hook, response, sending).answered()
        if hook.held is not None:
            learn(self._book, hook.held, response)
        return response

    def __reduce__(self) -> tuple[Any, ...]:
        # No session and no refusal travels: whoever loads this logs in for itself.
        return _with_policy, (type(self), self.login, self._book.policy)


def _with_policy(
    cls: type[SessionAuth], login: Callable[[Context], object], policy: Policy
) -> SessionAuth:
    auth = cls.__new__(cls)
    auth._begin(login, policy)
    return auth


class _Hook:
    """The response hook of one request, with the grant it was last signed with.

    requests copies it along redirects and into copies of the request, and pickles it with every
    response; a pickled one does nothing.
    """

    __slots__ = ("auth", "held")

    def __init__(self, auth: SessionAuth, held: Held | None) -> None:
        self.auth = auth
        self.held = held

    def __call__(self, response: Response, **sending: Any) -> Response:
        return self.auth._see_to(self, response, sending)

    def __reduce__(self) -> tuple[Any, ...]:
        return _idle, ()


def _idle() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(response: Response, **sending: Any) -> None:
    """Stand where a hook was before its request was pickled."""


class _Exchange:
    """One refused response, from its arrival to the answer that replaces it."""

    def __init__(
        self, auth: SessionAuth, hook: _Hook, response: Response, sending: dict[str, Any]
    ) -> None:
        self.auth = auth
        self.hook = hook
        self.response = response
        self.sending = sending
        self.origin = sent_to(response.request.url)

    def answered(self) -> Response:
        """Run the flow; return its response, or raise its failure in requests' own kind."""
        adapter = getattr(self.response, "connection", None)
        if adapter is None:  # an adapter that does not say who it is cannot be asked again
            return self.response
        started, first = time.monotonic(), self.response
        if self.origin in self.auth._book.policy.origins:
            self.auth._routes[self.origin] = Route(adapter, first.request.url or "", self.sending)
        final = drive(answer(self.auth._book, self._seen()), self._do)
        response: Response = final.seen.response
        if response is not first:
            response.elapsed = first.elapsed + timedelta(seconds=time.monotonic() - started)
        mark(response, final.outcome)
        if final.failure is not None:
            raise _raisable(final.failure, response) from final.failure.__cause__
        return response

    def _do(self, command: Command) -> object:
        drain(self.response)  # its connection may be the only one that a login could use
        if isinstance(command, Replay):
            self._replay(command.held)
            return self._seen()
        return self.auth._wait_or_log_in(command, self.origin)

    def _replay(self, held: Held) -> None:
        refused, prepared = self.response, self.response.request
        rewind(prepared)
        keep_record(refused)
        sign_again(prepared, refused, self.hook.held, held)
        self.hook.held = held
        try:
            self.response = refused.connection.send(prepared, **self.sending)
        except errors.BodyNotReplayable as error:
            raise _raisable(error, refused) from None
        self.response.history = [*refused.history, refused]
        self.response.request = prepared

    def _seen(self) -> Seen:
        response, request = self.response, self.response.request
        return Seen(
            response=response,
            status=response.status_code,
            method=(request.method or "").upper(),
            url=request.url or "",
            origin=self.origin,
            sent_with=sent_with(self.auth._book, self.hook.held, request),
            challenges=_challenge_lines(response),
            carried="Authorization" in request.headers or carries_cookies(self.hook.held, request),
            once=not getattr(getattr(response.raw, "retries", None), "history", ()),
            replayable=response.status_code != UNAUTHORIZED or rewind(request),
        )


def _challenge_lines(response: Response) -> list[str]:
    """Return the field lines apart: one that is malformed must not hide the others."""
    lines = getattr(getattr(response.raw, "headers", None), "getlist", None)
    if lines is not None:
        return list(lines("WWW-Authenticate"))
    joined = response.headers.get("WWW-Authenticate")
    return [] if joined is None else [joined]


def _raisable(failure: errors.ReauthError, response: Response) -> errors.ReauthError:
    """Build the failure anew as requests' own kind, with the response that led to it."""
    error = _KINDS[type(failure)](*failure.args)
    error.__dict__.update(failure.__dict__)
    error.response = response
    return error
