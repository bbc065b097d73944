"""Looking into an answer of httpx that nobody has read yet, and leaving it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import Any

import anyio
import httpx

from relogin.client.httpx.body import MOST_OCTETS, hurried, is_read
from relogin.client.signals import Error, Signal, signalled, signalled_async
from relogin.client.terms.answer import Answer

__all__ = ["free", "free_async", "look", "look_async"]

_MOST_PIECES = 64  # that a transport has at hand: one of the user's own may never wait


def look(signals: Sequence[Signal], response: httpx.Response) -> Error | None:
    """Ask signals about a response; they read no more of it than they need."""
    seen = _Seen(response)

    def more() -> bytes:
        tape = _taped(response)
        # What breaks off here will do so for its reader too.
        with suppress(httpx.HTTPError), hurried(response):
            while piece := tape.record():
                if decoded := seen.decoded(piece):
                    return decoded
        return seen.rest()

    return signalled(signals, _answer(response), more)


async def look_async(signals: Sequence[Signal], response: httpx.Response) -> Error | None:
    """Ask signals about a response, as `look` does."""
    seen = _Seen(response)

    async def more() -> bytes:
        tape = _taped_async(response)
        with suppress(httpx.HTTPError):
            while piece := await tape.record():
                if decoded := seen.decoded(piece):
                    return decoded
        return seen.rest()

    return await signalled_async(signals, _answer(response), more)


def _answer(response: httpx.Response) -> Answer:
    answer = Answer(response.status_code, response.headers, str(response.url), reading=True)
    if is_read(response):  # by a hook; or it is a redirect that httpx has followed
        with suppress(httpx.ResponseNotRead):  # a hook that kept it for itself
            answer.octets = response.content
        answer.reading = False
    return answer


def free(response: httpx.Response) -> None:
    """Read an answer that may yet be returned to its end, where that is near: others may wait."""
    if _is_short(response):
        tape = _taped(response)
        with suppress(httpx.HTTPError):
            while tape.record():
                pass


async def free_async(response: httpx.Response) -> None:
    """Read an answer to its end, as `free` does."""
    if _is_short(response):
        tape = _taped_async(response)
        with suppress(httpx.HTTPError):
            while await tape.record():
                pass


def _is_short(response: httpx.Response) -> bool:
    length = response.headers.get("Content-Length", "")
    return not is_read(response) and length.isdecimal() and int(length) <= MOST_OCTETS


class _Seen:
    """What has been seen of a body, decoded as far as that goes.

    httpx decodes whole bodies only, or iterates over them, and nothing that is still to come can
    be iterated over by both of its clients. So the beginning is decoded anew when it has grown.
    """

    def __init__(self, response: httpx.Response) -> None:
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
        stream = httpx.ByteStream(bytes(self._octets))
        trial, whole = httpx.Response(200, headers=self._headers, stream=stream), bytearray()
        with suppress(httpx.DecodingError):  # it is cut off, or makes no sense
            for piece in trial.iter_bytes():
                whole += piece
        found = bytes(whole[self._given :])
        self._given = len(whole)
        return found


class _Tape(httpx.SyncByteStream):
    """A body that gives what was recorded of it once more, and then the rest."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._live: Iterator[bytes] = iter(stream)
        self._kept: list[bytes] = []
        self._broken: httpx.HTTPError | None = None

    def record(self) -> bytes:
        """Read some more; nothing where it has ended, and its connection is free again."""
        try:
            piece = next(self._live, b"")
        except httpx.HTTPError as error:
            self._broken = error
            raise
        self._kept.append(piece)
        if not piece:
            self.close()
        return piece

    def __iter__(self) -> Iterator[bytes]:
        yield from self._kept
        if self._broken is not None:
            raise self._broken
        yield from self._live

    def close(self) -> None:
        self._stream.close()


class _AsyncTape(httpx.AsyncByteStream):
    """A body that gives what was recorded of it once more, and then the rest."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._live: AsyncIterator[bytes] = aiter(stream)
        self._kept: list[bytes] = []
        self._broken: httpx.HTTPError | None = None

    async def record(self) -> bytes:
        """Read some more; nothing where it has ended, and its connection is free again."""
        try:
            piece = await anext(self._live, b"")
        except httpx.HTTPError as error:
            self._broken = error
            raise
        self._kept.append(piece)
        if not piece:
            await self.aclose()
        return piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._kept:
            yield piece
        if self._broken is not None:
            raise self._broken
        async for piece in self._live:
            yield piece

    async def aclose(self) -> None:
        # Cancelled in their next read, the generators within end in order, as trio wants them to.
        with anyio.CancelScope() as scope, suppress(httpx.HTTPError):
            scope.cancel()
            pieces = 0
            async for _ in self._live:
                pieces += 1
                if pieces > _MOST_PIECES:
                    break
        await self._stream.aclose()


def _taped(response: httpx.Response) -> _Tape:
    if not isinstance(response.stream, _Tape):
        response.stream = _Tape(response.stream)
    return response.stream


def _taped_async(response: httpx.Response) -> _AsyncTape:
    if not isinstance(response.stream, _AsyncTape):
        response.stream = _AsyncTape(response.stream)
    return response.stream
