"""A grant in the header fields of a request, and what its server says of it in the answer.

Header fields are a mapping of names in any case, as requests and httpx both have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from relogin.client.book import Book
from relogin.client.driver.cookie_text import values, with_cookies
from relogin.client.driver.lifetime import lifetime
from relogin.client.grant import is_cookie_value
from relogin.client.policy import Held

__all__ = ["extend", "roll", "sent_with", "sign"]


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


def roll(book: Book, held: Held, cookies: Iterable[Any]) -> None:
    """Take over the new values that an answer gave to cookies which the grant owns.

    One that could not be sent would break every request from then on.
    """
    owned = {c.name: c.value or "" for c in cookies if c.name in held.cookies}
    rolled = {name: value for name, value in owned.items() if is_cookie_value(value)}
    if rolled:
        book.roll(held, rolled)


def extend(book: Book, held: Held, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:
    """Take over how long the session still lives, where the answer to its token says it."""
    info = answered.get("Authentication-Info")  # asked first: few answers have one
    if info is None or held.authorization is None:
        return
    if sent.get("Authorization") != held.authorization:
        return
    seconds = lifetime(info, answered.get("Age"))
    if seconds is not None:
        book.extend(held, seconds)
