"""The grant on a request of requests: signing, and updates from the responses."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import urljoin

from requests import PreparedRequest, Response
from urllib3.util import parse_url

from relogin.client.driver.credentials import extend, for_request, resign, roll, sign, unsign
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import UNAUTHORIZED, Credential
from relogin.client.requests.body import pieces
from relogin.client.requests.cookies import carry_over_redirect, leave_behind, rebuild
from relogin.client.requests.fields import copied, has
from relogin.client.terms.answer import Answer
from relogin.client.terms.origins import sent_to
from relogin.client.terms.query import with_parameter
from relogin.client.terms.signer import Outgoing
from relogin.errors import BodyNotReplayable

__all__ = ["learn", "lives", "sign_again", "sign_prepared", "sign_within", "write_url"]

_REDIRECTS = range(300, 400)
# What urllib3 sends unchanged (RFC 3986).
_is_as_sent = re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]*+").fullmatch


def write_url(prepared: PreparedRequest) -> None:
    """Write the URL as it will be sent, to sign it: niquests leaves that to urllib3."""
    if not _is_as_sent(prepared.url or ""):
        prepared.url = str(parse_url(prepared.url or ""))


def sign_prepared(prepared: PreparedRequest, credential: Credential) -> Credential | None:
    """Sign a request; return the grant as sent, or `None` if it cannot be signed."""
    if credential.authorization is not None:  # all that most grants add
        prepared.headers["Authorization"] = credential.authorization
        return credential
    url, signed = prepared.url or "", credential
    if credential.signer is not None:
        request = Outgoing(prepared.method or "", url, prepared.headers, partial(pieces, prepared))
        able = for_request(credential, request)
        if able is None:
            return None
        signed = able
    prepared.url = sign(prepared.headers, url, signed)
    return signed


def sign_within(prepared: PreparedRequest, credential: Credential) -> PreparedRequest:
    """Sign a request inside a logout; a redirect to another origin does not carry the grant."""
    sign_prepared(prepared, credential)

    def keep(response: Response, **_: object) -> None:
        if response.is_redirect:
            _prepare_redirect(credential, response)

    prepared.register_hook("response", keep)
    return prepared


def sign_again(
    refused: Response, dead: Credential | None, credential: Credential
) -> tuple[PreparedRequest, Credential]:
    """Sign a refused request with a newer grant; the 401 keeps a copy of what was sent.

    Raises `BodyNotReplayable` if the signature needs the content, and that cannot be read again.

    It changes the request itself, because requests makes redirects from it, and users may send it
    again. It changes all fields at once, because other threads may use the request.
    """
    prepared = refused.request
    fresh = _copy(prepared)
    if hasattr(refused, "from_cache"):
        _unconditional(fresh)
    if dead is not None and (dead.authorization is None or credential.authorization is None):
        fresh.url = resign(fresh.headers, fresh.url or "", dead, credential)
    if has(fresh.headers, "cookie") or has(refused.headers, "set-cookie"):
        owned = {*credential.cookies, *(dead.cookies if dead is not None else ())}
        rebuild(fresh, refused, owned)
    signed = sign_prepared(fresh, credential)
    if signed is None:
        raise BodyNotReplayable("the request can only be signed with its body, and that is used up")
    prepared.__dict__, fresh.__dict__ = vars(fresh), vars(prepared)
    refused.request = fresh
    return prepared, signed


def _unconditional(prepared: PreparedRequest) -> None:
    """Remove the conditions that CacheControl adds to a request itself.

    They are about what it keeps for the dead session. It adds them again if it keeps that for the
    new one too; if not (`Vary`), it would give you a 304 without content.
    """
    for name in ("If-None-Match", "If-Modified-Since"):
        prepared.headers.pop(name, None)


def _copy(prepared: PreparedRequest) -> PreparedRequest:
    copy = _shallow(prepared)
    copy.headers = copied(copy.headers)
    return copy


def _shallow(prepared: PreparedRequest) -> PreparedRequest:
    # Like copy.copy, but ten times as fast, because it does not use the pickle protocol.
    copy = object.__new__(type(prepared))
    vars(copy).update(vars(prepared))
    return copy


def lives(cache: CredentialCache, credential: Credential, request: PreparedRequest) -> None:
    """Remember that a server has accepted a session with this request."""
    if cache.seen(credential):
        cache.note_accepted(credential, (request.method or "").upper(), request.url or "")


def learn(
    cache: CredentialCache,
    credential: Credential,
    response: Response,
    origin: str,
    *,
    dead: bool = False,
) -> None:
    """Update the session from a response from `origin`: its cookies, and how long it still lives.

    A 401, or a response that a signal calls `dead`, changes nothing.
    """
    request, status = response.request, response.status_code
    if not dead and status != UNAUTHORIZED and origin == credential.key.origin:
        # A 5xx may come from a proxy.
        if status < 500:
            lives(cache, credential, request)
        if cache.policy.rolls or (credential.cookies and len(response.cookies)):
            cookies = {cookie.name: cookie.value or "" for cookie in response.cookies}
            answer = Answer(status, response.headers, response.url, cookies=cookies)
            roll(cache, credential, answer)
        if credential.signer is not None or has(response.headers, "authentication-info"):
            extend(cache, credential, request.headers, request.url or "", response.headers)
    if status in _REDIRECTS and response.is_redirect:
        _prepare_redirect(cache.current(credential), response)


def _prepare_redirect(current: Credential, response: Response) -> None:
    """Let the next redirect carry the grant only if it is within the origin.

    The server may have replaced the values that the request carries, in this response too.
    requests keeps Authorization from http to https on the same host, which is another origin.
    """
    sent, location = response.request, response.headers["location"]
    target = urljoin(response.url, location)
    within = sent_to(target) == current.key.origin
    if current.cookies and within:
        carry_over_redirect(sent, current.cookies, target)
    elif current.cookies:
        leave_behind(sent)
    if current.query is not None:
        # requests takes the next URL from this header only.
        carried = with_parameter(location, *current.query)
        response.headers["location"] = carried if within else unsign({}, location, current)
    stays = within and current.signer is None  # a signature is for this request only
    if stays and all(sent.headers.get(name) == value for name, value in current.headers.items()):
        return
    following = _copy(sent)
    if stays:
        following.headers.update(current.headers)
    else:  # whatever their values: the server may have replaced them more than once
        for name in current.headers:
            following.headers.pop(name, None)
    response.request = _shallow(sent)
    sent.headers = following.headers
