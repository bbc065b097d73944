"""The transport of a login's own client: it retries if a kept connection was closed.

A server may close a connection at any moment between two requests. The next request over it gets no
response, and the login would fail without need.
"""

from __future__ import annotations

from typing import Any, Self

from relogin.client.httpx_family.library import Library, Request, Response
from relogin.client.logins.sending.request import ONCE
from relogin.client.terms.progress import Progress, progress_here

__all__ = ["LoginTransport", "LoginTransportAsync"]


class _Sending:
    """What httpcore reports about one request while it sends it."""

    def __init__(self, library: Library, request: Any, progress: Progress | None) -> None:
        self._library = library
        self._request = request
        self._told = request.extensions.get("trace")
        self._kept = True
        self._progress = progress

    def hear(self, event: str) -> None:
        """Note an event, such as ``connection.connect_tcp.started``."""
        if event.startswith("connection.connect"):
            self._kept = False
        elif self._progress is not None and event.endswith("send_request_headers.started"):
            self._progress.sends(self._request.method)

    def answered(self, response: Response) -> Response:
        """Note a response, and return it."""
        if self._progress is not None:
            self._progress.answered(self._request.method, response.status_code)
        return response

    def told(self, event: str, info: dict[str, Any]) -> None:
        """Trace a request."""
        self.hear(event)
        if self._told is not None:
            self._told(event, info)

    async def told_async(self, event: str, info: dict[str, Any]) -> None:
        """Do the same as `told`."""
        self.hear(event)
        if self._told is not None:
            await self._told(event, info)

    def may_go_again(self, error: Exception) -> bool:
        """Tell whether a kept connection broke before any response, and the body can be repeated.

        Only the text of the error distinguishes a missing response from a malformed one.
        """
        nonsense = isinstance(error, self._library.RemoteProtocolError) and not str(
            error
        ).startswith("Server disconnected")
        whole = isinstance(self._request.stream, self._library.ByteStream)
        spends = self._progress is not None and self._progress.spends
        once = self._request.extensions.get(ONCE, spends)
        return self._kept and whole and not (nonsense or once)


class LoginTransport:
    """A transport for the requests of a login in a thread."""

    sends_again = True

    def __init__(self, library: Library, transport: Any) -> None:
        self._library = library
        self._transport = transport
        self._progress = progress_here()

    def handle_request(self, request: Request) -> Response:
        """Send a request; if a kept connection breaks, again on a new one."""
        sending = _Sending(self._library, request, self._progress)
        request.extensions = {**request.extensions, "trace": sending.told}
        try:
            response: Response = self._transport.handle_request(request)
        except self._library.broken as error:
            if not sending.may_go_again(error):
                raise
            response = self._transport.handle_request(request)
        return sending.answered(response)

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.__exit__(*error)

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()


class LoginTransportAsync:
    """A transport for the requests of a login in a task."""

    sends_again = True

    def __init__(self, library: Library, transport: Any) -> None:
        self._library = library
        self._transport = transport
        self._progress = progress_here()

    async def handle_async_request(self, request: Request) -> Response:
        """Do the same as `LoginTransport`."""
        sending = _Sending(self._library, request, self._progress)
        request.extensions = {**request.extensions, "trace": sending.told_async}
        try:
            response: Response = await self._transport.handle_async_request(request)
        except self._library.broken as error:
            if not sending.may_go_again(error):
                raise
            response = await self._transport.handle_async_request(request)
        return sending.answered(response)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.__aexit__(*error)

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._transport.aclose()
