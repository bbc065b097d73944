"""Whether the body of a request of aiohttp can be sent a second time, whole.

aiohttp puts a file back to its start by itself. But if that fails, it continues, and sends what is
left: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any, NoReturn, TypeAlias

from aiohttp import ClientRequest, MultipartWriter
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import (
    AsyncIterablePayload,
    BytesPayload,
    IOBasePayload,
    Payload,
    TextIOPayload,
)

from relogin.client.aiohttp.sending import begin
from relogin.client.driver.bodies import AsyncChunks, Passes, seek
from relogin.errors import BodyNotReplayable

__all__ = ["Repeated", "Rewind", "pieces", "rewinding", "watch"]

Rewind: TypeAlias = Callable[[], bool]
"""Puts a body back to its start; returns `False` if it cannot be sent again."""


def watch(request: ClientRequest) -> Rewind:
    """Prepare a body to be sent twice; call this before it is sent for the first time."""
    payload: Any = request.body
    if type(payload) is AsyncIterablePayload:
        source = payload._value  # what the user passed; there is no public access
        if aiter(source) is not aiter(source):  # an iterator is its own; one pass spends it
            payload = request._body = Repeated(payload, AsyncChunks(source, Passes()))
    return rewinding(payload)


def rewinding(payload: Any) -> Rewind:
    """Find a function that puts a body back, without reading the body."""
    if not payload or isinstance(payload, BytesPayload | Repeated):
        return _always
    if isinstance(payload, IOBasePayload):
        return _file(payload)
    if isinstance(payload, MultipartWriter):
        parts = [rewinding(part) for part, _, _ in payload]
        return lambda: all(rewind() for rewind in parts)
    return _never  # an iterator, or a payload class of the user: unknown


def _always() -> bool:
    return True


def _never() -> bool:
    return False


def _file(payload: Any) -> Rewind:
    file, position = payload._value, payload._start_position  # a redirect may have sent it before
    try:
        return partial(_again, payload, file.tell() if position is None else position)
    except Exception:  # noqa: BLE001 - a file object of the user may raise anything
        return _never


def _again(payload: Any, position: int) -> bool:
    begin(payload)
    return seek(payload._value, position)


def pieces(payload: Any, rewind: Rewind) -> Iterable[bytes] | None:
    """Read a body before it is sent; `None` if it cannot be read twice, or only in a task."""
    if not payload:
        return ()
    if isinstance(payload, BytesPayload):
        return (payload._value,)
    if isinstance(payload, TextIOPayload) or not isinstance(payload, IOBasePayload) or not rewind():
        return None
    return _read(payload._value, rewind)


def _read(file: Any, rewind: Rewind) -> Iterator[bytes]:
    while piece := file.read(64 * 1024):
        yield piece
    if not rewind():
        raise BodyNotReplayable("the body was read to sign it, and cannot be read again")


class Repeated(Payload):
    """A body that is iterated asynchronously each time it is sent."""

    def __init__(self, payload: Payload, chunks: AsyncChunks) -> None:
        super().__init__(chunks, headers=payload.headers)
        self.chunks = chunks

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write all of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write it, up to the Content-Length of the request."""
        left = content_length
        pieces: Any = aiter(self.chunks)
        async with aclosing(pieces) as chunks:
            async for chunk in chunks:
                await writer.write(chunk if left is None else chunk[:left])
                left = None if left is None else max(left - len(chunk), 0)

    def decode(self, *_: object, **__: object) -> NoReturn:
        """Raise `TypeError`: decoding would spend the body."""
        raise TypeError("this body is read when it is sent")
