"""Looking into an answer that nobody has read yet, and leaving it as it was."""

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

_MOST_PIECES = 64  # that a transport has at hand: one of the user's own may never wait


def look(library: Library, signals: Sequence[Signal], response: Response) -> Error | None:
    """Ask signals about a response; they read no more of it than they need."""
    seen = _Seen(library, response)

    def more() -> bytes:
        tape = _taped(library, response)
        # What breaks off here will do so for its reader too.
        with suppress(library.HTTPError), hurried(response):
            while piece := tape.record():
                if decoded := seen.decoded(piece):
                    return decoded
        return seen.rest()

    return signalled(signals, _answer(library, response), more)


async def look_async(
    library: Library, signals: Sequence[Signal], response: Response
) -> Error | None:
    """Ask signals about a response, as `look` does."""
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
    if is_read(response):  # by a hook; or it is a redirect that httpx has followed
        with suppress(library.StreamError):  # a hook that kept it for itself
            answer.octets = response.content
        answer.reading = False
    return answer


def free(library: Library, response: Response) -> None:
    """Read an answer that may yet be returned to its end, where that is near: others may wait."""
    if _is_short(response):
        tape = _taped(library, response)
        with suppress(library.HTTPError):
            while tape.record():
                pass


async def free_async(library: Library, response: Response) -> None:
    """Read an answer to its end, as `free` does."""
    if _is_short(response):
        tape = _taped_async(library, response)
        with suppress(library.HTTPError):
            while await tape.record():
                pass


def _is_short(response: Response) -> bool:
    length = response.headers.get("Content-Length", "")
    return not is_read(response) and length.isdecimal() and int(length) <= MOST_OCTETS


class _Seen:
    """What has been seen of a body, decoded as far as that goes.

    httpx decodes whole bodies only, or iterates over them, and nothing that is still to come can
    be iterated over by both of its clients. So the beginning is decoded anew when it has grown.
    """

    def __init__(self, library: Library, response: Response) -> None:
        self._library = library
        self._headers = response.headers
        self._encoded = "Content-Encoding" in response.headers
        self._octets = bytearray()
        self._grown = 0.0
        self._given = 0

    def decoded(self, piece: bytes) -> bytes:
        """Take some more of the body; return what came out of it, if anything did yet."""
        if not self._encoded:
            return piece
        self._octets += piece
        if len(self._octets) < self._grown:
            return b""
        self._grown = 1.25 * len(self._octets)  # or a body in single octets would cost its square
        return self.rest()

    def rest(self) -> bytes:
        """Return what has not been returned yet."""
        stream = self._library.ByteStream(bytes(self._octets))
        whole = bytearray()
        trial = self._library.Response(200, headers=self._headers, stream=stream)
        with suppress(self._library.DecodingError):  # it is cut off, or makes no sense
            for piece in trial.iter_bytes():
                whole += piece
        found = bytes(whole[self._given :])
        self._given = len(whole)
        return found


class _Tape:
    """A body that gives what was recorded of it once more, and then the rest."""

    def __init__(self, library: Library, stream: Any) -> None:
        self._failure = library.HTTPError
        self._stream = stream
        self._live: Iterator[bytes] = iter(stream)
        self._kept: list[bytes] = []
        self._broken: Exception | None = None

    def record(self) -> bytes:
        """Read some more; nothing where it has ended, and its connection is free again."""
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
        """How long the response took, where the library asks its stream."""
        return getattr(self._stream, "elapsed", None)

    def __iter__(self) -> Iterator[bytes]:
        yield from self._kept
        if self._broken is not None:
            raise self._broken
        yield from self._live

    def close(self) -> None:
        self._stream.close()


class _AsyncTape:
    """A body that gives what was recorded of it once more, and then the rest."""

    def __init__(self, library: Library, stream: Any) -> None:
        self._failure = library.HTTPError
        self._stream = stream
        self._live: AsyncIterator[bytes] = aiter(stream)
        self._kept: list[bytes] = []
        self._broken: Exception | None = None

    async def record(self) -> bytes:
        """Read some more; nothing where it has ended, and its connection is free again."""
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
        """How long the response took, where the library asks its stream."""
        return getattr(self._stream, "elapsed", None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._kept:
            yield piece
        if self._broken is not None:
            raise self._broken
        async for piece in self._live:
            yield piece

    async def aclose(self) -> None:
        # Cancelled in their next read, the generators within end in order, as trio wants them to.
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
