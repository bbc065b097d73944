"""What the response to a login says: a refusal or an outage, or JSON with a token."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from relogin.client.terms.answer import Answer, member
from relogin.errors import LoginRefused, LoginUnavailable

__all__ = [
    "REFUSALS",
    "check",
    "document_of",
    "instead",
    "is_plain",
    "member_of",
    "members_of",
    "retry_after",
    "said",
    "seconds",
    "text_in",
    "where",
]

# What servers answer to a wrong password. Other failures may be temporary, and are tried again.
REFUSALS = frozenset({400, 401, 403, 422})


def where(url: str) -> str:
    """Return a URL without its query, which may contain secrets."""
    return url.partition("#")[0].partition("?")[0]


def said(answer: Answer) -> str:
    """Return the URL and the status of a response, for a message."""
    return f"{where(answer.url)} answered {answer.status}"


def check(answer: Answer, *, secret_sent: bool = True, hint: str = "") -> None:
    """Raise `LoginRefused` or `LoginUnavailable`, unless the status is one of success.

    A response to a request that carried no password cannot refuse one.
    """
    if 200 <= answer.status < 300:
        return
    pause = retry_after(answer.headers)
    # A server that says when to come again has not refused for good.
    if secret_sent and answer.status in REFUSALS and pause is None:
        raise LoginRefused(said(answer) + hint)
    raise LoginUnavailable(said(answer) + hint, retry_after=pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (RFC 9110 §10.2.3) as seconds from now."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,10}", value):
        return float(value)
    until = _date(value)
    if until is None:
        return None
    # By the server's own clock if we know it: ours may be wrong.
    now = _date(headers.get("Date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for an hour, or a zone, of twenty digits
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def document_of(answer: Answer) -> Any:
    """Return the JSON of a response that must be JSON."""
    coding = answer.headers.get("Content-Encoding", "identity")  # we have asked for none
    coded = (
        f"; its Content-Encoding is {coding}" if coding != "identity" and is_plain(coding) else ""
    )
    if answer.cut:
        text = f"{said(answer)} with a response that is too long or incomplete{coded}"
        raise LoginUnavailable(text)
    try:
        return answer.json()
    except ValueError as error:
        page = " but an HTML page" if answer.media_type == "text/html" else ""
        raise LoginUnavailable(f"{said(answer)}: {error}{page}{coded}") from error


def text_in(document: object, name: str, answer: Answer, sent: str) -> str:
    """Return a member of a response that must be there; what was `sent` is not shown."""
    found = member_of(document, name)
    if isinstance(found, str) and found:
        return found
    is_path = "/" in name and not name.startswith("/")
    hint = f" (a path begins with a slash: '/{name}')" if is_path else ""
    clues = members_of(document, sent) + _advice(document)
    raise LoginUnavailable(f"{said(answer)} without a string in {name!r}{hint}{clues}")


def instead(answer: Answer, sent: Container[str] | None = None) -> str:
    """Say what JSON that lacks a text may mean, and what it has, if we know what was `sent`."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    return ("" if sent is None else members_of(document, sent)) + _advice(document)


def _advice(document: object) -> str:
    is_error = isinstance(document, dict) and _is_error(document)
    return "; if this means a wrong password, pass refused=" if is_error else ""


def _is_error(document: dict[str, object]) -> bool:
    """Tell whether a response looks like a refusal in spite of its status."""
    told = any(document.get(name) for name in ("error", "errors", "errcode"))
    code = document.get("code")
    is_code = isinstance(code, int) and code not in (0, 200)
    return told or is_code or any(document.get(name) is False for name in ("ok", "success"))


def is_plain(text: str) -> bool:
    """Tell whether a text of the server's can be shown: a short name or code."""
    return _PLAIN.fullmatch(text) is not None


_PLAIN = re.compile(r"[A-Za-z0-9_.\-]{1,40}")


def members_of(document: object, secrets: Container[str]) -> str:
    """Name the members of a JSON response, for a message that must show no value."""
    if not isinstance(document, dict):
        return f"; its JSON is a {type(document).__name__}, not an object"
    names = sorted(n for n in document if is_plain(n) and n not in secrets)[:10]
    return f"; it has {', '.join(names)}" if names else "; it has no members"


def seconds(found: object) -> float | None:
    """Return a number of seconds, which some servers send as text, or `None` for anything else."""
    if isinstance(found, str) and _is_number(found):
        found = float(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if 0 <= found < 1e10 else None


_is_number = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?").fullmatch


def member_of(document: object, name: str) -> object:
    """Return a member of a response, or `None` if it is not there."""
    try:
        return member(document, name)
    except LookupError:
        return None
