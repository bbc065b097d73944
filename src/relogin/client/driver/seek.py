"""Putting the file of a body back to where it was."""

from __future__ import annotations

from typing import Any

__all__ = ["seek"]


def seek(file: Any, position: int) -> bool:
    """Put a file back to a position; `False` where it cannot, or does not say so."""
    try:
        file.seek(position)
        return bool(file.tell() == position)
    except Exception:  # noqa: BLE001 - the user's own object: whatever it raises, it cannot
        return False
