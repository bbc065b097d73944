"""Event streams of aiohttp: if one ends, the reason may be that its session ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeAlias, TypeVar

from aiohttp import ClientError, ClientResponse, StreamReader

__all__ = ["watch"]

T = TypeVar("T")
Ended: TypeAlias = Callable[[], Awaitable[None]]

_BROKEN = (ClientError, TimeoutError, OSError)


def watch(response: ClientResponse, ended: Ended) -> None:
    """Await `ended` when somebody has read a stream to its end, before they learn of that.

    Closing the response does not count as its end.
    """
    content: Any = response.content
    if type(content) is StreamReader:
        # The parser goes on feeding this object, and it has no room for an attribute.
        kind = {"__slots__": (), "_asks": [ended]}
        content.__class__ = type("EventStream", (_EventStream,), kind)


class _EventStream(StreamReader):
    """A stream that asks why it has ended. Each has a class of its own."""

    __slots__ = ()

    _asks: ClassVar[list[Ended]]

    async def read(self, n: int = -1) -> bytes:
        return await self._until_end(super().read(n), b"")

    async def readany(self) -> bytes:
        return await self._until_end(super().readany(), b"")

    async def readchunk(self) -> tuple[bytes, bool]:
        return await self._until_end(super().readchunk(), (b"", False))

    async def readuntil(self, *args: Any, **kwargs: Any) -> bytes:
        return await self._until_end(super().readuntil(*args, **kwargs), b"")

    async def _until_end(self, reading: Awaitable[T], nothing: T) -> T:
        try:
            piece = await reading
        except _BROKEN:
            await self._end()
            raise
        if piece == nothing and self.at_eof():
            await self._end()
        return piece

    async def _end(self) -> None:
        while self._asks:
            await self._asks.pop()()
