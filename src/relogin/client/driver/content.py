"""The header fields that describe the content of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["has_body", "is_precious", "of_a_body"]

# A body of this many octets takes a while to send.
_LONG = 1_000_000

_OF_A_BODY = frozenset({"transfer-encoding", "expect", "trailer", "if-match", "if-none-match"})


def has_body(headers: Mapping[str, str]) -> bool:
    """Tell whether a request has content (RFC 9112 §6)."""
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def is_precious(headers: Mapping[str, str], rewind: Callable[[], bool]) -> bool:
    """Tell whether a request is costly to repeat: it is long, or cannot be sent twice."""
    if not has_body(headers):
        return False
    length = headers.get("Content-Length", "")
    return (length.isdecimal() and int(length) >= _LONG) or not rewind()


def of_a_body(name: str) -> bool:
    """Tell whether a field describes the content, or makes sense only with it."""
    return name.lower().startswith("content-") or name.lower() in _OF_A_BODY
