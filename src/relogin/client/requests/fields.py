"""Header fields of requests, looked up and copied at once.

A `CaseInsensitiveDict` copies each field by several calls, and raises and catches a `KeyError` for
each field that it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests.structures import CaseInsensitiveDict

__all__ = ["copied", "has"]

# How requests keeps the fields is its own affair: if it changes, take the slow way.
_IS_KNOWN = vars(CaseInsensitiveDict()) == {"_store": {}}


def has(headers: Mapping[str, str], name: str) -> bool:
    """Tell whether there is a field of this name, which is in lower case."""
    if _IS_KNOWN and type(headers) is CaseInsensitiveDict:
        return name in vars(headers)["_store"]
    return any(each.lower() == name for each in headers)


def copied(headers: Any) -> Any:
    """Copy the header fields of a request."""
    if not _IS_KNOWN or type(headers) is not CaseInsensitiveDict:  # of niquests, or of the user
        return headers.copy()
    copy: CaseInsensitiveDict[str] = object.__new__(CaseInsensitiveDict)
    vars(copy)["_store"] = vars(headers)["_store"].copy()
    return copy
