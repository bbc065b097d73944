"""Bodies of every shape that httpx can send, and a few that only look like it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

WHOLE = b"first chunk, " + b"x" * 100_000 + b", last chunk"
PARTS = [WHOLE[:13], WHOLE[13:50_000], WHOLE[50_000:]]


class Repeatable:
    """An iterable that can be read as often as one likes, by either client."""

    def __init__(self, around: Any = PARTS) -> None:
        self.around = around

    def __iter__(self) -> Iterator[bytes]:
        yield from self.around


class AsyncRepeatable:
    def __init__(self, around: Any = PARTS) -> None:
        self.around = around

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.around:
            yield part


class Enveloped(Repeatable):
    """Begins the same each time, and ends too soon the second time."""

    def __iter__(self) -> Iterator[bytes]:
        yield PARTS[0]
        yield from self.around


class AsyncEnveloped(AsyncRepeatable):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PARTS[0]
        for part in self.around:
            yield part


class Numbered(Repeatable):
    """Begins otherwise each time."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"%d" % self.around.pop()


class AsyncNumbered(AsyncRepeatable):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"%d" % self.around.pop()


class Unseekable(io.BytesIO):
    """A file that has no position, although it has all that goes with one."""

    def tell(self) -> int:
        raise OSError("no position")

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation


class Read(io.BytesIO):
    """Behaves until it has been read."""

    was_read = False

    def read(self, size: int | None = -1) -> bytes:
        self.was_read = True
        return super().read(size)


class FailingSeek(Read):
    def seek(self, position: int, whence: int = 0) -> int:
        if self.was_read:
            raise NotImplementedError
        return super().seek(position, whence)


class LyingSeek(Read):
    def seek(self, position: int, whence: int = 0) -> int:
        return position if self.was_read else super().seek(position, whence)


class Stream(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield from PARTS


class AsyncStream(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in PARTS:
            yield part


class StreamOfBoth(Stream, AsyncStream):
    """A body of the user's own for either client."""


async def produced() -> AsyncIterator[bytes]:
    for part in PARTS:
        yield part


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
    "iterable": Repeatable,
    "iterable that begins with nothing": lambda: Repeatable([b"", *PARTS]),
    "progress bar around a list": lambda: Repeatable(PARTS),
    "BytesIO": lambda: io.BytesIO(WHOLE),
    "stream": Stream,
}
ASYNC: dict[str, Callable[[], Any]] = {
    "asynchronous iterable": AsyncRepeatable,
    "asynchronous iterable that begins with nothing": lambda: AsyncRepeatable([b"", *PARTS]),
    "asynchronous stream": AsyncStream,
    "asynchronous iterators": AsyncAgain,
}
SPENT_SYNC: dict[str, Callable[[], Any]] = {
    "generator": lambda: (part for part in PARTS),
    "iterator": lambda: iter(PARTS),
    "progress bar around a generator": lambda: Repeatable(part for part in PARTS),
    "another body each time": lambda: Numbered([1, 2, 3]),
    "no position": lambda: Unseekable(WHOLE),
    "failing seek": lambda: FailingSeek(WHOLE),
    "lying seek": lambda: LyingSeek(WHOLE),
}
SPENT_ASYNC: dict[str, Callable[[], Any]] = {
    "asynchronous generator": produced,
    "asynchronous iterator": AsyncIterating,
    "progress bar around a generator": lambda: AsyncRepeatable(part for part in PARTS),
    "another body each time": lambda: AsyncNumbered([1, 2, 3]),
    "asynchronous file": AsyncFile,
}
