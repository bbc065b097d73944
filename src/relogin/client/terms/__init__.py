"""Types and functions that all parts of the client share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.lazy import lazy_modules

if TYPE_CHECKING:
    from relogin.client.terms import sources
else:
    __getattr__ = lazy_modules(__name__, "sources")

__all__ = ["sources"]
