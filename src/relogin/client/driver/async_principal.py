"""What an asynchronous library's `SessionAuth` is made of: a login is awaited, or runs in a thread.

A library says how it opens a client for a login; here is what is done with it.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any, TypeVar

import anyio

from relogin import errors
from relogin.client.driver import tasks
from relogin.client.driver.principal import Principal
from relogin.client.driver.reentry import logging_in
from relogin.client.renewal.flow import Login
from relogin.client.renewal.shared import forget
from relogin.client.terms.grant import Context

__all__ = ["AsyncPrincipal", "of_kind"]

Http = TypeVar("Http")
Kind = TypeVar("Kind")


class AsyncPrincipal(Principal[Http]):
    """The login of one principal, as threads and tasks call it."""

    @abstractmethod
    def _open_http(self, opened: ExitStack, request: Any) -> Any:
        """Make `context.http` for a login that is called, and that `request` asked for."""

    @abstractmethod
    def _open_http_async(self, opened: AsyncExitStack, request: Any) -> Any:
        """Make `context.http` for a login that is awaited, and that `request` asked for."""

    @abstractmethod
    def _is_awaited(self, http: object) -> bool:
        """Tell whether the client that the user gave is one of those that are awaited."""

    async def areset(self) -> None:
        """Do as `reset` does, with a store that is asynchronous or may block."""
        await tasks.drive(forget(self._cache), partial(tasks.stand_by, self._cache))
        self._cache.reset()

    def _log_in(self, command: Login, request: object = None) -> object:
        with ExitStack() as opened, logging_in(self._cache):
            open_http = partial(self._open_http, opened, request)
            return self.login(command.context.with_http(open_http))

    async def _log_in_async(self, command: Login, request: object = None) -> object:
        seconds = self._cache.policy.login_timeout
        with anyio.move_on_after(seconds):
            login = self._awaitable()
            if login is None:
                return await tasks.elsewhere(self._log_in_elsewhere, command, request)
            async with AsyncExitStack() as opened:
                open_http = partial(self._open_http_async, opened, request)
                with logging_in(self._cache):
                    return await login(command.context.with_http(open_http))
        raise errors.LoginUnavailable(f"the login did not end within {seconds:g} s")

    def _awaitable(self) -> Callable[[Context], Awaitable[object]] | None:
        """Find the form of the login that can be awaited, if it has one that goes with `http=`."""
        login: Any = self.login
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
                "the login returned a coroutine and is no coroutine function: write `async def`"
            )
        return result


def of_kind(kind: type[Kind], http: object) -> Kind:
    """Return the client that `http=` gave; raise `TypeError` for one of another kind."""
    if not isinstance(http, kind):
        library, name = type(http).__module__.partition(".")[0], type(http).__name__
        raise TypeError(f"http= is of {library}.{name}; this login needs {kind.__name__}")
    return http
