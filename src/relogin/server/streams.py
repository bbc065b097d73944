"""Responses and WebSockets that outlast their session: they end when it does.

A response is cut off in such a way that no client takes a part of it for the whole. An event stream
(`text/event-stream`) may end anywhere: it just ends, and a browser that reconnects learns why. One
line is logged, and no traceback.
"""

from __future__ import annotations

import errno
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

from relogin.server.fields import Headers, values
from relogin.server.logs import log
from relogin.server.verdicts import Refused, StoreTrouble, refusal_in

__all__ = [
    "Again",
    "AgainAsync",
    "Stream",
    "aensure_living",
    "astream",
    "close",
    "is_event_stream",
    "log_end",
]

Again = Callable[[], Any]
AgainAsync = Callable[[], Awaitable[Any]]
"""Asks the verifier again: returns the session, or raises `Refused`."""


def is_event_stream(headers: Headers) -> bool:
    """Whether this is a stream of server-sent events, which may end anywhere."""
    return any(
        one.lower().startswith("text/event-stream") for one in values(headers, "content-type")
    )


def log_end(why: Refused) -> None:
    """Log why a stream has ended."""
    log().info("a response or a socket has ended with its session: %s", why)


class Watch:
    """Tells when to ask the verifier again."""

    __slots__ = ("_due", "_every")

    def __init__(self, every: float) -> None:
        self._every = every
        self._due = time.monotonic() + every

    @property
    def left(self) -> float:
        """The seconds until then."""
        return max(0.0, self._due - time.monotonic())

    @property
    def is_due(self) -> bool:
        """Whether it is time; if so, the clock starts again."""
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + self._every
        return True


class Stream:
    """The chunks of a response.

    Before a chunk, `again` asks for the session once more, at most every `every` seconds. `refuse`
    builds the content of a refusal, if nothing was sent yet and the response can be replaced.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        headers: Headers,
        *,
        again: Again | None = None,
        every: float | None = None,
        refuse: Callable[[Refused], list[bytes]] | None = None,
    ) -> None:
        self._chunks = chunks
        self._rest = iter(chunks)
        self._ends_anywhere = is_event_stream(headers)
        self._again = again
        self._watch = None if every is None or again is None else Watch(every)
        self._refuse = refuse

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next chunk; raise `ConnectionResetError` if the rest is cut off."""
        try:
            if self._watch is not None and self._again is not None and self._watch.is_due:
                ensure_living(self._again)
            chunk = next(self._rest)
        except Refused as why:
            return self._end(why)
        self._refuse = None  # some servers send the head even before an empty chunk
        return chunk

    def _end(self, why: Refused) -> bytes:
        self._rest = iter(())
        if self._refuse is not None:
            self._rest = iter(self._refuse(why))
            return next(self._rest)
        log_end(why)
        if self._ends_anywhere:
            raise StopIteration
        # To servers this means that the client has gone: they close, and log no traceback.
        raise ConnectionResetError(errno.ECONNRESET, str(why)) from None

    def close(self) -> None:
        """Close what was given, as PEP 3333 asks."""
        close(self._chunks)


def close(chunks: object) -> None:
    """Close the chunks of a response, if they can be closed."""
    if hasattr(chunks, "close"):
        chunks.close()


def ensure_living(again: Again) -> None:
    """Raise `Refused` if the session is dead; trouble in the store ends no stream."""
    try:
        again()
    except StoreTrouble:
        return


async def aensure_living(again: AgainAsync) -> None:
    """Do the same as `ensure_living`, with an `again` that is awaited."""
    try:
        await again()
    except StoreTrouble:
        return


async def astream(
    chunks: AsyncIterable[bytes],
    headers: Headers,
    cut_off: BaseException,
    *,
    again: AgainAsync | None = None,
    every: float | None = None,
) -> AsyncIterator[bytes]:
    """Yield the chunks of a response as `Stream` does; ask again also while the application pauses.

    `cut_off` is what the framework takes for a client that has gone. It runs on asyncio.
    """
    rest = aiter(chunks)
    watched = None if every is None or again is None else (Watch(every), again)
    try:
        while True:
            yield await (anext(rest) if watched is None else _next(rest, *watched))
    except StopAsyncIteration:
        return
    except Exception as raised:  # a framework may have wrapped a `Refused` in its own
        why = refusal_in(raised, wrapped=True)
        if why is None:
            raise
        log_end(why)
        if not is_event_stream(headers):
            raise cut_off from None
    finally:
        if hasattr(rest, "aclose"):
            await rest.aclose()


async def _next(rest: AsyncIterator[bytes], watch: Watch, again: AgainAsync) -> bytes:
    import asyncio

    waiting = asyncio.ensure_future(anext(rest))
    try:
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=watch.left)
            if watch.is_due:
                await aensure_living(again)
        return await waiting
    finally:
        waiting.cancel()
        await asyncio.wait({waiting})  # a generator that still runs cannot be closed
