"""Whether the body of a request of niquests can be sent a second time, whole.

This is for asynchronous bodies; `relogin.client.requests.body` is for the others.
"""

from __future__ import annotations

from typing import Any

from niquests import PreparedRequest

from relogin.client.driver.bodies import AsyncChunks, Passes
from relogin.client.requests import body

__all__ = ["repeated", "rewind", "watch"]


def watch(prepared: PreparedRequest) -> None:
    """Prepare a body to be sent twice; call this before it is sent for the first time."""
    source: Any = prepared.body
    if not hasattr(source, "__aiter__"):
        if source is not None:
            shared: Any = prepared
            body.watch(shared)
    elif aiter(source) is not aiter(source):  # an iterator is its own; one pass spends it
        prepared.body = AsyncChunks(source, Passes())


def rewind(prepared: PreparedRequest) -> bool:
    """Put the body back to its position when prepared; return `False` if that fails."""
    if hasattr(prepared.body, "__aiter__"):
        return repeated(prepared) is not None
    shared: Any = prepared
    return body.rewind(shared)


def repeated(prepared: PreparedRequest) -> AsyncChunks | None:
    """Return the body if it is iterated asynchronously each time it is sent."""
    return prepared.body if isinstance(prepared.body, AsyncChunks) else None
