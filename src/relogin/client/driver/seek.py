"""Putting the file of a body back to its position."""

from __future__ import annotations

from typing import Any

__all__ = ["seek"]


def seek(file: Any, position: int) -> bool:
    """Put a file back to a position; return `False` if that fails or is not certain."""
    try:
        file.seek(position)
        return bool(file.tell() == position)
    except Exception:  # noqa: BLE001 - an object of the user may raise anything
        return False
