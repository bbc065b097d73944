"""The credentials of a request: in Authorization (RFC 9110 §11.6.2), or in a cookie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from relogin import wire
from relogin.server.request import Request
from relogin.server.schemes import Scheme
from relogin.wire import MAX_LENGTH

__all__ = ["Presented", "by_cookie", "presented"]

# Whether a request presents credentials; in which of our schemes; the token, if it can be read;
# whether it came in a cookie.
Presented: TypeAlias = tuple[bool, Scheme | None, str | None, bool]

_NOTHING: Presented = (False, None, None, False)


def presented(request: Request, schemes: Sequence[Scheme], cookie: str | None) -> Presented:
    """Read the credentials of a request; Authorization, even unreadable, overrides a cookie."""
    lines = request.lines("authorization")
    found = _in_authorization(lines, schemes) if lines else _NOTHING
    if found[0] or cookie is None:
        return found
    return by_cookie(request.lines("cookie"), schemes, cookie)


def by_cookie(lines: Sequence[str], schemes: Sequence[Scheme], cookie: str) -> Presented:
    """Read the credentials in a cookie."""
    tokens = _cookie_values(lines, cookie)
    if not tokens:
        return _NOTHING
    # Of two different cookies of one name, one was planted: by a sibling domain, or a path.
    return True, schemes[-1], tokens.pop() if len(tokens) == 1 else None, True


def _in_authorization(lines: Sequence[str], schemes: Sequence[Scheme]) -> Presented:
    """Well-formed credentials of another scheme present nothing, and neither does an empty line."""
    # It is no list (RFC 9110 §11.6.2): of two lines, nobody knows which one others look at.
    if len(lines) > 1 or len(lines[0]) > MAX_LENGTH:
        return True, _guessed_scheme(lines, schemes), None, False
    for scheme in schemes:
        usual = scheme.usual(lines[0])
        if usual is not None:
            return True, scheme, usual[1], False
    read = wire.scan.scan_credentials(lines[0])
    if read is None:
        return (
            (True, _guessed_scheme(lines, schemes), None, False) if lines[0].strip() else _NOTHING
        )
    named = read[0].lower()
    for scheme in schemes:
        if scheme.name.lower() == named:
            return True, scheme, scheme.token(read), False
    return _NOTHING


def _guessed_scheme(lines: Sequence[str], schemes: Sequence[Scheme]) -> Scheme | None:
    """Guess the scheme of something unreadable; WSGI servers join lines with a comma."""
    parts = (part.split() for line in lines for part in line[:MAX_LENGTH].split(","))
    words = {words[0].lower() for words in parts if words}
    return next((scheme for scheme in schemes if scheme.name.lower() in words), None)


def _cookie_values(lines: Sequence[str], cookie: str) -> set[str]:
    """Return the values of a cookie, without empty ones: those are deleted."""
    pairs = (pair.partition("=") for line in lines for pair in line.split(";"))
    found = {value.strip() for name, _, value in pairs if name.strip() == cookie}
    return {value[1:-1] if value[:1] == value[-1:] == '"' else value for value in found} - {""}
