"""The facts of a request: what it asks for, and the credentials it brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from reauth.server.schemes import Scheme
from reauth.wire.scan import MAX_LENGTH, scan_credentials

__all__ = ["Presented", "Request"]


# Named tuples, since there is one of each for every request: frozen dataclasses take twice as long.


class Request(NamedTuple):
    """The facts a gate decides on.

    `path` is the one the application routes by, below its mount, percent-decoded once; `raw_path`
    is what was sent, where the server tells. `lines` is given a header's name in lower case and
    returns its field lines.
    """

    method: str
    path: str
    lines: Callable[[str], Sequence[str]]
    raw_path: str = ""

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks if it may ask: the one request that has no credentials by design.

        HEAD and any other OPTIONS are requests like all others (Fetch standard, CORS-preflight).
        """
        return (
            self.method == "OPTIONS"
            and bool(self.lines("origin"))
            and bool(self.lines("access-control-request-method"))
        )

    @property
    def is_navigation(self) -> bool:
        """Whether a browser will show the answer to its user; older ones, and http, do not tell."""
        mode = self.lines("sec-fetch-mode")
        if mode:
            return mode[0] == "navigate"
        return any("text/html" in line for line in self.lines("accept"))


class Presented(NamedTuple):
    """Credentials as a request brought them.

    Without a `token` they cannot be read as one; without a `scheme` they are not meant for us.
    """

    scheme: Scheme | None
    token: str | None
    by_cookie: bool = False

    def __repr__(self) -> str:
        name = self.scheme and self.scheme.name
        return f"Presented(scheme={name!r}, by_cookie={self.by_cookie})"

    @classmethod
    def read(
        cls, request: Request, schemes: Sequence[Scheme], cookie: str | None
    ) -> Presented | None:
        """Read them: Authorization decides over the cookie, also where it cannot be read."""
        lines = request.lines("authorization")
        presented = _from_authorization(lines, schemes) if any(map(str.strip, lines)) else None
        if presented is not None or cookie is None:
            return presented
        tokens = _cookie_values(request.lines("cookie"), cookie)
        if not tokens:
            return None
        # Of two different cookies of one name, one was planted: by a sibling domain, or a path.
        token = tokens.pop() if len(tokens) == 1 else None
        return cls(schemes[-1], token, by_cookie=True)


def _from_authorization(lines: Sequence[str], schemes: Sequence[Scheme]) -> Presented | None:
    """None for well-formed credentials of another scheme."""
    # It is no list (RFC 9110 §11.6.2): of two lines, nobody knows which one others look at.
    if len(lines) > 1 or len(lines[0]) > MAX_LENGTH:
        return Presented(_meant(lines, schemes), None)
    for scheme in schemes:
        usual = scheme.usual(lines[0])
        if usual is not None:
            return Presented(scheme, usual[1])
    read = scan_credentials(lines[0])
    if read is None:
        return Presented(_meant(lines, schemes), None)
    named = read[0].lower()
    for scheme in schemes:
        if scheme.name.lower() == named:
            return Presented(scheme, scheme.token(read))
    return None


def _meant(lines: Sequence[str], schemes: Sequence[Scheme]) -> Scheme | None:
    """The scheme that something unreadable looks like; servers of WSGI join lines with a comma."""
    parts = (part.split() for line in lines for part in line[:MAX_LENGTH].split(","))
    words = {words[0].lower() for words in parts if words}
    return next((scheme for scheme in schemes if scheme.name.lower() in words), None)


def _cookie_values(lines: Sequence[str], cookie: str) -> set[str]:
    """The values of a cookie, without empty ones: that is how applications delete."""
    pairs = (pair.partition("=") for line in lines for pair in line.split(";"))
    found = {value.strip() for name, _, value in pairs if name.strip() == cookie}
    return {value[1:-1] if value[:1] == value[-1:] == '"' else value for value in found} - {""}
