"""Other responses that mean "your session is gone", for servers that send no challenge.

A signal counts only if you pass it in `SessionAuth(login, signals=[...])`, and only in responses
from trusted origins. It is any callable that takes an `Answer` and returns the error that the
response means, or `True` for an expired session. It reads only as much of the body as it needs, at
most 64 KiB, and you can still read the whole body afterwards.

After a signal only idempotent requests are sent again: the server has not promised that the first
one had no effect. No status is a signal by itself; in particular, 599 is a proxy's timeout.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

from relogin.client.terms.answer import Answer, Unread, member
from relogin.reasons import SessionError

__all__ = [
    "MOST_OCTETS",
    "Error",
    "Signal",
    "html_form",
    "json_field",
    "problem",
    "redirect_to",
    "signalled",
    "signalled_async",
    "status",
]

MOST_OCTETS = 64 * 1024
"""The most that signals read of a decoded body."""

Error: TypeAlias = SessionError | str
Signal: TypeAlias = Callable[[Answer], Error | bool | None]

_EXPIRED = SessionError.EXPIRED
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_is_place = re.compile(r"(?:/|https?://)[^?#]*").fullmatch
# Other types under which servers send JSON. Not text/event-stream: it may never end.
_MAY_BE_JSON = frozenset({"", "text/html", "text/plain", "text/javascript"})


def status(*codes: int, error: Error = _EXPIRED) -> Signal:
    """Match a status that means a dead session, such as 440 (IIS) or 419 (Laravel).

    >>> status(440)(Answer(440, {}, "https://api.example.com/orders"))
    <SessionError.EXPIRED: 'session_expired'>
    """
    if not codes or not all(isinstance(code, int) for code in codes):
        raise TypeError("status() takes one or more numbers: status(440, 419)")
    return partial(_status, codes=codes, error=error)


def _status(answer: Answer, codes: tuple[int, ...], error: Error) -> Error | None:
    return error if answer.status in codes else None


def redirect_to(*places: str, error: Error = _EXPIRED) -> Signal:
    """Match a redirect to the login page: a path on any host, or a URL.

    A query and a slash at the end are ignored.

    >>> found = Answer(302, {"Location": "/login?next=/orders"}, "https://www.example.com/orders")
    >>> redirect_to("/login")(found)
    <SessionError.EXPIRED: 'session_expired'>
    """
    if not places or not all(map(_is_place, places)):
        raise ValueError(
            'redirect_to() takes paths and URLs without a query: redirect_to("/login")'
        )
    return partial(_redirect_to, places=places, error=error)


def _redirect_to(answer: Answer, places: tuple[str, ...], error: Error) -> Error | None:
    location = answer.headers.get("Location")
    if answer.status not in _REDIRECTS or location is None:
        return None
    try:
        target = urlsplit(urljoin(answer.url, location))
    except ValueError:
        return None
    path = _page(target.path)
    found = {path, f"{target.scheme}://{target.netloc}{path}"}
    return error if found.intersection(map(_page, places)) else None


def _page(place: str) -> str:
    """Leave out what may vary: `;jsessionid=…` of Java servers, and a slash at the end."""
    return place.partition(";")[0].rstrip("/")


def json_field(name: str, value: object, *, error: Error = _EXPIRED) -> Signal:
    """Match a JSON body whose member, given by name or JSON Pointer, has this value.

    >>> lost = Answer(200, {"Content-Type": "application/json"}, "", b'{"success": false}')
    >>> json_field("success", False)(lost)
    <SessionError.EXPIRED: 'session_expired'>
    """
    return partial(_json_field, name=name, value=value, error=error)


def _json_field(answer: Answer, name: str, value: object, error: Error) -> Error | None:
    kind = answer.media_type
    if not (kind in _MAY_BE_JSON or kind.endswith(("/json", "+json", "/x-json"))):
        return None
    return error if _has_member(answer, name, value) else None


def problem(code: str, *, error: Error | None = None) -> Signal:
    """Match a problem document (RFC 9457) whose member `error` is this code.

    >>> kind = {"Content-Type": "application/problem+json"}
    >>> problem("csrf_invalid")(Answer(403, kind, "", b'{"error": "csrf_invalid"}'))
    'csrf_invalid'
    """
    return partial(_problem, code=code, error=code if error is None else error)


def _problem(answer: Answer, code: str, error: Error) -> Error | None:
    if answer.media_type != "application/problem+json":
        return None
    return error if _has_member(answer, "error", code) else None


def _has_member(answer: Answer, name: str, value: object) -> bool:
    try:
        found = member(answer.json(), name)
    except (ValueError, LookupError):
        return False
    # In JSON, unlike in Python, 1 is not true.
    return found == value and isinstance(found, bool) == isinstance(value, bool)


def html_form(*names: str, error: Error = _EXPIRED) -> Signal:
    """Match a page with a form that has these fields; without names, a password field.

    >>> page = b'<form method="post"><input name="password" type="password"></form>'
    >>> html_form("password")(Answer(200, {"Content-Type": "text/html"}, "", page))
    <SessionError.EXPIRED: 'session_expired'>
    """
    return partial(_html_form, names=names, error=error)


def _html_form(answer: Answer, names: tuple[str, ...], error: Error) -> Error | None:
    if answer.media_type not in {"text/html", "application/xhtml+xml"}:
        return None
    from relogin.client.logins.forms.page import form_with  # slow to import, seldom used

    return error if answer.find(lambda text: form_with(text, names)) is not None else None


# How the drivers ask


def signalled(signals: Sequence[Signal], answer: Answer, more: Callable[[], bytes]) -> Error | None:
    """Ask the signals about a response. `more` reads more of the body; at its end, nothing."""
    asked = _ask(signals, answer)
    try:
        next(asked)
        while True:
            asked.send(more())
    except StopIteration as end:
        error: Error | None = end.value
        return error


async def signalled_async(
    signals: Sequence[Signal], answer: Answer, more: Callable[[], Awaitable[bytes]]
) -> Error | None:
    """Do the same as `signalled`, with a `more` that is awaited."""
    asked = _ask(signals, answer)
    try:
        next(asked)
        while True:
            asked.send(await more())
    except StopIteration as end:
        error: Error | None = end.value
        return error


def _ask(signals: Sequence[Signal], answer: Answer) -> Generator[None, bytes, Error | None]:
    """Ask each signal until one matches; read on when a signal needs more of the body."""
    for signal in signals:
        said = yield from _say(signal, answer)
        if said:
            return said if isinstance(said, str) else _EXPIRED
    return None


def _say(signal: Signal, answer: Answer) -> Generator[None, bytes, Error | bool | None]:
    while True:
        try:
            return signal(answer)
        except Unread:
            answer.take((yield), MOST_OCTETS)
