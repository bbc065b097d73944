"""Renewal for aiohttp: `aiohttp.ClientSession(middlewares=[SessionAuth(login, …)])`.

`relogin.client.renewal.flow` decides what to do; this module is a client middleware that sends,
waits and logs in. Needs the extra ``relogin[aiohttp]``.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any

try:
    import aiohttp
    import anyio as _anyio  # noqa: F401 - tasks of several loops wait with it
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.client.aiohttp needs aiohttp: pip install 'relogin[aiohttp]'", name=_missing.name
    ) from _missing

from relogin import client, errors
from relogin.client.aiohttp.exchange import Exchange, Handler, put
from relogin.client.aiohttp.login_session import (
    once_more,
    proxied_by_environment,
    reuse,
    verified_as,
)
from relogin.client.aiohttp.streams import watch as watch_stream
from relogin.client.aiohttp.unanswered import NEVER_SENT, UNANSWERED, ask
from relogin.client.driver import tasks
from relogin.client.driver.async_principal import AsyncPrincipal, of_kind
from relogin.client.driver.drive import stand_by
from relogin.client.driver.failures import by_base, raisable
from relogin.client.driver.reentry import ending, inside, logging_in
from relogin.client.logins.sending.request import SENT_ONCE
from relogin.client.renewal.ahead import before
from relogin.client.renewal.commands import Check, Command, Login, LogOut, Replay
from relogin.client.renewal.flow import answer
from relogin.client.renewal.log_out import log_out_replaced
from relogin.client.renewal.policy import OK, Credential, ResponseInfo
from relogin.client.renewal.shared import share
from relogin.client.renewal.streams import stream_ended
from relogin.client.renewal.unanswered import unanswered
from relogin.client.terms.fields import is_event_stream
from relogin.client.terms.libraries import mixed_up
from relogin.client.terms.origins import sent_to
from relogin.client.terms.outcomes import Outcome, mark

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "MethodNotReplayable",
    "SessionAuth",
]


class LoginRefused(errors.LoginRefused, aiohttp.ClientError):
    """The login was refused; `response` is the 401 that asked for it, if any."""


class LoginUnavailable(errors.LoginUnavailable, aiohttp.ClientError):
    """The login could not be done now; `response` is the 401 that asked for it, if any."""


class InvalidGrant(errors.InvalidGrant, aiohttp.ClientError):
    """The login returned no valid grant; `response` is the 401 that asked for it, if any."""


class LoginTimeout(errors.LoginTimeout, aiohttp.ServerTimeoutError):
    """The renewal took too long; `response` is the 401 that asked for it, if any."""


class BodyNotReplayable(errors.BodyNotReplayable, aiohttp.ClientError):
    """The session was renewed, but the body cannot be sent again; `response` is the 401."""


class MethodNotReplayable(errors.MethodNotReplayable, aiohttp.ClientError):
    """The session was renewed, but the method is not sent twice; `response` is the refusal."""


_KINDS = by_base(
    LoginRefused,
    LoginUnavailable,
    InvalidGrant,
    LoginTimeout,
    BodyNotReplayable,
    MethodNotReplayable,
)


class _Closed(BaseException):
    """The client was closed during its login for all: an interrupt, not a failed login."""


class SessionAuth(AsyncPrincipal[Any]):
    """Logs in again when a session dies, once for all tasks, and sends the request again.

    It is a client middleware. One object is for one account; use it in as many sessions, event
    loops and threads as you like. If your login is a coroutine function, it gets an
    `aiohttp.ClientSession` as `context.http`. Any other login runs in a thread and gets a
    `requests.Session`.

    Some things differ from the other libraries. The total timeout of aiohttp includes the login.
    `history` does not show the 401: use `relogin.client.outcome`. aiohttp runs middlewares for each
    redirect, so the token follows redirects within its server, and a 401 after a redirect causes a
    login too. aiohttp closes a file that you pass when the request is over.

    >>> import aiohttp, relogin
    >>> async def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> auth = SessionAuth(login, "https://api.example.com")
    >>> async def main():
    ...     async with aiohttp.ClientSession(middlewares=[auth]) as session:
    ...         ...
    """

    def __call__(
        self, request: aiohttp.ClientRequest, handler: Handler | None = None
    ) -> Awaitable[aiohttp.ClientResponse]:
        """Send a request; log in and send it again if its session is dead."""
        if handler is None or not isinstance(request, aiohttp.ClientRequest):
            raise mixed_up("aiohttp", request)
        return self._sent(request, handler)

    async def _sent(
        self, request: aiohttp.ClientRequest, handler: Handler
    ) -> aiohttp.ClientResponse:
        if inside(self._cache):
            own = ending(self._cache, str(request.url))
            if own is not None and SENT_ONCE.get() is None:  # a ready-made logout signs by itself
                put(request, own)
            return await handler(request)
        logouts = self._cache.logouts
        exchange = Exchange(self._cache, _KINDS, request, handler)
        try:
            await self._handle(exchange, request)
        except _Closed as closed:
            raise aiohttp.ClientConnectionError("Session is closed") from closed.__cause__
        finally:
            logouts.answered(exchange)
        if logouts.waiting:
            await tasks.drive(log_out_replaced(self._cache), self._do_in_task)
        return exchange.response

    async def _handle(self, exchange: Exchange, request: aiohttp.ClientRequest) -> None:
        try:
            await exchange.send(await self._credential(request, precious=exchange.is_precious))
        except UNANSWERED as error:
            if isinstance(error, NEVER_SENT) or not exchange.is_upload:
                raise
            failed: Exception | None = error
        else:
            failed = None
        try:
            if failed is not None or exchange.is_lost:
                await self._answer_after_all(exchange, failed)
        finally:
            del failed  # its traceback holds this frame
        if exchange.is_dead or self._is_news(exchange.response):
            await self._answer(exchange)
        self._watch_stream(exchange)
        if exchange.credential is not None and self._cache.policy.fresh == "always":
            flow = share(self._cache, exchange.credential)
            await tasks.drive(flow, partial(tasks.stand_by, self._cache))

    def _watch_stream(self, exchange: Exchange) -> None:
        """Watch the response if it is an event stream of a session, opened by a GET."""
        response, credential = exchange.response, exchange.credential
        if credential is None or response.status != OK or exchange.request.method != "GET":
            return
        if is_event_stream(response.headers.get("Content-Type")):
            watch_stream(response, partial(self._after_stream, exchange, response))

    async def _after_stream(self, exchange: Exchange, response: aiohttp.ClientResponse) -> None:
        flow = stream_ended(self._cache, exchange.info(), self._cache.clock())
        final = await tasks.drive(flow, partial(self._stand_by_or_log_in, exchange.request))
        if final.outcome is Outcome.STREAM_ENDED:
            mark(response, final.outcome)

    async def _credential(
        self, request: aiohttp.ClientRequest, *, precious: bool
    ) -> Credential | None:
        """Return the credential to sign a request with; renew it if it is about to end."""
        url = str(request.url)
        origin = sent_to(url)
        credential = self._cache.for_request(origin, url)
        if self._cache.ready(origin, credential, precious=precious):
            return credential
        flow = before(self._cache, credential, origin, request.method, url, precious=precious)
        try:
            return await tasks.drive(flow, partial(self._stand_by_or_log_in, request))
        except errors.ReloginError as failure:
            raise raisable(failure, _KINDS, None, request) from failure.__cause__

    def _is_news(self, response: aiohttp.ClientResponse) -> bool:
        # With any other status, a challenge only causes an event.
        return "WWW-Authenticate" in response.headers and client.events.heard(
            self._cache.policy.listener
        )

    async def _answer_after_all(self, exchange: Exchange, failed: Exception | None) -> None:
        """Find out why an upload got no response; raise its error if it cannot be repeated."""
        info = exchange.info() if failed is None else exchange.info_of_none(failed)
        flow = unanswered(self._cache, info, exchange.began)
        final = await tasks.drive(flow, partial(self._do, exchange))
        mark(final.info.response, final.outcome)
        if final.info.status == 0:
            raise final.info.response

    async def _answer(self, exchange: Exchange) -> None:
        """Handle a response; raise a failure as an aiohttp exception."""
        flow = answer(self._cache, exchange.info())
        final = await tasks.drive(flow, partial(self._do, exchange))
        mark(exchange.response, final.outcome, final.detail)
        if final.failure is not None:
            await exchange.free_connection()  # nobody else does: you get it in the exception only
            raise raisable(final.failure, _KINDS, exchange.response) from final.failure.__cause__

    async def _do(self, exchange: Exchange, command: Command) -> object:
        await exchange.free_connection()
        if isinstance(command, Replay):
            return await exchange.send_again(command.credential)
        return await self._stand_by_or_log_in(exchange.request, command)

    async def _stand_by_or_log_in(self, request: aiohttp.ClientRequest, command: Any) -> object:
        if isinstance(command, Login):
            return await self._lead(command, request)
        if isinstance(command, Check):
            return await self._ask(request, command)
        return await tasks.stand_by(self._cache, command)

    async def _lead(self, command: Login, request: aiohttp.ClientRequest) -> object:
        try:
            return await self._log_in_async(command, request)
        except Exception as error:  # a login is the user's code, and may raise anything
            if not request.session.closed:
                raise
            raise _Closed from error  # the login used its connections: another request leads now

    async def _ask(self, request: aiohttp.ClientRequest, command: Check) -> ResponseInfo:
        async with AsyncExitStack() as opened:
            http = self._http
            if not isinstance(http, aiohttp.ClientSession):
                http = self._own(opened, request)
            with logging_in(self._cache):
                return await ask(self._cache, http, request, command)

    def _do_here(self, command: Any) -> object:
        if isinstance(command, LogOut):
            return self._log_out_here(command)
        return stand_by(self._cache, command)

    async def _do_in_task(self, command: Any) -> object:
        if isinstance(command, LogOut):
            return await self._log_out_async(command)
        return await tasks.stand_by(self._cache, command)

    # What a login gets

    def _is_awaited(self, http: object) -> bool:
        return isinstance(http, aiohttp.ClientSession)

    def _open_http(self, opened: ExitStack, *_: object) -> Any:
        from relogin.client.driver.plain_session import PlainSession, Session

        if self._http is not None:
            return of_kind(Session, self._http)
        return opened.enter_context(PlainSession(self._cache.policy.login_timeout))

    def _open_http_async(
        self, opened: AsyncExitStack, request: aiohttp.ClientRequest | None, auth: Any = None
    ) -> Any:
        if self._http is not None:
            return of_kind(aiohttp.ClientSession, self._http)
        return self._own(opened, request, auth)

    def _own(
        self, opened: AsyncExitStack, request: aiohttp.ClientRequest | None, auth: Any = None
    ) -> aiohttp.ClientSession:
        middlewares = (once_more,) if auth is None else (auth, once_more)
        if request is not None:
            middlewares = (*middlewares, verified_as(request))
            if request.session.trust_env:
                middlewares = (*middlewares, proxied_by_environment(request))
        http = aiohttp.ClientSession(
            # By default aiohttp accepts no cookies from an IP address.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=self._cache.policy.login_timeout),
            middlewares=middlewares,
            trace_configs=[reuse()],
            **({} if request is None else _way_of(request)),
        )
        opened.push_async_callback(http.close)
        return http


def _way_of(request: aiohttp.ClientRequest) -> dict[str, Any]:
    """Return the options with which another request takes the same route."""
    return {
        "connector": request.session.connector,
        "connector_owner": False,
        "proxy": request.proxy,
        "proxy_auth": request.proxy_auth,
    }
