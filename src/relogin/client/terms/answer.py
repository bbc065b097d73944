"""A response as logins and signals see it, independent of the HTTP library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

__all__ = ["Answer", "Source", "Unread", "member"]


T = TypeVar("T")


class Unread(BaseException):
    """More of the body is needed than has been read so far.

    The caller of a signal catches it, reads on and calls the signal again. It is a `BaseException`,
    because your own signal may catch every `Exception`.
    """


@dataclass(slots=True, eq=False, repr=False)
class Answer:
    """A response: `status`, `headers` (case-insensitive), `url`, and as much body as is needed.

    `octets` is what has been read of the decoded body. `reading` says that there may be more; then
    whatever needs it raises `Unread`. `cut` says that only the beginning of a long body is there.
    `cookies` are the cookies that the response set, by name. `history` holds the responses that led
    to it, the oldest first: the page of a login form, and redirects.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    octets: bytes = b""
    cut: bool = False
    cookies: Mapping[str, str] = field(default_factory=dict)
    reading: bool = False
    history: tuple[Answer, ...] = ()

    def take(self, piece: bytes, most: int) -> None:
        """Add the next piece of the body, up to a bound; an empty piece ends it."""
        octets = self.octets + piece
        self.octets, self.cut = octets[:most], len(octets) > most
        self.reading = bool(piece) and not self.cut

    @property
    def body(self) -> bytes:
        """The octets of the body, or of its beginning if it is `cut`."""
        if self.reading:
            raise Unread
        return self.octets

    @property
    def text(self) -> str:
        """The body as text, decoded with its `charset`."""
        return self.body.decode(self.charset, "replace")

    @property
    def charset(self) -> str:
        """The charset in the Content-Type, or in an HTML page itself, or UTF-8."""
        from email.message import Message

        from relogin.client.terms.charsets import charset_in_page, decodable

        fields = Message()
        fields["Content-Type"] = self.headers.get("Content-Type", "")
        charset = decodable(fields.get_content_charset(""))
        if charset is not None:
            return charset
        return charset_in_page(self.octets) if self.media_type == "text/html" else "utf-8"

    def find(self, search: Callable[[str], T | None]) -> T | None:
        """Search the text; read no more of it than needed."""
        found = search(self.octets.decode(self.charset, "replace"))
        if found is None and self.reading:
            raise Unread
        return found

    @property
    def media_type(self) -> str:
        """The media type in lower case, without parameters (RFC 9110 §8.3.1), or `""`."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the JSON object or array (RFC 8259) that the body begins with.

        Raises `ValueError` if there is none.
        """
        text = self.octets.decode("utf-8-sig", "replace").lstrip()
        if text and text[0] not in "{[":  # a page or a number, for example: it has no members
            raise ValueError("the body is not JSON")
        try:
            return json.JSONDecoder().raw_decode(text)[0]
        except (ValueError, RecursionError):
            pass  # raise below, without a cause: a cause would show the text, maybe a token
        if self.reading:
            raise Unread
        raise ValueError("the body is not JSON")


Source: TypeAlias = Callable[[Answer], str | None]
"""Finds a text in an answer; returns `None` if there is none."""


def member(document: object, name: str) -> object:
    """Find a member of a JSON document by its name, or by a JSON Pointer (RFC 6901).

    A name that begins with a slash is a pointer. Raises `LookupError` if there is no such member.

    >>> member({"access_token": "…"}, "access_token")
    '…'
    >>> member({"accounts": [{"id": 7}]}, "/accounts/0/id")
    7
    """
    steps = name[1:].split("/") if name.startswith("/") else None
    for step in [name] if steps is None else [_unescaped(step) for step in steps]:
        if isinstance(document, dict):
            document = document[step]
        elif isinstance(document, list) and step.isdecimal():
            document = document[int(step)]
        else:
            raise LookupError(name)
    return document


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
