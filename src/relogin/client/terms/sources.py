"""Where a response has a value: in a header field, in the JSON of its body, or in a cookie.

A source is a function that gets an `Answer` and returns a text, or `None` if there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from relogin.client.terms.answer import Answer, Source, member
from relogin.client.terms.fields import check_field_name

__all__ = [
    "Place",
    "Source",
    "check_headers",
    "from_cookie",
    "from_header",
    "from_json",
]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a response, or in those that led to it, the latest first."""

    kind: Literal["header", "cookie", "JSON member"]
    name: str

    def __call__(self, answer: Answer) -> str | None:
        """Return the text in that place, if there is one."""
        found = map(self._in, (answer, *reversed(answer.history)))
        return next((text for text in found if text is not None), None)

    def _in(self, answer: Answer) -> str | None:
        if self.kind == "header":
            return answer.headers.get(self.name)
        if self.kind == "cookie":
            value = answer.cookies.get(self.name)
            return None if value is None else unquote(value)
        try:
            found = member(answer.json(), self.name)
        except (LookupError, ValueError):
            return None
        return found if isinstance(found, str) and found else None

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r}"


def from_header(name: str) -> Source:
    """Read a header field of the response.

    >>> from_header("X-Subject-Token")(Answer(201, {"X-Subject-Token": "…"}, ""))
    '…'
    """
    return Place("header", _text("from_header", name))


def from_cookie(name: str) -> Source:
    """Read a cookie that the response sets, without its percent-encoding.

    The scripts of a web page do the same when they send a CSRF token back in a header field.

    >>> from_cookie("XSRF-TOKEN")(Answer(200, {}, "", cookies={"XSRF-TOKEN": "abc%3D"}))
    'abc='
    """
    return Place("cookie", _text("from_cookie", name))


def from_json(name: str) -> Source:
    """Read a text of a JSON body: a member by its name, or by a JSON Pointer (RFC 6901).

    >>> from_json("/data/CSRFPreventionToken")(
    ...     Answer(200, {}, "", b'{"data": {"CSRFPreventionToken": "4EEC61E2"}}')
    ... )
    '4EEC61E2'
    """
    return Place("JSON member", _text("from_json", name))


def _text(function: str, name: object) -> str:
    if not (isinstance(name, str) and name):
        raise TypeError(f"{function}() takes a name, such as {function}({_EXAMPLES[function]!r})")
    return name


_EXAMPLES = {
    "from_header": "X-CSRF-Token",
    "from_cookie": "csrftoken",
    "from_json": "/data/token",
}


def check_headers(headers: object) -> None:
    """Raise `TypeError` or `ValueError` if `headers` does not say where its values come from."""
    if not isinstance(headers, Mapping):
        raise TypeError(
            "headers= must map header names to where the response has their values: "
            '{"X-CSRF-Token": from_cookie("csrftoken")}'
        )
    for name, source in headers.items():
        check_field_name("headers=", name)
        if not callable(source):
            raise TypeError(
                f"headers=: {name} must be from_header(…), from_json(…) or from_cookie(…), "
                f"not {type(source).__name__}"
            )
