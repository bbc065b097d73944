"""Shared by the drivers: how to run a flow, and how to write a grant into header fields."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relogin.client.driver import tasks

__all__ = ["tasks"]


def __getattr__(name: str) -> object:
    # Without an event loop, neither anyio nor asyncio is needed; both are slow to import.
    if name != "tasks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.tasks")
