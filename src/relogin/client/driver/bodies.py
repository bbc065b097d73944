"""Bodies that are sent again: files are put back, iterables must repeat themselves."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from relogin.errors import BodyNotReplayable

__all__ = ["AsyncChunks", "Chunks", "Passes", "seek", "spent"]


def spent() -> BodyNotReplayable:
    """Return the error about a body that is used up."""
    return BodyNotReplayable("the body cannot be read a second time, so it was not sent again")


def seek(file: Any, position: int) -> bool:
    """Put a file back to a position; return `False` if that fails or is not certain."""
    try:
        file.seek(position)
        return bool(file.tell() == position)
    except Exception:  # noqa: BLE001 - an object of the user may raise anything
        return False


class Passes:
    """Remembers what was sent of a body, and refuses a pass that starts or ends differently.

    You cannot see whether an object can be iterated twice: a progress bar around a generator looks
    as if it could, but the second upload would be empty. An error in the middle of a body is safe:
    without the last chunk, or with too few octets, no server takes it for a complete body.
    """

    def __init__(self, spent: Callable[[], Exception] = spent) -> None:
        self._spent = spent
        self._first = b""
        self._farthest = 0

    def check(self, sent: int, chunk: bytes) -> int:
        """Compare the chunk that follows `sent` octets; return how many octets that makes."""
        if sent == 0:
            self._first = self._first or chunk
            if chunk and chunk != self._first:
                raise self._spent()
        sent += len(chunk)
        self._farthest = max(self._farthest, sent)
        return sent

    def ended(self, sent: int) -> None:
        """Compare the end with the longest pass so far."""
        if sent < self._farthest:
            raise self._spent()


class Chunks:
    """A body that is iterated each time it is sent."""

    def __init__(self, source: Iterable[bytes], passes: Passes) -> None:
        self._source = source
        self._passes = passes
        self._begun: Iterator[bytes] | None = None

    def can_repeat(self) -> bool:
        """Tell whether it can be iterated twice: an iterator is its own, and one pass spends it."""
        return iter(self._source) is not iter(self._source)

    def begin(self) -> None:
        """Start the next pass before its request is sent."""
        pieces = self._pass()
        self._begun = chain([next(pieces, b"")], pieces)

    def __iter__(self) -> Iterator[bytes]:
        begun, self._begun = self._begun, None
        return begun or self._pass()

    def _pass(self) -> Iterator[bytes]:
        sent = 0
        for chunk in self._source:
            sent = self._passes.check(sent, chunk)
            yield chunk
        self._passes.ended(sent)


class AsyncChunks:
    """A body that is iterated asynchronously each time it is sent."""

    def __init__(self, source: AsyncIterable[bytes], passes: Passes) -> None:
        self._source = source
        self._passes = passes
        self._begun: tuple[bytes, AsyncIterator[bytes]] | None = None

    async def begin(self) -> None:
        """Start the next pass before its request is sent."""
        pieces = self._pass()
        self._begun = await anext(pieces, b""), pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        (first, pieces), self._begun = self._begun or (b"", self._pass()), None
        yield first
        async for chunk in pieces:
            yield chunk

    async def _pass(self) -> AsyncIterator[bytes]:
        sent, chunks = 0, aiter(self._source)
        try:
            async for chunk in chunks:
                sent = self._passes.check(sent, chunk)
                yield chunk
            self._passes.ended(sent)
        finally:  # trio requires every generator to be closed
            if hasattr(chunks, "aclose"):
                await chunks.aclose()
