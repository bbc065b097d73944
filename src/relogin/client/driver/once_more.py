"""Calling a login, and calling it again if its connection was closed already.

After a server has refused an upload early, it may close kept connections: those of the login's own
client, and those of a proxy behind it, which then answers 502. A ready-made login repeats its
requests by itself, because it knows which secrets can be sent twice. A login of the user that gets
a refresh token is called once, and its own client sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from relogin.client.logins.kept import Kept, is_bad_gateway, is_broken, kept_by, leave_broken
from relogin.client.logins.request import SPENDS
from relogin.client.terms.grant import Context
from relogin.client.terms.progress import PROGRESS
from relogin.errors import ReloginError

__all__ = ["call", "call_async"]


def call(
    login: Callable[[Context], object], context: Context, open_http: Callable[[], Any], http: object
) -> object:
    """Call a login; `http` is the client that the user passed, if any."""
    kept = [] if http is None else kept_by(http)
    try:
        with _spending(context):
            return login(context.with_http(partial(_opened, context, open_http, http)))
    except Exception as error:  # a login is the user's code, and may raise anything
        if not _may_go_again(context, error, kept):
            raise
    return login(context.with_http(open_http))


async def call_async(
    login: Callable[[Context], Awaitable[object]],
    context: Context,
    open_http: Callable[[], Any],
    http: object,
) -> object:
    """Do the same as `call`, with a login that is awaited."""
    kept = [] if http is None else kept_by(http)
    try:
        with _spending(context):
            return await login(context.with_http(partial(_opened, context, open_http, http)))
    except Exception as error:  # a login is the user's code, and may raise anything
        if not _may_go_again(context, error, kept):
            raise
    return await login(context.with_http(open_http))


def _opened(context: Context, open_http: Callable[[], Any], http: object) -> Any:
    """Open `context.http`; a client that is not ours does not show what it sends."""
    opened = open_http()
    if http is not None:
        context.progress.unknown()
    return opened


class _spending:  # noqa: N801 - used as a function
    """Mark this block as a login that may use up a refresh token, or as one that does not."""

    __slots__ = ("_before", "_context", "_progress")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._context.progress.watched = True
        self._before = SPENDS.set(_spends(self._context))
        self._progress = PROGRESS.set(self._context.progress)

    def __exit__(self, *_: object) -> None:
        PROGRESS.reset(self._progress)
        SPENDS.reset(self._before)


def _spends(context: Context) -> bool:
    return context.previous is not None and context.previous.refresh is not None


def _may_go_again(context: Context, error: Exception, kept: list[Kept]) -> bool:
    if isinstance(error, ReloginError) or _spends(context):
        return False
    return is_bad_gateway(error) or (is_broken(error) and leave_broken(kept))
