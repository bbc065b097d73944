"""Shared by the drivers: how to run a flow, and how to write a grant into header fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.lazy import lazy_modules

if TYPE_CHECKING:
    from relogin.client.driver import login_call, tasks
else:
    # Without an event loop, neither anyio nor asyncio is needed; both are slow to import.
    __getattr__ = lazy_modules(__name__, "login_call", "tasks")

__all__ = ["login_call", "tasks"]
