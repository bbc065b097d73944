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

from relogin.client.driver.reentry import logging_in
from relogin.client.logins.sending.connections import (
    Kept,
    is_bad_gateway,
    is_broken,
    kept_by,
    leave_broken,
)
from relogin.client.renewal.cache import CredentialCache
from relogin.client.terms.grant import Context
from relogin.errors import ReloginError

__all__ = ["call", "call_async"]


def call(
    cache: CredentialCache,
    login: Callable[[Context], object],
    context: Context,
    open_http: Callable[[], Any],
    http: object,
) -> object:
    """Call a login that a cache waits for; `http` is the client that the user passed, if any."""
    open_http, kept = _watched(context, open_http, http)
    with logging_in(cache, progress=context.progress):
        try:
            return login(context.with_http(open_http))
        except Exception as error:  # a login is the user's code, and may raise anything
            if not _may_go_again(context, error, kept):
                raise
        return login(context.with_http(open_http))


async def call_async(
    cache: CredentialCache,
    login: Callable[[Context], Awaitable[object]],
    context: Context,
    open_http: Callable[[], Any],
    http: object,
) -> object:
    """Do the same as `call`, with a login that is awaited."""
    open_http, kept = _watched(context, open_http, http)
    with logging_in(cache, progress=context.progress):
        try:
            return await login(context.with_http(open_http))
        except Exception as error:  # a login is the user's code, and may raise anything
            if not _may_go_again(context, error, kept):
                raise
        return await login(context.with_http(open_http))


def _watched(
    context: Context, open_http: Callable[[], Any], http: object
) -> tuple[Callable[[], Any], list[Kept]]:
    """Return how to open `context.http`, and the connections of the client that the user passed.

    A client that is not ours does not show what it sends.
    """
    context.progress.watched = True
    if http is None:
        return open_http, []
    return partial(_opened, context, open_http), kept_by(http)


def _opened(context: Context, open_http: Callable[[], Any]) -> Any:
    opened = open_http()
    context.progress.unknown()
    return opened


def _may_go_again(context: Context, error: Exception, kept: list[Kept]) -> bool:
    if isinstance(error, ReloginError) or context.progress.spends:
        return False
    return is_bad_gateway(error) or (is_broken(error) and leave_broken(kept))
