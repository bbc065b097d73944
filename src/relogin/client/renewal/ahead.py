"""What is done before a request is sent: asking the store, renewing ahead of time, logging in.

These are flows like that of `relogin.client.renewal.flow`, and yield the same commands.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Command, Final
from relogin.client.renewal.default_spaces import DefaultSpaces
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.obtain import lead, obtain
from relogin.client.renewal.policy import Credential, Decision, ResponseInfo
from relogin.client.renewal.shared import consult
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.responder import Action
from relogin.errors import LoginUnavailable

__all__ = ["before", "log_in_first", "renew_ahead"]


def before(
    cache: CredentialCache,
    credential: Credential | None,
    origin: str,
    method: str,
    url: str,
    *,
    precious: bool = False,
) -> Generator[Command, Any, Credential | None]:
    """Find the credential for a request to be sent, if the cache is not `ready`.

    Raises `ReloginError` if the request has to wait for a login, and the login fails.
    """
    if not cache.informed(origin, credential):
        yield from consult(cache, origin)
        credential = cache.for_request(origin, url)
    if cache.defaults is not None:
        credential = credential or cache.by_default(origin)
        if credential is None:
            return (yield from log_in_first(cache, cache.defaults, origin, method, url))
        cache.defaults.begun(credential.key, cache.space)
    if credential is not None and credential.is_due(cache.clock(), precious=precious):
        credential = yield from renew_ahead(cache, credential, method, url)
    return credential


def log_in_first(
    cache: CredentialCache, defaults: DefaultSpaces, origin: str, method: str, url: str
) -> Generator[Command, Any, Credential | None]:
    """Log in for a request that is about to be sent; return `None` if it may go without a session.

    That is so at a server that was not named, and if the login declined: perhaps it needs a
    challenge. Raises `ReloginError` if the login fails: without a session, the server may answer as
    if there was nothing to see.
    """
    key = defaults.at(origin)
    if not defaults.wants_login(origin, cache.space(key)):
        return None
    decision = Decision(key, Action.RENEW, defaults.responder, None, None)
    info = ResponseInfo(None, 0, method, url, origin)
    obtained, _ = yield from obtain(cache, info, decision, None)
    if not isinstance(obtained, Final):
        return obtained
    if obtained.outcome is Outcome.DECLINED:
        defaults.note_declined(origin, cache.space(key))
        return None
    raise obtained.failure or LoginUnavailable(
        "there is no session, and budget= allows no more logins for now"
    )


def renew_ahead(
    cache: CredentialCache, credential: Credential, method: str, url: str
) -> Generator[Command, Any, Credential]:
    """Renew a living session before it ends, for a request that is about to be sent.

    One request renews; the others continue with the living session. So does this one if the login
    fails.
    """
    decision = Decision(credential.key, Action.RENEW, credential.responder, None, None)
    info = ResponseInfo(None, 0, method, url, credential.key.origin)
    mine = Flight(credential.key)
    try:
        if cache.join(mine, credential) is mine:
            yield from lead(cache, info, decision, mine, give_up=cache.clock())
            if mine.status is Status.DECLINED:
                cache.keep(credential)
            elif mine.status is Status.RUNNING:
                cache.postpone(credential)
    finally:
        cache.end(mine, Status.ABANDONED)
    return cache.newer(credential.key, credential) or credential
