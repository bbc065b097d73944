"""Header fields of requests: looked up and copied at once, and the challenges line by line.

A `CaseInsensitiveDict` copies each field by several calls, and raises and catches a `KeyError` for
each field that it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests import Response
from requests.structures import CaseInsensitiveDict

from relogin.client.terms.fields import is_event_stream

__all__ = ["CHALLENGE", "challenge_lines", "copied", "found", "has", "tells_more"]

CHALLENGE = "www-authenticate"

# How requests keeps the fields is its own affair: if it changes, take the slow way.
_IS_KNOWN = vars(CaseInsensitiveDict()) == {"_store": {}}


def has(headers: Mapping[str, str], name: str) -> bool:
    """Tell whether there is a field of this name, which is in lower case."""
    if _IS_KNOWN and type(headers) is CaseInsensitiveDict:
        return name in headers._store  # type: ignore[attr-defined]
    return any(each.lower() == name for each in headers)


def found(headers: Mapping[str, str], name: str) -> str | None:
    """Return the value of the field of this name, which is in lower case, or `None`."""
    if _IS_KNOWN and type(headers) is CaseInsensitiveDict:
        kept = headers._store.get(name)  # type: ignore[attr-defined]
        return None if kept is None else kept[1]
    return next((value for each, value in headers.items() if each.lower() == name), None)


_TELLING = frozenset({"www-authenticate", "authentication-info", "set-cookie", "location"})


def tells_more(headers: Mapping[str, str]) -> bool:
    """Tell whether the fields of a response may say more than that its session lives."""
    if not _IS_KNOWN or type(headers) is not CaseInsensitiveDict:
        return True
    kept = headers._store  # type: ignore[attr-defined]
    if not _TELLING.isdisjoint(kept):
        return True
    return "content-type" in kept and is_event_stream(kept["content-type"][1])


def copied(headers: Any) -> Any:
    """Copy the header fields of a request."""
    if not _IS_KNOWN or type(headers) is not CaseInsensitiveDict:  # of niquests, or of the user
        return headers.copy()
    copy: Any = object.__new__(CaseInsensitiveDict)
    copy._store = headers._store.copy()  # type: ignore[attr-defined]
    return copy


def challenge_lines(response: Response) -> list[str]:
    """Return the field lines one by one: a malformed one must not hide the others."""
    lines = getattr(getattr(response.raw, "headers", None), "getlist", None)
    if lines is not None:
        return list(lines(CHALLENGE))
    joined = response.headers.get(CHALLENGE)
    return [] if joined is None else [joined]
