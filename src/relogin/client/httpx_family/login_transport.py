"""What a login's own client sends with: once more where a kept connection turns out to be closed.

A server may close a connection at any moment between two requests. What was sent over it then is
answered by nobody, and the login would fail for nothing.
"""

from __future__ import annotations

from typing import Any, Self

from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.logins.request import ONCE, SPENDS

__all__ = ["LoginTransport", "LoginTransportAsync"]


class _Sending:
    """What httpcore tells of one request while it sends it."""

    def __init__(self, library: Library, request: Any) -> None:
        self._library = library
        self._request = request
        self._told = request.extensions.get("trace")
        self._kept = True

    def hear(self, event: str) -> None:
        """Take note of an event, such as ``connection.connect_tcp.started``."""
        if event.startswith("connection.connect"):
            self._kept = False

    def told(self, event: str, info: dict[str, Any]) -> None:
        """Be the trace of a request."""
        self.hear(event)
        if self._told is not None:
            self._told(event, info)

    async def told_async(self, event: str, info: dict[str, Any]) -> None:
        """Do as `told` does."""
        self.hear(event)
        if self._told is not None:
            await self._told(event, info)

    def may_go_again(self, error: Exception) -> bool:
        """Tell whether a connection broke that was kept, before any answer, and the body is whole.

        Only its text tells an answer that never came from one that makes no sense.
        """
        nonsense = isinstance(error, self._library.RemoteProtocolError) and not str(
            error
        ).startswith("Server disconnected")
        whole = isinstance(self._request.stream, self._library.ByteStream)
        once = self._request.extensions.get(ONCE, SPENDS.get())
        return self._kept and whole and not (nonsense or once)


class LoginTransport:
    """A transport for the requests of a login in a thread."""

    sends_again = True

    def __init__(self, library: Library, transport: Any) -> None:
        self._library = library
        self._transport = transport

    def handle_request(self, request: Request) -> Response:
        """Send a request, once more on a new connection where a kept one breaks."""
        sending = _Sending(self._library, request)
        request.extensions = {**request.extensions, "trace": sending.told}
        try:
            response: Response = self._transport.handle_request(request)
        except self._library.broken as error:
            if not sending.may_go_again(error):
                raise
            response = self._transport.handle_request(request)
        return response

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.__exit__(*error)

    def close(self) -> None:
        """Close the transport that this one sends with."""
        self._transport.close()


class LoginTransportAsync:
    """A transport for the requests of a login in a task."""

    sends_again = True

    def __init__(self, library: Library, transport: Any) -> None:
        self._library = library
        self._transport = transport

    async def handle_async_request(self, request: Request) -> Response:
        """Do as `LoginTransport` does."""
        sending = _Sending(self._library, request)
        request.extensions = {**request.extensions, "trace": sending.told_async}
        try:
            response: Response = await self._transport.handle_async_request(request)
        except self._library.broken as error:
            if not sending.may_go_again(error):
                raise
            response = await self._transport.handle_async_request(request)
        return response

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.__aexit__(*error)

    async def aclose(self) -> None:
        """Close the transport that this one sends with."""
        await self._transport.aclose()
