"""Transports for uploads: they repeat an upload that a dead session has broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import cache
from typing import Any

from relogin.client.driver.drive import Stepping
from relogin.client.httpx_family.library import Request, Response
from relogin.client.httpx_family.sending import EXTENSION
from relogin.client.httpx_family.steps import Small
from relogin.client.httpx_family.uploads import UploadExchange

__all__ = ["Uploads", "UploadsAsync"]


_PIECE = 64 * 1024


def _cut(request: Request, kind: type[Any]) -> None:
    """Send long bytes in pieces: over HTTP/2, httpx copies all that is left for each frame."""
    stream: Any = request.stream
    if stream.__class__ is kind:
        octets = b"".join(stream)
        if len(octets) > _PIECE:
            request.stream = _cutting(kind)(octets)


@cache
def _cutting(kind: Any) -> type[Any]:
    # Still a byte stream of its library: such a body can be sent twice.
    return type(_Pieces.__name__, (_Pieces, kind), {"__module__": __name__})


class _Pieces:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._octets), _PIECE):
            yield self._octets[start : start + _PIECE]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Uploads:
    """The base of `UploadTransport` in httpx and httpx2."""

    _bytes: Any
    """The library's class of a body that was given as bytes."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def handle_request(self, request: Any) -> Any:
        """Send a request; if an upload breaks off, find out why."""
        _cut(request, self._bytes)
        exchange: UploadExchange | None = request.extensions.get(EXTENSION)
        if exchange is None:
            return self._transport.handle_request(request)
        try:
            return self._transport.handle_request(request)
        except exchange.unanswered as error:
            if not exchange.is_upload(error, request):
                raise
            failed = error
        try:
            response = self._answered_after_all(exchange, failed, request)
            if response is None:
                raise failed
            return response
        finally:
            del failed  # its traceback holds this frame

    def _answered_after_all(
        self, exchange: UploadExchange, error: Exception, request: Request
    ) -> Response | None:
        with closing(exchange.lost(error, request, again=True)) as flow:
            steps: Stepping[Any, Response | None] = Stepping(flow)
            for step in steps:
                with steps:
                    if isinstance(step, Small):
                        steps.done = exchange.auth.heard(step, self._sent(step.request))
                    elif step is request:
                        steps.done = self._sent(request)
                    else:
                        steps.done = exchange.auth._do(step)
            return steps.result

    def _sent(self, request: Request) -> Response:
        response: Response = self._transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()

    def __enter__(self) -> Any:
        self._transport.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.__exit__(*error)


class UploadsAsync:
    """The base of `AsyncUploadTransport` in httpx and httpx2."""

    _bytes: Any

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request; if an upload breaks off, find out why."""
        _cut(request, self._bytes)
        exchange: UploadExchange | None = request.extensions.get(EXTENSION)
        if exchange is None:
            return await self._transport.handle_async_request(request)
        try:
            return await self._transport.handle_async_request(request)
        except exchange.unanswered as error:
            if not exchange.is_upload(error, request):
                raise
            failed = error
        try:
            response = await self._answered_after_all(exchange, failed, request)
            if response is None:
                raise failed
            return response
        finally:
            del failed

    async def _answered_after_all(
        self, exchange: UploadExchange, error: Exception, request: Request
    ) -> Response | None:
        with closing(exchange.lost(error, request, again=True)) as flow:
            steps: Stepping[Any, Response | None] = Stepping(flow)
            for step in steps:
                with steps:
                    if isinstance(step, Small):
                        response = await self._sent(step.request)
                        steps.done = await exchange.auth.heard_async(step, response)
                    elif step is request:
                        steps.done = await self._sent(request)
                    else:
                        steps.done = await exchange.auth._do_async(step)
            return steps.result

    async def _sent(self, request: Request) -> Response:
        response: Response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()

    async def __aenter__(self) -> Any:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.__aexit__(*error)
