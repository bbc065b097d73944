"""What the drivers share: how a flow is stepped, and how a grant looks in header fields."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.client.driver import tasks

__all__ = ["tasks"]


def __getattr__(name: str) -> object:
    # Who has no event loop needs neither anyio nor asyncio, which take longer than all of ours.
    if name != "tasks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.tasks")
