"""Bodies of every shape that httpx can send, and a few that only look like it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from tests.client.libraries.shapes import (
    PARTS,
    WHOLE,
    Again,
    AgainAsync,
    FailingSeek,
    LyingSeek,
    produced_async,
)


class Numbered(Again):
    """Begins otherwise each time."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"%d" % self.around.pop()


class AsyncNumbered(AgainAsync):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"%d" % self.around.pop()


class Unseekable(io.BytesIO):
    """A file that has no position, although it has all that goes with one."""

    def tell(self) -> int:
        raise OSError("no position")

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation


class Stream(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield from PARTS


class AsyncStream(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in PARTS:
            yield part


class Endless(httpx.AsyncByteStream):
    """An answer of the user's own transport, which never lets anybody else run."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 8192


class StreamOfBoth(Stream, AsyncStream):
    """A body of the user's own for either client."""


class AsyncIterating:
    """An asynchronous iterator: it gives itself when it is asked for one."""

    def __init__(self) -> None:
        self.parts = iter(PARTS)

    def __aiter__(self) -> AsyncIterating:
        return self

    async def __anext__(self) -> bytes:
        try:
            return next(self.parts)
        except StopIteration:
            raise StopAsyncIteration from None


class AsyncAgain:
    """Gives a new asynchronous iterator each time, which is no generator."""

    def __aiter__(self) -> AsyncIterating:
        return AsyncIterating()


class AsyncFile:
    """A file that is read asynchronously, and shows nothing of what is beneath it."""

    def __init__(self) -> None:
        self.inner = io.BytesIO(WHOLE)

    async def aread(self, size: int) -> bytes:
        return self.inner.read(size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"never"  # httpx reads what can be read


EITHER: dict[str, Callable[[], Any]] = {"bytes": lambda: WHOLE, "str": WHOLE.decode}
SYNC: dict[str, Callable[[], Any]] = {
    "list": lambda: PARTS,
    "iterable": Again,
    "iterable that begins with nothing": lambda: Again([b"", *PARTS]),
    "BytesIO": lambda: io.BytesIO(WHOLE),
    "stream": Stream,
}
ASYNC: dict[str, Callable[[], Any]] = {
    "asynchronous iterable": AgainAsync,
    "asynchronous iterable that begins with nothing": lambda: AgainAsync([b"", *PARTS]),
    "asynchronous stream": AsyncStream,
    "asynchronous iterators": AsyncAgain,
}
SPENT_SYNC: dict[str, Callable[[], Any]] = {
    "generator": lambda: (part for part in PARTS),
    "iterator": lambda: iter(PARTS),
    "progress bar around a generator": lambda: Again(part for part in PARTS),
    "another body each time": lambda: Numbered([1, 2, 3]),
    "no position": lambda: Unseekable(WHOLE),
    "failing seek": lambda: FailingSeek(WHOLE),
    "lying seek": lambda: LyingSeek(WHOLE),
}
SPENT_ASYNC: dict[str, Callable[[], Any]] = {
    "asynchronous generator": produced_async,
    "asynchronous iterator": AsyncIterating,
    "progress bar around a generator": lambda: AgainAsync(part for part in PARTS),
    "another body each time": lambda: AsyncNumbered([1, 2, 3]),
    "asynchronous file": AsyncFile,
}
