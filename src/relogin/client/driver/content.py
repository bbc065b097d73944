"""The header fields that speak of a request's content."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["has_body", "of_a_body"]

_OF_A_BODY = frozenset({"transfer-encoding", "expect", "trailer", "if-match", "if-none-match"})


def has_body(headers: Mapping[str, str]) -> bool:
    """Tell whether a request has content (RFC 9112 §6)."""
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def of_a_body(name: str) -> bool:
    """Tell whether a field says something of the content, or depends on its being sent."""
    return name.lower().startswith("content-") or name.lower() in _OF_A_BODY
