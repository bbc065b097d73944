"""The hooks of one request of niquests: before it is sent, and for each of its responses."""

from __future__ import annotations

import asyncio
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from niquests import AsyncResponse, PreparedRequest, RequestException, Response

from relogin import errors
from relogin.client.driver import tasks
from relogin.client.driver.drive import drive
from relogin.client.driver.failures import raisable
from relogin.client.driver.login_settings import Sent
from relogin.client.driver.reentry import inside
from relogin.client.niquests.exchange import Exchange, Lost, Signed, put_in_place
from relogin.client.niquests.steps import Sending, Step, Way, adapter_of
from relogin.client.niquests.streams import watch
from relogin.client.niquests.unanswered import in_place_of_a_response, is_unanswered
from relogin.client.renewal.ahead import before
from relogin.client.renewal.commands import Command
from relogin.client.renewal.policy import UNAUTHORIZED, Credential, ResponseInfo
from relogin.client.renewal.unanswered import check
from relogin.client.requests.retries import warn_of_retries
from relogin.client.requests.signing import sign_prepared
from relogin.client.requests.unanswered import Upload

if TYPE_CHECKING:
    from relogin.client.niquests import SessionAuth

__all__ = ["Ahead", "Hook", "hook_of"]

T = TypeVar("T")
Subject = TypeVar("Subject", PreparedRequest, Response)


class _ForBoth(ABC, Generic[Subject]):
    """A hook for both kinds of session: one calls it, the other awaits it.

    niquests awaits a hook that looks like a coroutine function, so this one does.
    """

    def __init__(self) -> None:
        self._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", None)  # Python 3.11
        getattr(inspect, "markcoroutinefunction", _do_nothing)(self)

    def __call__(self, subject: Subject, **sending: Any) -> Any:
        caller = sys._getframe(1).f_code
        awaited = caller.co_flags & inspect.CO_COROUTINE
        return (self.awaited if awaited else self.called)(subject, sending)

    @abstractmethod
    def called(self, subject: Subject, sending: Sending, /) -> Subject:
        """Do it in a thread."""

    @abstractmethod
    async def awaited(self, subject: Subject, sending: Sending, /) -> Subject:
        """Do it in a task."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _idle, ()  # after pickling, it does nothing


def _idle() -> Callable[..., None]:
    return _do_nothing


def _do_nothing(subject: object, **sending: Any) -> None:
    """Take the place of a hook whose request was pickled."""


class Ahead(_ForBoth[PreparedRequest]):
    """Before a request is sent, renews a session that is about to end or was lost, and signs it.

    `lost` is the upload before it, if that got no response: its session may be dead.
    """

    def __init__(
        self, auth: SessionAuth, hook: Hook, origin: str, precious: bool, lost: Upload | None
    ) -> None:
        super().__init__()
        self._auth = auth
        self._hook = hook
        self._origin = origin
        self._precious = precious
        self._lost = lost
        self._is_done = False

    def called(self, subject: PreparedRequest, _: Sending) -> PreparedRequest:
        """Do it in a thread."""
        if not self._is_done:  # a redirect calls it again
            do = partial(self._auth._do, sent=self._auth._ways.get(self._origin))
            self._sign(subject, drive(self._flow(subject), do))
        return subject

    async def awaited(self, subject: PreparedRequest, _: Sending) -> PreparedRequest:
        """Do it in a task."""
        if not self._is_done:
            do = partial(self._auth._do_async, sent=self._auth._ways.get(self._origin))
            self._sign(subject, await tasks.drive(self._flow(subject), do))
        return subject

    def _flow(self, prepared: PreparedRequest) -> Generator[Command, Any, Credential | None]:
        cache, url = self._auth._cache, prepared.url or ""
        method, precious, lost = prepared.method or "", self._precious, self._lost
        credential = cache.for_request(self._origin, url)
        if not cache.ready(self._origin, credential, precious=precious):
            flow = before(cache, credential, self._origin, method, url, precious=precious)
            try:
                credential = yield from flow
            except errors.ReloginError as failure:
                kinds = self._auth._kinds
                raise raisable(failure, kinds, None, prepared) from failure.__cause__
        if credential is None or lost is None:
            return credential
        if lost.credential.generation != credential.generation:  # renewed since
            return credential
        nothing = in_place_of_a_response(prepared, None)
        info = ResponseInfo(nothing, 0, method, url, self._origin, credential)
        renewed = yield from check(cache, info, credential, lost.began)
        return renewed if isinstance(renewed, Credential) else credential

    def _sign(self, prepared: PreparedRequest, credential: Credential | None) -> None:
        self._is_done = True
        if credential is not None:
            self._hook.sign(prepared, credential)


class Hook(_ForBoth[Response], Signed):
    """Handles the responses of one request; knows the grant that last signed it."""

    def __init__(self, auth: SessionAuth) -> None:
        super().__init__()
        self._auth = auth
        self._failed: TypeError | None = None

    def sign(self, prepared: PreparedRequest, credential: Credential) -> None:
        """Sign the request with a grant, and remember which."""
        request: Any = prepared
        self.credential = sign_prepared(request, credential)
        cache = self._auth._cache
        cache.logouts.carries(self, self.credential)
        if self.credential is not None and prepared.body:
            begun = Upload(self.credential, cache.clock())
            self.upload: Upload | None = self._auth._began(begun)

    def called(self, subject: Response, sending: Sending) -> Response:
        """Do it in a thread."""
        exchange = self._exchange(subject, sending)
        if exchange is None:
            return subject
        try:
            response = self.run(exchange.steps(), exchange.sent)
        except TypeError as error:
            self._failed = error
            raise
        return self._answered(exchange, subject, response, sending)

    async def awaited(self, subject: Response, sending: Sending) -> Response:
        """Do it in a task."""
        exchange = self._exchange(subject, sending)
        if exchange is None:
            return subject
        try:
            response = await self.run_async(exchange.steps(), exchange.sent)
        except TypeError as error:
            self._failed = error
            raise
        return self._answered(exchange, subject, response, sending)

    def _exchange(self, response: Response, sending: Sending) -> Exchange | None:
        auth = self._auth
        if self._failed is not None and not sending:
            raise self._failed  # after a TypeError, niquests calls a hook again without arguments
        if self.upload is not None:
            self.upload.answered = True
        auth._multiplexes |= bool(sending.get("multiplexed"))
        if inside(auth._cache):
            return None
        warn_of_retries(adapter_of(response))
        exchange = self._made(response, sending)
        if response.status_code == UNAUTHORIZED:
            auth._keep_way(exchange.origin, exchange.sent)
        return exchange

    def _made(self, response: Response, sending: Sending) -> Exchange:
        return Exchange(self._auth._cache, self._auth._kinds, self, response, sending)

    def _answered(
        self, exchange: Exchange, first: Response, response: Response, sending: Sending
    ) -> Response:
        self.credential = exchange.credential
        if sending.get("multiplexed"):
            response = put_in_place(first, response)
        if exchange.is_event_stream():
            awaited = isinstance(response, AsyncResponse)
            watch(response, partial(self._ended_async if awaited else self._ended, sending))
        return response

    def _ended(self, sending: Sending, stream: Response) -> None:
        exchange = self._made(stream, sending)
        self.run(exchange.after_stream(), exchange.sent)

    async def _ended_async(self, sending: Sending, stream: Response) -> None:
        exchange = self._made(stream, sending)
        await self.run_async(exchange.after_stream(), exchange.sent)

    # Uploads that end in an error, which only an adapter sees

    def is_lost(self, error: RequestException) -> bool:
        """Tell whether an error ended an upload whose session may be dead."""
        if self.upload is None or inside(self._auth._cache):
            return False
        self.upload.answered = True
        return is_unanswered(error)

    def lost(
        self, error: RequestException, prepared: PreparedRequest, way: Way, sending: Sending
    ) -> Lost:
        """Return what finds the response of an upload that ended in an error."""
        nothing, auth = in_place_of_a_response(prepared, way), self._auth
        return Lost(auth._cache, auth._kinds, self, error, nothing, sending)

    def run(self, steps: Generator[Step, Any, T], sent: Sent) -> T:
        """Execute steps in this thread."""
        return drive(steps, partial(self._auth._do, sent=sent))

    async def run_async(self, steps: Generator[Step, Any, T], sent: Sent) -> T:
        """Execute steps in this task."""
        return await tasks.drive(steps, partial(self._auth._do_async, sent=sent))


def hook_of(prepared: PreparedRequest) -> Hook | None:
    """Return the hook that an auth has registered for the responses of a request."""
    hooks: Any = prepared.hooks["response"]
    return next((hook for hook in hooks if isinstance(hook, Hook)), None)
