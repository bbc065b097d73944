"""Header fields: what can be a name, and what can be a value (RFC 9110 §5)."""

from __future__ import annotations

import re
from collections.abc import Callable

from relogin.wire.abnf import QUOTABLE, TOKEN

__all__ = ["check_field_name", "is_event_stream", "is_field_value", "is_token"]

# RFC 9110 §5.5
is_field_value: Callable[[str], re.Match[str] | None] = re.compile(
    rf"(?![\t ]){QUOTABLE}++(?<![\t ])"
).fullmatch

# RFC 9110 §5.6.2
is_token: Callable[[str], re.Match[str] | None] = re.compile(TOKEN).fullmatch

# These say how to read a message, or where it goes.
_RESERVED = frozenset({"connection", "content-length", "host", "transfer-encoding"})


def check_field_name(where: str, name: object) -> None:
    """Raise `TypeError` or `ValueError` for a header name that cannot carry a session."""
    if not isinstance(name, str):
        raise TypeError(f"{where}: a header name must be a str, not {type(name).__name__}")
    if not is_token(name):
        raise ValueError(f"{where}: {name[:60]!r} is not a valid header name (RFC 9110 §5.6.2)")
    if name.lower() == "cookie":
        raise ValueError(f"{where}: cookies are given with Grant(cookies=…), not as a header")
    if name.lower() in _RESERVED:
        raise ValueError(f"{where}: {name} cannot carry a session; name another header")


def is_event_stream(content_type: str | None) -> bool:
    """Tell whether a Content-Type is that of server-sent events."""
    return content_type is not None and content_type[:17].lower() == "text/event-stream"
