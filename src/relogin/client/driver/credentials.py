"""A grant on a request, and what the response says about it.

Only this module knows where a request carries a session: in header fields, in cookies, in the
query. Header fields are a case-insensitive mapping, as in requests and httpx.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from relogin import client
from relogin.client.driver.cookie_text import values, with_cookies
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential
from relogin.client.terms.answer import Answer, Source
from relogin.client.terms.fields import is_field_value
from relogin.client.terms.grant import is_cookie_value
from relogin.client.terms.query import parameter, with_parameter, without_parameter
from relogin.client.terms.signer import Outgoing
from relogin.lazy import importing

__all__ = ["extend", "for_request", "resign", "roll", "sent_with", "sign", "unsign"]


def for_request(credential: Credential, request: Outgoing) -> Credential | None:
    """Return a grant as it goes out with this request.

    That is the grant itself, or a copy with the signature of this request. Returns `None` if the
    request cannot be signed.
    """
    if credential.signer is None:
        return credential
    fields = credential.signer.sign(request)
    if fields is None:
        return None
    return credential.signed(fields, request.url)


FORBIDDEN = 403


def sign(headers: MutableMapping[str, str], url: str, credential: Credential) -> str:
    """Put a grant on a request: into its header fields, and into the URL that is returned."""
    for name, value in credential.headers.items():
        headers[name] = value
    if credential.cookies:
        headers["Cookie"] = with_cookies(headers.get("Cookie"), credential.cookies)
    return url if credential.query is None else with_parameter(url, *credential.query)


def resign(
    headers: MutableMapping[str, str], url: str, dead: Credential, credential: Credential
) -> str:
    """Remove what a dead grant put on a request, unless the newer one replaces it anyway."""
    if dead.query is None and dead.headers.keys() == credential.headers.keys():
        return url
    return unsign(headers, url, dead)


def unsign(headers: MutableMapping[str, str], url: str, credential: Credential) -> str:
    """Remove what a grant put on a request, except cookies; return the URL without it.

    A field with another value by now is not from the grant: it stays.
    """
    for name, value in credential.headers.items():
        if headers.get(name) == value:
            del headers[name]
    query = credential.query
    if query is None or parameter(url, query[0]) != query[1]:
        return url
    return without_parameter(url, query[0])


def sent_with(
    cache: CredentialCache, credential: Credential | None, headers: Mapping[str, str], url: str
) -> Credential | None:
    """Return the grant that was really sent; the request may have been signed with another.

    A redirect can drop the header, netrc can replace it, and a cookie jar can change a cookie.
    """
    if credential is None:
        return None
    sent = credential.authorization  # all that most grants add
    if sent is not None and headers.get("Authorization") == sent:
        return credential
    if credential.signed_url not in {None, url}:  # after a redirect, the signature is void
        return None
    if not all(name in headers for name in credential.headers):  # a redirect took some away
        return None
    if credential.query is not None:
        name, value = credential.query
        return credential if parameter(url, name) == value else None
    fields = credential.decisive
    own = fields or credential.cookies
    wire = headers if fields else values(headers.get("Cookie"))
    for name, value in own.items():
        if wire.get(name) != value:
            break
    else:
        return credential
    return _rolled_meanwhile(cache, credential, own, wire)


def _rolled_meanwhile(
    cache: CredentialCache,
    credential: Credential,
    own: Mapping[str, str],
    wire: Mapping[str, str],
) -> Credential | None:
    """Return the present form of a grant if that was sent, or the grant if a part of each was."""
    current = cache.current(credential)
    rolled = current.cookies if own is credential.cookies else current.headers
    if all(wire.get(name) == rolled.get(name) for name in own):
        return current
    ours = all(wire.get(name) in {value, rolled.get(name)} for name, value in own.items())
    return credential if ours else None


def roll(cache: CredentialCache, credential: Credential, answer: Answer) -> None:
    """Update the cookies and header fields of a grant from a response.

    A value that cannot be sent is ignored: it would break every request from then on.
    """
    cookies = {
        name: value
        for name, value in answer.cookies.items()
        if name in credential.cookies and is_cookie_value(value)
    }
    found = {name: _found(source, answer) for name, source in cache.policy.rolls.items()}
    headers = {name: value for name, value in found.items() if is_field_value(value)}
    if cookies or headers:
        cache.roll(credential, cookies, headers)


def _found(source: Source, answer: Answer) -> str:
    if answer.status == FORBIDDEN:  # an error text is not the next value
        return ""
    try:
        return source(answer) or ""
    except Exception as error:  # noqa: BLE001 - an error in the user's code fails no request
        client.events.warn(
            "the fields of rolls= could not be read from a response: %s", type(error).__name__
        )
        return ""


def extend(
    cache: CredentialCache,
    credential: Credential,
    sent: Mapping[str, str],
    url: str,
    answered: Mapping[str, str],
) -> None:
    """Update how long the session still lives, if the response says so.

    A signer reads the response by itself. It raises `LoginUnavailable` if the response is not from
    the server.
    """
    if credential.signer is not None:
        if sent_with(cache, credential, sent, url) is not None:
            cache.accepted(credential)
            credential.signer.learn(sent, answered)
        return
    info = answered.get("Authentication-Info")  # first, because few responses have one
    if info is None or credential.grant.token is None:
        return
    if sent_with(cache, credential, sent, url) is None:
        return
    with importing:
        from relogin.client.driver.lifetime import lifetime  # few servers send the field

    seconds = lifetime(info, answered.get("Age"))
    if seconds is not None:
        cache.extend(credential, seconds)
