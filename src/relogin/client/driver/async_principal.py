"""The base of an asynchronous library's `SessionAuth`: a login is awaited, or runs in a thread.

A derived class opens the client for a login; this class calls the login with it.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any, Self, TypeVar

from relogin import errors
from relogin.client import driver, renewal
from relogin.client.driver.principal import Principal
from relogin.client.driver.reentry import logging_in
from relogin.client.renewal.commands import Login, LogOut
from relogin.client.terms.grant import Context

__all__ = ["AsyncPrincipal", "of_kind"]

Http = TypeVar("Http")
Kind = TypeVar("Kind")


class AsyncPrincipal(Principal[Http]):
    """The login of one principal, as threads and tasks call it."""

    @abstractmethod
    def _open_http(self, opened: ExitStack, request: Any, auth: Any = None) -> Any:
        """Make `context.http` for a login that is called because of `request`."""

    @abstractmethod
    def _open_http_async(self, opened: AsyncExitStack, request: Any, auth: Any = None) -> Any:
        """Make `context.http` for a login that is awaited because of `request`."""

    @abstractmethod
    def _is_awaited(self, http: object) -> bool:
        """Tell whether the client that the user passed is asynchronous."""

    async def areset(self) -> None:
        """Do the same as `reset`, without blocking the event loop."""
        await driver.tasks.drive(
            renewal.shared.forget(self._cache), partial(driver.tasks.stand_by, self._cache)
        )
        self._cache.reset()

    async def alogout(self) -> None:
        """Do the same as `logout`, without blocking the event loop."""
        self._check_logout()
        await driver.tasks.drive(renewal.log_out.log_out(self._cache), self._do_in_task)

    async def __aenter__(self) -> Self:
        self._check_logout()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._policy.store is None:
            import anyio

            # A cancelled block logs out too.
            with anyio.CancelScope(shield=True):
                await self.alogout()

    @abstractmethod
    async def _do_in_task(self, command: Any) -> object:
        """Run a command in this task that no request has caused."""

    def _log_out_here(self, command: LogOut, request: object = None) -> object:
        with ExitStack() as opened:
            return self._log_out(command, partial(self._open_http, opened, request, self))

    async def _log_out_async(self, command: LogOut, request: object = None) -> object:
        import anyio

        seconds = self._cache.policy.login_timeout
        with anyio.move_on_after(seconds):
            logout = self._awaitable(self._policy.logout)
            if logout is None:
                return await driver.tasks.elsewhere(self._log_out_here, command, request)
            async with AsyncExitStack() as opened:
                open_http = partial(self._open_http_async, opened, request, self)
                with logging_in(self._cache, command.credential):
                    return await logout(self._leaving(command, open_http))
        raise errors.LoginUnavailable(f"the logout did not end within {seconds:g} s")

    def _log_in(self, command: Login, request: object = None) -> object:
        opened: list[ExitStack] = []  # many logins open none

        def open_http() -> Any:
            opened.append(ExitStack())
            return self._open_http(opened[-1], request)

        try:
            return driver.login_call.call(
                self._cache, self.login, command.context, open_http, self._http
            )
        finally:
            for each in opened:
                each.close()

    async def _log_in_async(self, command: Login, request: object = None) -> object:
        import anyio

        seconds = self._cache.policy.login_timeout
        with anyio.move_on_after(seconds):
            login = self._awaitable(self.login)
            if login is None:
                command.context.progress.unknown()  # a thread goes on if its task is cancelled
                return await driver.tasks.elsewhere(self._log_in_elsewhere, command, request)
            async with AsyncExitStack() as opened:
                open_http = partial(self._open_http_async, opened, request)
                return await driver.login_call.call_async(
                    self._cache, login, command.context, open_http, self._http
                )
        unfinished = errors.LoginUnavailable(f"the login did not end within {seconds:g} s")
        unfinished.refresh_spent = True  # the server may still use up the token
        raise unfinished

    def _awaitable(self, login: Any) -> Callable[[Context], Awaitable[object]] | None:
        """Find the coroutine function of a login, if it has one that fits `http=`."""
        if hasattr(login, "acall"):
            fits = self._http is None or self._is_awaited(self._http)
            return login.acall if fits else None
        is_coroutine = inspect.iscoroutinefunction
        return login if is_coroutine(login) or is_coroutine(type(login).__call__) else None

    def _log_in_elsewhere(self, command: Login, request: object) -> object:
        result = self._log_in(command, request)
        if inspect.iscoroutine(result):
            result.close()
            raise errors.InvalidGrant(
                "the login returned a coroutine but is not a coroutine function: write it with "
                "`async def`"
            )
        return result


def of_kind(kind: type[Kind], http: object) -> Kind:
    """Return the client of `http=`; raise `TypeError` if it is of another kind."""
    if not isinstance(http, kind):
        library, name = type(http).__module__.partition(".")[0], type(http).__name__
        raise TypeError(f"http= is of {library}.{name}; this login needs {kind.__name__}")
    return http
