"""Event streams: if one ends, the reason may be that its session ended.

`EventStream` and `AsyncEventStream` wrap such a stream. When it ends, but not when you close it,
they let the exchange find out why, and mark the response.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from relogin.client import driver, renewal
from relogin.client.driver.drive import Stepping, drive
from relogin.client.httpx_family.fields import fields_of, has_events
from relogin.client.httpx_family.library import Response
from relogin.client.httpx_family.steps import Meanwhile, Small
from relogin.client.httpx_family.uploads import UploadExchange
from relogin.client.renewal.commands import Check, Final
from relogin.client.renewal.policy import OK
from relogin.client.terms.outcomes import Outcome, mark

__all__ = ["StreamExchange"]


class StreamExchange(UploadExchange):
    """An exchange that handles the end of an event stream."""

    def watch_stream(self, response: Response) -> None:
        """Watch a response, if it is an event stream of a session.

        Ignores the response to a POST, although many servers send it as an event stream: it ends
        when it is complete, and clients do not open it again.
        """
        watched = response.status_code == OK and self._request.method == "GET"
        if watched and self._credential is not None and has_events(fields_of(response)):
            kind = EventStream if hasattr(response.stream, "__iter__") else AsyncEventStream
            response.stream = self._library.streaming(kind)(self, response)

    def after_stream(self, response: Response) -> Generator[Meanwhile, Any, None]:
        """Find out why a stream has ended, and mark its response."""
        sent_with = self._sent_with(response.request)
        info = replace(self._info(response), sent_with=sent_with)
        flow = renewal.streams.stream_ended(self._cache, info, self._cache.clock())
        with closing(flow):
            steps: Stepping[Any, Final] = Stepping(flow)
            for command in steps:
                with steps:
                    if isinstance(command, Check):
                        steps.done = yield Small(self._small(response.request, command), command)
                    else:
                        steps.done = yield command
        if steps.result.outcome is Outcome.STREAM_ENDED:
            mark(response, Outcome.STREAM_ENDED)


class _Stream:
    def __init__(self, exchange: StreamExchange, response: Response) -> None:
        self._exchange = exchange
        self._response = response
        self._stream: Any = response.stream
        self._ends: tuple[type[BaseException], ...]
        self._ends = (StopIteration, StopAsyncIteration, *exchange.unanswered)

    @property
    def elapsed(self) -> timedelta | None:
        """How long the response took, if the library asks its stream."""
        return getattr(self._stream, "elapsed", None)


class EventStream(_Stream):
    """A stream that is read in a thread."""

    def __iter__(self) -> Iterator[bytes]:
        self._pieces: Iterator[bytes] = iter(self._stream)
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except self._ends:
            self._stream.close()  # the check may need its connection
            flow = self._exchange.after_stream(self._response)
            drive(flow, self._exchange.auth._do)
            raise

    def close(self) -> None:
        """Close the stream; this does not count as its end."""
        self._stream.close()


class AsyncEventStream(_Stream):
    """A stream that is read in a task."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._pieces: AsyncIterator[bytes] = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except self._ends:
            await self._stream.aclose()
            await driver.tasks.drive(
                self._exchange.after_stream(self._response), self._exchange.auth._do_async
            )
            raise

    async def aclose(self) -> None:
        """Close the stream; this does not count as its end."""
        await self._stream.aclose()
