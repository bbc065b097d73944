"""Reading the start of an unread response, which you can still read as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from relogin.client.httpx_family.body import MOST_OCTETS, hurried, is_read
from relogin.client.httpx_family.library import Library, Response
from relogin.client.signals import Error, Signal, signalled, signalled_async
from relogin.client.terms.answer import Answer

__all__ = ["free", "free_async", "look", "look_async"]

_MOST_PIECES = 64  # available at once: a transport of the user may never wait


def look(library: Library, signals: Sequence[Signal], response: Response) -> Error | None:
    """Ask signals about a response; they read no more of it than they need."""
    seen = _Seen(library, response)

    def more() -> bytes:
        tape = _taped(library, response)
        # If it breaks off here, it will do so for its reader too.
        with suppress(library.HTTPError), hurried(response):
            while piece := tape.record():
                if decoded := seen.decoded(piece):
                    return decoded
        return seen.rest()

    return signalled(signals, _answer(library, response), more)


async def look_async(
    library: Library, signals: Sequence[Signal], response: Response
) -> Error | None:
    """Do the same as `look`."""
    seen = _Seen(library, response)

    async def more() -> bytes:
        tape = _taped_async(library, response)
        with suppress(library.HTTPError):
            while piece := await tape.record():
                if decoded := seen.decoded(piece):
                    return decoded
        return seen.rest()

    return await signalled_async(signals, _answer(library, response), more)


def _answer(library: Library, response: Response) -> Answer:
    answer = Answer(response.status_code, response.headers, str(response.url), reading=True)
    if is_read(response):  # by a hook, or as a redirect that httpx followed
        with suppress(library.StreamError):  # a hook has streamed it
            answer.octets = response.content
        answer.reading = False
    return answer


def free(library: Library, response: Response) -> None:
    """Read a short response to its end to free its connection; you may still get it."""
    if _is_short(response):
        tape = _taped(library, response)
        with suppress(library.HTTPError):
            while tape.record():
                pass


async def free_async(library: Library, response: Response) -> None:
    """Do the same as `free`."""
    if _is_short(response):
        tape = _taped_async(library, response)
        with suppress(library.HTTPError):
            while await tape.record():
                pass


def _is_short(response: Response) -> bool:
    length = response.headers.get("Content-Length", "")
    return not is_read(response) and length.isdecimal() and int(length) <= MOST_OCTETS


class _Seen:
    """The start of a body, decoded as far as possible.

    httpx can only decode a body as a whole or while iterating, and its clients cannot both iterate
    over a body that has not arrived. So the start is decoded again when it has grown.
    """

    def __init__(self, library: Library, response: Response) -> None:
        self._library = library
        self._headers = response.headers
        self._encoded = "Content-Encoding" in response.headers
        self._octets = bytearray()
        self._grown = 0.0
        self._given = 0

    def decoded(self, piece: bytes) -> bytes:
        """Add a piece of the body; return what can be decoded so far and was not returned yet."""
        if not self._encoded:
            return piece
        self._octets += piece
        if len(self._octets) < self._grown:
            return b""
        self._grown = 1.25 * len(self._octets)  # or single octets would take quadratic time
        return self.rest()

    def rest(self) -> bytes:
        """Return what has not been returned yet."""
        stream = self._library.ByteStream(bytes(self._octets))
        whole = bytearray()
        trial = self._library.Response(200, headers=self._headers, stream=stream)
        with suppress(self._library.DecodingError):  # it is cut off, or malformed
            for piece in trial.iter_bytes():
                whole += piece
        found = bytes(whole[self._given :])
        self._given = len(whole)
        return found


class _Tape:
    """A body that yields what was recorded, and then the rest."""

    def __init__(self, library: Library, stream: Any) -> None:
        self._failure = library.HTTPError
        self._stream = stream
        self._live: Iterator[bytes] = iter(stream)
        self._kept: list[bytes] = []
        self._broken: Exception | None = None

    def record(self) -> bytes:
        """Read and record a piece; an empty one at the end, when the connection is free."""
        try:
            piece = next(self._live, b"")
        except self._failure as error:
            self._broken = error
            raise
        self._kept.append(piece)
        if not piece:
            self.close()
        return piece

    @property
    def elapsed(self) -> timedelta | None:
        """How long the response took, if the library asks its stream."""
        return getattr(self._stream, "elapsed", None)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._kept
        if self._broken is not None:
            raise self._broken
        yield from self._live

    def close(self) -> None:
        self._stream.close()


class _AsyncTape:
    """A body that yields what was recorded, and then the rest."""

    def __init__(self, library: Library, stream: Any) -> None:
        self._failure = library.HTTPError
        self._stream = stream
        self._live: AsyncIterator[bytes] = aiter(stream)
        self._kept: list[bytes] = []
        self._broken: Exception | None = None

    async def record(self) -> bytes:
        """Read and record a piece; an empty one at the end, when the connection is free."""
        try:
            piece = await anext(self._live, b"")
        except self._failure as error:
            self._broken = error
            raise
        self._kept.append(piece)
        if not piece:
            await self.aclose()
        return piece

    @property
    def elapsed(self) -> timedelta | None:
        """How long the response took, if the library asks its stream."""
        return getattr(self._stream, "elapsed", None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._kept:
            yield piece
        if self._broken is not None:
            raise self._broken
        async for piece in self._live:
            yield piece

    async def aclose(self) -> None:
        # A cancelled read ends the inner generators in order, as trio requires.
        import anyio

        with anyio.CancelScope() as scope, suppress(self._failure):
            scope.cancel()
            pieces = 0
            async for _ in self._live:
                pieces += 1
                if pieces > _MOST_PIECES:
                    break
        await self._stream.aclose()


def _taped(library: Library, response: Response) -> _Tape:
    if not isinstance(response.stream, _Tape):
        response.stream = library.streaming(_Tape)(library, response.stream)
    return cast("_Tape", response.stream)


def _taped_async(library: Library, response: Response) -> _AsyncTape:
    if not isinstance(response.stream, _AsyncTape):
        response.stream = library.streaming(_AsyncTape)(library, response.stream)
    return cast("_AsyncTape", response.stream)
