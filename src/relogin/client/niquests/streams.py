"""Event streams of niquests: if one ends, the reason may be that its session ended."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias
from weakref import ref

from niquests import Response
from niquests.packages import urllib3

__all__ = ["watch"]

Ended: TypeAlias = Callable[[Response], Any]

_BROKEN = (urllib3.exceptions.HTTPError, OSError)


def watch(response: Response, ended: Ended) -> None:
    """Call `ended` once a stream was read to its end or broke off; await it in a task.

    Closing the response does not count as its end.
    """
    raw: Any = response.raw
    reading = _read_async if inspect.iscoroutinefunction(raw.read) else _read
    stream = _Stream(raw, response, ended)
    # All that reads a response ends up in one of these: `iter_content`, `content`, events.
    raw.read = partial(reading, stream, type(raw).read)
    raw.read1 = partial(reading, stream, type(raw).read1)


class _Stream:
    """Weak references: if you drop a stream, its connection is closed at once."""

    def __init__(self, raw: Any, response: Response, ended: Ended) -> None:
        self.raw = ref(raw)
        self._response = ref(response)
        self._ended: Ended | None = ended

    def end(self) -> Any:
        """Tell that it has ended, once, if anybody could see that."""
        response, ended, self._ended = self._response(), self._ended, None
        return None if response is None or ended is None else ended(response)


def _read(stream: _Stream, read: Callable[..., bytes], *args: Any, **kwargs: Any) -> bytes:
    """Take the place of the method `read` of a response of urllib3-future."""
    raw: Any = stream.raw()
    was_closed = raw.isclosed()
    try:
        piece = read(raw, *args, **kwargs)
    except _BROKEN:
        if raw.extension is None:  # it is just reading, and closes itself
            raw.close()  # the check may need its connection
        stream.end()
        raise
    if raw.isclosed() and not was_closed:
        stream.end()
    return piece


async def _read_async(
    stream: _Stream, read: Callable[..., Awaitable[bytes]], *args: Any, **kwargs: Any
) -> bytes:
    raw: Any = stream.raw()
    was_closed = raw.isclosed()
    try:
        piece = await read(raw, *args, **kwargs)
    except _BROKEN:
        if raw.extension is None:
            await raw.close()
        await _awaited(stream.end())
        raise
    if raw.isclosed() and not was_closed:
        await _awaited(stream.end())
    return piece


async def _awaited(ended: Awaitable[None] | None) -> None:
    if ended is not None:
        await ended
