"""A grant in the header fields of a request: put there, and recognised on the wire.

Header fields are a mapping of names in any case, as requests and httpx both have.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from reauth.client.book import Book
from reauth.client.cookie_text import values, with_cookies
from reauth.client.policy import Held

__all__ = ["carries_cookies", "sent_with", "sign"]


def sign(headers: MutableMapping[str, str], held: Held) -> None:
    """Put a grant among the fields of a request."""
    if held.authorization is not None:
        headers["Authorization"] = held.authorization
    if held.cookies:
        headers["Cookie"] = with_cookies(headers.get("Cookie"), held.cookies)


def sent_with(book: Book, held: Held | None, headers: Mapping[str, str]) -> Held | None:
    """Return the grant that was on the wire, which need not be what the request was signed with.

    A redirect drops the header, netrc replaces it, and a jar brings its own idea of a cookie.
    """
    if held is None:
        return None
    if held.authorization is not None:
        return held if headers.get("Authorization") == held.authorization else None
    wire, current = values(headers.get("Cookie")), book.current(held)
    ours = all(wire.get(n) in {v, current.cookies.get(n)} for n, v in held.cookies.items())
    return held if ours else None


def carries_cookies(held: Held | None, headers: Mapping[str, str]) -> bool:
    """Tell whether the request went out with a cookie that the grant owns, of whatever value."""
    return held is not None and bool(held.cookies.keys() & values(headers.get("Cookie")))
