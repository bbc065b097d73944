"""Header fields of a response: what the gate adds, merged with what the application set.

Headers are `(name, value)` pairs in the order of the wire, as WSGI has them. Each function returns
new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from relogin.errors import ChallengeSyntaxError
from relogin.server.schemes import asks_for_password
from relogin.wire.field import parse, serialize
from relogin.wire.model import Challenge

__all__ = [
    "EXPOSED",
    "FixedHeaders",
    "Headers",
    "RawHeader",
    "add_challenges",
    "add_to_list",
    "encoded",
    "keep_cookie",
    "keep_private",
    "sets_cookie",
    "without",
    "without_content",
]

Headers: TypeAlias = list[tuple[str, str]]
FixedHeaders: TypeAlias = tuple[tuple[str, str], ...]  # made once, and added to many responses
RawHeader: TypeAlias = tuple[bytes, bytes]

# By name: a `*` does not count for a request with credentials (Fetch standard, CORS protocol).
EXPOSED = ("WWW-Authenticate", "Authentication-Info")

# An element of a list field: a comma inside a quoted-string is no separator (RFC 9110 §5.6.1).
_elements = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+"?|(?!))++', re.DOTALL).findall
# What contradicts `private` (RFC 9111 §5.2.2): these let a shared cache store, `private="..."`
# covers only some fields, and `must-understand` can undo a `no-store`.
_OPENING = frozenset({"public", "s-maxage", "private", "no-store", "must-understand"})
# Fields about the content that is replaced, its caching, and where to go instead.
_OF_CONTENT = frozenset(
    {
        *("accept-ranges", "age", "cache-control", "content-disposition", "content-encoding"),
        *("content-language", "content-length", "content-location", "content-range"),
        *("content-type", "etag", "expires", "last-modified", "location", "pragma", "refresh"),
        *("trailer", "transfer-encoding"),
    }
)
# A Set-Cookie line without a value, or that has expired: a browser deletes the cookie.
# Compiled when it is first needed: few gates see one.
_DELETES = r"""(?isx)
    [^=;]*=\s*(?:"")?\s*(?:;|\Z)
    | .*;\s*max-age\s*=\s*(?:0+\s*(?:;|\Z)|-)
    | .*;\s*expires\s*=[^;]*\b1970\b"""


def _deletes(line: str) -> bool:
    return re.match(_DELETES, line) is not None


def encoded(headers: Iterable[tuple[str, str]]) -> list[RawHeader]:
    """Return headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def values(headers: Headers, name: str) -> list[str]:
    """Return the lines of a field; its name is given in lower case."""
    return [value for key, value in headers if key.lower() == name]


def without(headers: Headers, *names: str) -> Headers:
    """Return the headers without some fields; their names are given in lower case."""
    return [header for header in headers if header[0].lower() not in names]


def elements(lines: Iterable[str]) -> list[str]:
    """Split the lines of a list field into its elements."""
    found = (element.strip() for line in lines for element in _elements(line))
    return [element for element in found if element]


def add_to_list(headers: Headers, field: str, names: Iterable[str]) -> Headers:
    """Add names to a field that lists names, such as Vary; a `*` stays alone.

    >>> add_to_list([("vary", "Accept")], "Vary", ["Cookie", "accept"])
    [('Vary', 'Accept, Cookie')]
    """
    listed = elements(values(headers, field.lower()))
    if "*" in listed:
        return headers
    known = {name.lower() for name in listed}
    listed += [name for name in names if name.lower() not in known]
    return [*without(headers, field.lower()), (field, ", ".join(listed))]


def keep_private(headers: Headers, *, store: bool = True) -> Headers:
    """Make Cache-Control say `private`, with `store=False` also `no-store`; the rest is kept.

    >>> keep_private([("Cache-Control", "public, max-age=60")])
    [('Cache-Control', 'private, max-age=60')]
    """
    directives = elements(values(headers, "cache-control"))
    named = [(directive.partition("=")[0].strip().lower(), directive) for directive in directives]
    kept = [directive for name, directive in named if name not in _OPENING]
    if not store or any(name == "no-store" for name, _ in named):
        kept.insert(0, "no-store")
    return [*without(headers, "cache-control"), ("Cache-Control", ", ".join(["private", *kept]))]


def add_challenges(headers: Headers, challenges: Sequence[Challenge]) -> Headers:
    """Add challenges to those of the application's own 401, in one line.

    Firefox hides two lines from scripts. Schemes that are there already are not added; nor is
    anything if one of the application's own would open a password window or cannot be read.
    """
    lines = values(headers, "www-authenticate")
    try:
        present = parse(lines)
    except ChallengeSyntaxError:
        return headers
    schemes = {challenge.scheme.lower() for challenge in present}
    added = [challenge for challenge in challenges if challenge.scheme.lower() not in schemes]
    if asks_for_password(present) or not added:
        return headers
    line = serialize([*present, *added])
    return [*without(headers, "www-authenticate"), ("WWW-Authenticate", line)]


def sets_cookie(header: tuple[str, str], cookie: str | None) -> bool:
    """Whether this is a Set-Cookie line for this cookie."""
    name, value = header
    return name.lower() == "set-cookie" and value.partition("=")[0].strip() == cookie


def keep_cookie(headers: Headers, cookie: str | None) -> Headers:
    """Return the headers without those that delete this cookie.

    >>> keep_cookie([("Set-Cookie", "sid=; Max-Age=0"), ("Set-Cookie", "sid=new")], "sid")
    [('Set-Cookie', 'sid=new')]
    """
    return [
        header for header in headers if not (sets_cookie(header, cookie) and _deletes(header[1]))
    ]


def without_content(headers: Headers, cookie: str | None) -> Headers:
    """Return the headers of a response whose content is replaced, without those about it."""
    return [
        header
        for header in headers
        if header[0].lower() not in _OF_CONTENT and not sets_cookie(header, cookie)
    ]
