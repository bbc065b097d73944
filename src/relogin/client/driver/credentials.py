"""A grant in the header fields of a request, and what its server says of it in the answer.

Header fields are a mapping of names in any case, as requests and httpx both have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from relogin.client.driver.cookie_text import values, with_cookies
from relogin.client.driver.lifetime import lifetime
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential
from relogin.client.terms.grant import is_cookie_value

__all__ = ["extend", "roll", "sent_with", "sign"]


def sign(headers: MutableMapping[str, str], credential: Credential) -> None:
    """Put a grant among the fields of a request."""
    if credential.authorization is not None:
        headers["Authorization"] = credential.authorization
    if credential.cookies:
        headers["Cookie"] = with_cookies(headers.get("Cookie"), credential.cookies)


def sent_with(
    cache: CredentialCache, credential: Credential | None, headers: Mapping[str, str]
) -> Credential | None:
    """Return the grant that was on the wire, which need not be what the request was signed with.

    A redirect drops the header, netrc replaces it, and a jar brings its own idea of a cookie.
    """
    if credential is None:
        return None
    if credential.authorization is not None:
        return credential if headers.get("Authorization") == credential.authorization else None
    wire, current = values(headers.get("Cookie")), cache.current(credential)
    ours = all(wire.get(n) in {v, current.cookies.get(n)} for n, v in credential.cookies.items())
    return credential if ours else None


def roll(cache: CredentialCache, credential: Credential, cookies: Iterable[Any]) -> None:
    """Take over the new values that an answer gave to cookies which the grant owns.

    One that could not be sent would break every request from then on.
    """
    owned = {c.name: c.value or "" for c in cookies if c.name in credential.cookies}
    rolled = {name: value for name, value in owned.items() if is_cookie_value(value)}
    if rolled:
        cache.roll(credential, rolled)


def extend(
    cache: CredentialCache,
    credential: Credential,
    sent: Mapping[str, str],
    answered: Mapping[str, str],
) -> None:
    """Take over how long the session still lives, where the answer to its token says it."""
    info = answered.get("Authentication-Info")  # asked first: few answers have one
    if info is None or credential.authorization is None:
        return
    if sent.get("Authorization") != credential.authorization:
        return
    seconds = lifetime(info, answered.get("Age"))
    if seconds is not None:
        cache.extend(credential, seconds)
