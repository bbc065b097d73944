"""Whether the body of a request of niquests can be sent a second time, whole.

This is for asynchronous bodies; `relogin.client.requests.body` is for the others.
"""

from __future__ import annotations

from typing import Any

from relogin.client.driver.passes import AsyncChunks, Passes
from relogin.client.requests import body
from relogin.errors import BodyNotReplayable

__all__ = ["is_repeated", "rewind", "watch"]


def watch(prepared: Any) -> None:
    """Prepare a body to be sent twice; call this before it is sent for the first time."""
    source = prepared.body
    if not hasattr(source, "__aiter__"):
        if source is not None:
            body.watch(prepared)
    elif aiter(source) is not aiter(source):  # an iterator is its own; one pass spends it
        prepared.body = AsyncChunks(source, Passes(_spent))


def rewind(prepared: Any) -> bool:
    """Put the body back to its position when prepared; return `False` if that fails."""
    if hasattr(prepared.body, "__aiter__"):
        return is_repeated(prepared)
    return body.rewind(prepared)


def is_repeated(prepared: Any) -> bool:
    """Tell whether the body is iterated asynchronously each time it is sent."""
    return isinstance(prepared.body, AsyncChunks)


def _spent() -> BodyNotReplayable:
    return BodyNotReplayable("the body cannot be read a second time: it is not sent short")
