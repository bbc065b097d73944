"""A response as logins and signals see it, whichever library received it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["Answer", "Unread", "member"]


T = TypeVar("T")


class Unread(BaseException):
    """More of the body is needed than has been read so far.

    A `BaseException`, because a signal of the user's own may look at a body and catch every
    `Exception`; whoever drives the signal reads on and asks it again.
    """


@dataclass(slots=True, repr=False)
class Answer:
    """A response: `status`, `headers` (names in any case), `url`, and as much body as is needed.

    `octets` is what has been read of the decoded body; `reading` says that there is more, and then
    `Unread` is raised by whatever needs it. A long body is `cut`: only its beginning is there.
    `cookies` are the cookies that the response set, by name. `history` are the answers that led to
    it, the oldest first: the page of a login form, and redirects.
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
        """Add what was read on, up to a bound; nothing means that the body has ended."""
        octets = self.octets + piece
        self.octets, self.cut = octets[:most], len(octets) > most
        self.reading = bool(piece) and not self.cut

    @property
    def body(self) -> bytes:
        """The octets of the body, or of its beginning."""
        if self.reading:
            raise Unread
        return self.octets

    @property
    def text(self) -> str:
        """The body as text, in the charset that it names, or in UTF-8."""
        return _decoded(self.body, self.headers.get("Content-Type", ""))

    def find(self, search: Callable[[str], T | None]) -> T | None:
        """Search the text, reading no more of it than is needed."""
        found = search(_decoded(self.octets, self.headers.get("Content-Type", "")))
        if found is None and self.reading:
            raise Unread
        return found

    @property
    def media_type(self) -> str:
        """The media type in lower case, without parameters (RFC 9110 §8.3.1); or empty."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the JSON object or array (RFC 8259) that the body begins with.

        Raises `ValueError` if there is none.
        """
        text = self.octets.decode("utf-8-sig", "replace").lstrip()
        if text and text[0] not in "{[":  # a page, say, or a number: nothing has a member
            raise ValueError("the body is not JSON")
        try:
            return json.JSONDecoder().raw_decode(text)[0]
        except (ValueError, RecursionError):
            pass  # what is raised below has no cause: it holds the text, which may hold a token
        if self.reading:
            raise Unread
        raise ValueError("the body is not JSON")


def _decoded(octets: bytes, content_type: str) -> str:
    from email.message import Message

    fields = Message()
    fields["Content-Type"] = content_type
    try:
        return octets.decode(fields.get_content_charset("utf-8"), "replace")
    except LookupError:  # a charset that nobody knows
        return octets.decode("utf-8", "replace")


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
