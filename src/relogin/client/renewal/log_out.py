"""Logging out; an exception of the logout fails no request."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from relogin.client.events import Event, EventKind, tell, warn
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, LogOut
from relogin.client.renewal.credential import Credential
from relogin.client.renewal.shared import consult, forget
from relogin.client.terms.grant import Context
from relogin.errors import ReloginError

__all__ = ["log_out", "log_out_replaced"]


def log_out(cache: CredentialCache) -> Generator[Ask | LogOut, Any, None]:
    """End every session, for all who share the store; the next request logs in."""
    if cache.policy.store is not None:
        for origin in sorted(cache.policy.origins):
            yield from consult(cache, origin)
    leaving = cache.let_go()
    if cache.policy.store is not None:
        yield from forget(cache)
    for credential in leaving:
        yield from _end(cache, credential)


def log_out_replaced(cache: CredentialCache) -> Generator[LogOut, Any, None]:
    """End sessions that were replaced while alive, and that no request carries any more."""
    while (credential := cache.logouts.next()) is not None:
        yield from _end(cache, credential)


def _end(cache: CredentialCache, credential: Credential) -> Generator[LogOut, Any, None]:
    key = credential.key
    context = Context(
        challenge=None,
        error=None,
        realm=cache.realm_of(key),
        method="",
        url=f"{key.origin}/",
        previous=credential.grant,
        timeout=cache.policy.login_timeout,
    )
    try:
        yield LogOut(credential, context)
    except Exception as error:  # noqa: BLE001 - an error in the user's code fails no request
        # The text of other exceptions may hold anything, such as a URL with a token.
        said = f": {error}" if isinstance(error, ReloginError) and str(error) else ""
        warn("the logout at %s failed: %s%s", key.origin, type(error).__name__, said)
        _tell(cache, EventKind.LOGOUT_FAILED, credential, type(error).__name__)
    except BaseException:  # interrupted: a second logout does no harm
        cache.logouts.put_back(credential)
        raise
    else:
        _tell(cache, EventKind.LOGGED_OUT, credential)


def _tell(
    cache: CredentialCache, kind: EventKind, credential: Credential, reason: str | None = None
) -> None:
    key = credential.key
    tell(cache.policy.listener, Event(kind, key.origin, cache.realm_of(key), reason=reason))
