"""A grant on a request, and what its server says of it in the answer.

The one place that knows where a session stands in a request: in header fields, in cookies, in the
query. Header fields are a mapping of names in any case, as requests and httpx both have.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from relogin.client.driver.cookie_text import values, with_cookies
from relogin.client.driver.lifetime import lifetime
from relogin.client.events import warn
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential
from relogin.client.terms.answer import Answer
from relogin.client.terms.fields import is_field_value
from relogin.client.terms.grant import is_cookie_value
from relogin.client.terms.query import parameter, with_parameter, without_parameter
from relogin.client.terms.signer import Outgoing
from relogin.client.terms.sources import Source

__all__ = ["extend", "for_request", "resign", "roll", "sent_with", "sign", "unsign"]


def for_request(credential: Credential, request: Outgoing) -> Credential | None:
    """Return a grant as it goes with this one transmission.

    That is the grant itself, or a copy that is signed for it; `None` where it cannot be signed.
    """
    if credential.signer is None:
        return credential
    fields = credential.signer.sign(request)
    if fields is None:
        return None
    return credential.signed(fields, request.url)


FORBIDDEN = 403


def sign(headers: MutableMapping[str, str], url: str, credential: Credential) -> str:
    """Put a grant on a request: among its fields, and into the URL that is returned."""
    for name, value in credential.headers.items():
        headers[name] = value
    if credential.cookies:
        headers["Cookie"] = with_cookies(headers.get("Cookie"), credential.cookies)
    return url if credential.query is None else with_parameter(url, *credential.query)


def resign(
    headers: MutableMapping[str, str], url: str, dead: Credential, credential: Credential
) -> str:
    """Take off what a grant put on a request, where a newer one will not replace it anyway."""
    if dead.query is None and dead.headers.keys() == credential.headers.keys():
        return url
    return unsign(headers, url, dead)


def unsign(headers: MutableMapping[str, str], url: str, credential: Credential) -> str:
    """Take off what a grant put on a request, cookies excepted; return the URL without it.

    A field that says something else by now is somebody else's.
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
    """Return the grant that was on the wire, which need not be what the request was signed with.

    A redirect drops the header, netrc replaces it, and a jar brings its own idea of a cookie.
    """
    if credential is None:
        return None
    if credential.signed_url not in {None, url}:  # a redirect has taken it to where it says nothing
        return None
    if credential.query is not None:
        name, value = credential.query
        return credential if parameter(url, name) == value else None
    fields = credential.decisive
    own = fields or credential.cookies
    wire = headers if fields else values(headers.get("Cookie"))
    if all(wire.get(name) == value for name, value in own.items()):
        return credential
    current = cache.current(credential)
    rolled = current.headers if fields else current.cookies
    ours = all(wire.get(name) in {value, rolled.get(name)} for name, value in own.items())
    return credential if ours else None


def roll(cache: CredentialCache, credential: Credential, answer: Answer) -> None:
    """Take over the new values that an answer gives to cookies and fields which the grant owns.

    One that could not be sent would break every request from then on.
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
    if answer.status == FORBIDDEN:  # what is wrong with a request is no value for the next one
        return ""
    try:
        return source(answer) or ""
    except Exception as error:  # noqa: BLE001 - the user's own code costs no request
        warn("what rolls= names could not be taken from an answer: %s", type(error).__name__)
        return ""


def extend(
    cache: CredentialCache,
    credential: Credential,
    sent: Mapping[str, str],
    url: str,
    answered: Mapping[str, str],
) -> None:
    """Take over how long the session still lives, where the answer to its token says it.

    A signer looks for itself; it raises `LoginUnavailable` for an answer that is not the server's.
    """
    if credential.signer is not None:
        if sent_with(cache, credential, sent, url) is not None:
            cache.accepted(credential)
            credential.signer.learn(sent, answered)
        return
    info = answered.get("Authentication-Info")  # asked first: few answers have one
    if info is None or credential.grant.token is None:
        return
    if sent_with(cache, credential, sent, url) is None:
        return
    seconds = lifetime(info, answered.get("Age"))
    if seconds is not None:
        cache.extend(credential, seconds)
