"""The grant on a request of requests: put there, recognised, and kept current by the answers."""

from __future__ import annotations

import copy
from urllib.parse import urljoin

from requests import PreparedRequest, Response

from relogin.client.driver.credentials import extend, roll, sign, unsign
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import UNAUTHORIZED, Credential
from relogin.client.requests.cookies import carry_over_redirect, leave_behind, rebuild
from relogin.client.terms.origins import sent_to

__all__ = ["learn", "sign_again"]

_REDIRECTS = range(300, 400)


def sign_again(
    refused: Response, dead: Credential | None, credential: Credential
) -> PreparedRequest:
    """Put a newer grant on a request that was refused; leave with the 401 what was sent for it.

    It is the request itself that is signed: requests makes redirects of it, and whoever sends it
    once more sends it fresh. Its fields change all at once, for another thread may be at it too.
    """
    prepared, fresh = refused.request, _copy(refused.request)
    owned = {*credential.cookies, *(dead.cookies if dead is not None else ())}
    url = fresh.url or ""
    if dead is not None:
        url = unsign(fresh.headers, url, dead)
    rebuild(fresh, refused, owned)
    url = sign(fresh.headers, url, credential)
    refused.request = copy.copy(prepared)
    vars(prepared).update(headers=fresh.headers, url=url, _cookies=vars(fresh).get("_cookies"))
    return prepared


def _copy(prepared: PreparedRequest) -> PreparedRequest:
    copied = copy.copy(prepared)
    copied.headers = prepared.headers.copy()
    return copied


def learn(
    cache: CredentialCache, credential: Credential, response: Response, *, dead: bool = False
) -> None:
    """Take over what a response says of the session: a rolled cookie, how long it still lives.

    A 401, or what a signal calls `dead`, says nothing of a session that lives.
    """
    request, alive = response.request, not dead and response.status_code != UNAUTHORIZED
    if alive and sent_to(request.url) == credential.key.origin:
        if credential.cookies and len(response.cookies):
            roll(cache, credential, response.cookies)
        extend(cache, credential, request.headers, request.url or "", response.headers)
    if response.status_code in _REDIRECTS and response.is_redirect:
        _prepare_redirect(cache.current(credential), response)


def _prepare_redirect(credential: Credential, response: Response) -> None:
    """Let the next hop carry the grant if it lies within the origin, and only then.

    requests itself keeps Authorization from http to https on one host, which is another origin.
    """
    sent, target = response.request, urljoin(response.url, response.headers["location"])
    within = sent_to(target) == credential.key.origin
    if credential.cookies and within:
        carry_over_redirect(sent, credential.cookies, target)
    elif credential.cookies:
        leave_behind(sent)
    if not within:
        stripped = _copy(sent)
        unsign(stripped.headers, stripped.url or "", credential)
        response.request = copy.copy(sent)
        sent.headers = stripped.headers
