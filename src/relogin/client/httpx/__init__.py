"""Renewal for httpx: `httpx.Client(auth=SessionAuth(login, …))`, and the same for `AsyncClient`.

This drives `relogin.client.renewal.flow`, in threads and in tasks of asyncio and trio: it sends,
waits and logs in as the flow says, and decides nothing. Needs the extra ``relogin[httpx]``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from functools import cache, partial
from ssl import SSLContext
from typing import Any, NoReturn, TypeVar

try:
    import anyio
    import httpx
except ImportError as missing:
    raise ImportError(
        "relogin.client.httpx needs httpx: pip install 'relogin[httpx]'", name=missing.name
    ) from missing

from relogin import errors
from relogin.client.driver.drive import stand_by
from relogin.client.driver.failures import by_base
from relogin.client.driver.principal import Principal
from relogin.client.driver.reentry import inside, logging_in
from relogin.client.httpx import tasks
from relogin.client.httpx.body import drain, drain_async
from relogin.client.httpx.exchange import Begin, Drain, Exchange, Look, Meanwhile
from relogin.client.httpx.lookahead import free, free_async, look, look_async
from relogin.client.renewal.flow import Login
from relogin.client.renewal.shared import forget
from relogin.client.terms.grant import Context

__all__ = [
    "BodyNotReplayable",
    "InvalidGrant",
    "LoginRefused",
    "LoginTimeout",
    "LoginUnavailable",
    "SessionAuth",
]


class LoginRefused(errors.LoginRefused, httpx.HTTPError):
    """The login was refused; `response` is the 401 that asked for it."""


class LoginUnavailable(errors.LoginUnavailable, httpx.HTTPError):
    """The login could not be done now; `response` is the 401 that asked for it."""


class InvalidGrant(errors.InvalidGrant, httpx.HTTPError):
    """The login returned what is no grant; `response` is the 401 that asked for it."""


class LoginTimeout(errors.LoginTimeout, httpx.TimeoutException):
    """The renewal took too long; `response` is the 401 that asked for it."""


class BodyNotReplayable(errors.BodyNotReplayable, httpx.HTTPError):
    """The session lives again, but the body is spent; `response` is the 401."""


_KINDS = by_base(LoginRefused, LoginUnavailable, InvalidGrant, LoginTimeout, BodyNotReplayable)

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)


class SessionAuth(Principal[httpx.Client | httpx.AsyncClient], httpx.Auth):
    """Renews a dead session for httpx, once for all threads and tasks, and sends the request again.

    One class for `httpx.Client` and for `httpx.AsyncClient` on asyncio and trio; one object may
    serve all of them at once. `login` is any callable, and may be a coroutine function where only
    asynchronous clients use it: it gets a `Context` and returns a `relogin.Grant`, a token, or
    `None` to decline. In an asynchronous client a login that cannot be awaited runs in a thread.
    `context.http` is an `httpx.AsyncClient` for what is awaited, and an `httpx.Client` for all
    else.

    `origins` names whose challenges it answers; a ready-made login brings its own. Give `realm`
    where several tenants share an origin. `signals` are other answers that mean a dead session
    (`relogin.client.signals`). One object is one principal: give it to as many clients as you like.

    `strict` raises `BodyNotReplayable` where a body cannot be sent twice, instead of returning
    the 401. `login_timeout`, in seconds, is what a login may take in an asynchronous client, and
    what its own requests may take in any; others take a renewal over after one and a half times
    that, and stop waiting after two and a half. `budget` is how many logins, and in how many
    seconds, are led before a 401 is returned as it is. `actions` says what an error code asks for,
    where that differs from SPEC.md. `on_event` is called with each `relogin.client.events.Event`.
    `insecure` allows origins that are not https.

    `store` lets several processes share one session: see `relogin.client.stores`. Whose it is, if
    they log in as several, `account` tells apart. With `fresh="always"` the store is asked before
    each request, for servers that give the cookie a new value with each answer.

    httpx shows an auth nothing of its client: where a login needs its proxies or certificates,
    give `http`, the client that `context.http` shall be. And httpx follows redirects and calls
    event hooks below its auth. So a hook that raises on a 401 keeps it from being answered, and a
    warning says so. A redirect within the origin sheds a session that is a cookie: a GET or HEAD
    that it led to is sent once more, with it. One from http to https of the same host takes a
    token along, though that is another origin.

    Raises `ValueError` for a bare callable without `origins`, and for an origin that is neither
    https nor loopback.

    >>> import httpx, relogin
    >>> async def login(context):
    ...     return relogin.Grant(token="…", expires_in=600)
    >>> client = httpx.AsyncClient(auth=SessionAuth(login, "https://api.example.com"))
    """

    def __call__(self, _: object) -> NoReturn:
        """Raise `TypeError`: so `requests` calls an auth, and httpx does not."""
        raise TypeError("this SessionAuth is for httpx: see relogin.client.requests")

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request of an `httpx.Client`, with all that comes of it."""
        if inside(self._cache):
            yield request
            return
        exchange = Exchange(self._cache, _KINDS, request)
        steps = exchange.steps()
        try:
            step = next(steps)
            while True:
                try:
                    done = (yield step) if isinstance(step, httpx.Request) else self._do(step)
                except BaseException as error:  # noqa: BLE001 - the flow decides, and re-raises
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration:
            return
        except GeneratorExit:
            if not exchange.is_out:
                raise
        finally:
            steps.close()
        exchange.warn_of_hook(sys.exception())  # why httpx gave up; it tells a flow nothing

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send a request of an `httpx.AsyncClient`, with all that comes of it."""
        if inside(self._cache):
            yield request
            return
        exchange = Exchange(self._cache, _KINDS, request)
        steps = exchange.steps()
        try:
            step = next(steps)
            while True:
                try:
                    done = (
                        (yield step)
                        if isinstance(step, httpx.Request)
                        else await self._do_async(step)
                    )
                except BaseException as error:  # noqa: BLE001 - the flow decides, and re-raises
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration:
            return
        except GeneratorExit:
            if not exchange.is_out:  # this task itself is closed, in the midst of a login
                raise
        finally:
            steps.close()
        exchange.warn_of_hook(sys.exception())

    async def areset(self) -> None:
        """Do as `reset` does, with a store that is asynchronous or may block."""
        await tasks.drive(forget(self._cache), partial(tasks.stand_by, self._cache))
        self._cache.reset()

    # In a thread

    def _do(self, step: Meanwhile) -> object:
        if isinstance(step, Login):
            return self._log_in(step)
        if isinstance(step, Look):
            return look(self._cache.policy.signals, step.response)
        if isinstance(step, Drain):
            (drain if step.over else free)(step.response)
        elif isinstance(step, Begin):
            step.body.begin()
        else:
            return stand_by(self._cache, step)
        return None

    def _log_in(self, command: Login) -> object:
        with ExitStack() as opened, logging_in(self._cache):
            return self.login(replace(command.context, open_http=lambda: self._open_http(opened)))

    def _open_http(self, opened: ExitStack) -> httpx.Client:
        if self._http is None:
            client = _plain(httpx.Client, self._cache.policy.login_timeout)
            opened.callback(client.close)  # not entered: that is left to the login, and done once
            return client
        return _of_kind(httpx.Client, self._http)

    # In a task

    async def _do_async(self, step: Meanwhile) -> object:
        if isinstance(step, Login):
            return await self._log_in_async(step)
        if isinstance(step, Look):
            return await look_async(self._cache.policy.signals, step.response)
        if isinstance(step, Drain):
            await (drain_async if step.over else free_async)(step.response)
        elif isinstance(step, Begin):
            await step.body.begin()
        else:
            return await tasks.stand_by(self._cache, step)
        return None

    async def _log_in_async(self, command: Login) -> object:
        seconds = self._cache.policy.login_timeout
        with anyio.move_on_after(seconds):
            login = _awaitable(self.login, self._http)
            if login is None:
                return await tasks.elsewhere(self._log_in_elsewhere, command)
            async with AsyncExitStack() as opened:
                context = replace(command.context, open_http=lambda: self._open_http_async(opened))
                with logging_in(self._cache):
                    return await login(context)
        raise errors.LoginUnavailable(f"the login did not end within {seconds:g} s")

    def _log_in_elsewhere(self, command: Login) -> object:
        result = self._log_in(command)
        if inspect.iscoroutine(result):
            result.close()
            raise errors.InvalidGrant(
                "the login returned a coroutine and is no coroutine function: write `async def`"
            )
        return result

    def _open_http_async(self, opened: AsyncExitStack) -> httpx.AsyncClient:
        if self._http is None:
            client = _plain(httpx.AsyncClient, self._cache.policy.login_timeout)
            opened.push_async_callback(client.aclose)
            return client
        return _of_kind(httpx.AsyncClient, self._http)


def _awaitable(login: Any, http: object) -> Callable[[Context], Awaitable[object]] | None:
    """Find the form of a login that can be awaited, if it has one that goes with `http`."""
    if hasattr(login, "acall"):
        return None if isinstance(http, httpx.Client) else login.acall
    is_coroutine = inspect.iscoroutinefunction
    return login if is_coroutine(login) or is_coroutine(type(login).__call__) else None


@cache
def _certificates() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)  # takes some 20 ms, at each login otherwise


def _plain(kind: type[Client], timeout: float) -> Client:
    """Make a client without cookies, credentials, netrc, proxies and redirects."""
    return kind(trust_env=False, timeout=timeout, verify=_certificates())


def _of_kind(kind: type[Client], http: object) -> Client:
    if not isinstance(http, kind):
        raise TypeError(
            f"http= is of httpx.{type(http).__name__}; this login needs {kind.__name__}"
        )
    return http
