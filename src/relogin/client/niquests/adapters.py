"""Adapters for uploads: they send an upload again that a dead session has broken."""

from __future__ import annotations

from typing import Any, cast
from weakref import WeakKeyDictionary

from niquests import AsyncResponse, PreparedRequest, RequestException, Response
from niquests.adapters import AsyncHTTPAdapter, HTTPAdapter

from relogin.client.niquests.hooks import Hook, hook_of
from relogin.client.niquests.steps import Sending, Way

__all__ = ["AsyncUploadAdapter", "UploadAdapter"]


class UploadAdapter(HTTPAdapter):
    """An `HTTPAdapter` that finds out why the connection of an upload broke.

    A server may refuse an upload before it has read it, and close the connection; then the refusal
    may be lost. The adapter asks the `SessionAuth` to check whether the session died, and to send
    the upload again if that is safe. An auth alone sees no exceptions. Mount it instead of the
    default one, for ``http://`` too::

        session = niquests.Session()
        session.mount("https://", UploadAdapter())

    If an upload breaks off while you gather it (``multiplexed=True``), a dead session is renewed,
    and you get the error. It takes the parameters of `HTTPAdapter`, and changes nothing outside
    itself.
    """

    def send(self, request: PreparedRequest, *args: Any, **sending: Any) -> Response:
        """Send a request as `HTTPAdapter` does; if an upload breaks off, ask the auth."""
        hook, plain = hook_of(request), super().send
        try:
            response = plain(request, *args, **sending)
        except RequestException as error:
            if hook is None or not hook.is_lost(error):
                raise
            lost = hook.lost(error, request, Way(plain), sending)
        else:
            _keep_in_flight(self, hook, response, sending)
            return response
        try:
            return hook.run(lost.steps(), lost.sent)
        finally:
            del lost  # the traceback of its error holds this frame

    def gather(self, *responses: Response, max_fetch: int | None = None) -> None:
        """Receive responses as `HTTPAdapter` does; if that fails, renew a dead session."""
        try:
            super().gather(*responses, max_fetch=max_fetch)
        except RequestException as error:
            for hook, prepared, sending in _in_flight(self, error):
                lost = hook.lost(error, prepared, Way(super().send), sending)
                hook.run(lost.given_up(), lost.sent)
            raise


class AsyncUploadAdapter(AsyncHTTPAdapter):
    """The same as `UploadAdapter`, for `niquests.AsyncSession`."""

    async def send(self, request: PreparedRequest, *args: Any, **sending: Any) -> AsyncResponse:
        """Send a request as `AsyncHTTPAdapter` does; if an upload breaks off, ask the auth."""
        hook, plain = hook_of(request), super().send
        try:
            response = await plain(request, *args, **sending)
        except RequestException as error:
            if hook is None or not hook.is_lost(error):
                raise
            lost = hook.lost(error, request, Way(plain), sending)
        else:
            _keep_in_flight(self, hook, response, sending)
            return response
        try:
            return cast("AsyncResponse", await hook.run_async(lost.steps(), lost.sent))
        finally:
            del lost

    async def gather(self, *responses: Response, max_fetch: int | None = None) -> None:
        """Receive responses as `AsyncHTTPAdapter` does; if that fails, renew a dead session."""
        try:
            await super().gather(*responses, max_fetch=max_fetch)
        except RequestException as error:
            for hook, prepared, sending in _in_flight(self, error):
                lost = hook.lost(error, prepared, Way(super().send), sending)
                await hook.run_async(lost.given_up(), lost.sent)
            raise


_Flights = WeakKeyDictionary[Response, tuple[Hook, Sending]]


def _keep_in_flight(
    adapter: object, hook: Hook | None, response: Response, sending: Sending
) -> None:
    """Remember an upload whose response has not arrived; it may end in an error of `gather`."""
    if hook is not None and hook.upload is not None and response.lazy:
        flights: _Flights = vars(adapter).setdefault("_flights", WeakKeyDictionary())
        flights[response] = hook, sending


def _in_flight(
    adapter: object, error: RequestException
) -> list[tuple[Hook, PreparedRequest, Sending]]:
    """Return, once, the uploads whose responses an error of `gather` may have ended."""
    flights: _Flights = vars(adapter).pop("_flights", WeakKeyDictionary())
    return [
        (hook, cast("PreparedRequest", response.request), sending)
        for response, (hook, sending) in flights.items()
        if response.lazy and hook.is_lost(error)
    ]
