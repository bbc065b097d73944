"""Bodies as users have them, which no library knows of."""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

WHOLE = b"first chunk, " + b"x" * 100_000 + b", last chunk"
PARTS = [WHOLE[:13], WHOLE[13:50_000], WHOLE[50_000:]]


def at_an_offset() -> io.BytesIO:
    file = io.BytesIO(b"not this: " + WHOLE)
    file.seek(10)
    return file


class Unseekable(io.RawIOBase):
    """A file that cannot go back, as a pipe cannot."""

    def __init__(self, octets: bytes) -> None:
        self.left = octets

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


class Quiet(io.FileIO):
    """A file that nobody closes, and nobody warns of."""

    def __del__(self) -> None:
        self.close()


def a_file() -> io.FileIO:
    with tempfile.NamedTemporaryFile(delete=False) as named:
        named.write(WHOLE)
    file = Quiet(named.name)
    Path(named.name).unlink()
    return file


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
    """Says that it went back, and did not."""

    def seek(self, position: int, whence: int = 0) -> int:
        return position if self.was_read else super().seek(position, whence)


class Again:
    """An iterable that can be read as often as what it is around: a progress bar is one."""

    def __init__(self, around: Any = PARTS) -> None:
        self.around = around

    def __iter__(self) -> Iterator[bytes]:
        yield from self.around


class Enveloped(Again):
    """Begins the same each time, and ends too soon the second time."""

    def __iter__(self) -> Iterator[bytes]:
        yield PARTS[0]
        yield from self.around


class AgainAsync:
    def __init__(self, around: Any = PARTS) -> None:
        self.around = around

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.around:
            yield part


class EnvelopedAsync(AgainAsync):
    """The same, read in a task."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield PARTS[0]
        for part in self.around:
            yield part


def produced() -> Iterator[bytes]:
    yield from PARTS


async def produced_async() -> AsyncIterator[bytes]:
    for part in PARTS:
        yield part
