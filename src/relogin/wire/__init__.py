"""RFC 9110 §11 on the wire: fields to values and back, without I/O and without a framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from relogin.lazy import lazy_modules

if TYPE_CHECKING:
    from relogin.wire import scan
else:
    __getattr__ = lazy_modules(__name__, "scan")

__all__ = ["MAX_LENGTH", "Scanned", "scan"]

MAX_LENGTH = 16384
"""How many characters a field may have unless the caller says otherwise."""

Scanned: TypeAlias = tuple[str, str | None, dict[str, str]]
"""A challenge as plain values: its scheme, its token68 or none, its parameters."""
