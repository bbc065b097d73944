"""The two drivers of an exchange: in a thread, and in a task of asyncio or trio."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from relogin.client import driver
from relogin.client.driver.async_principal import AsyncPrincipal, of_kind
from relogin.client.driver.drive import drive, stand_by
from relogin.client.driver.reentry import ending, inside, logging_in
from relogin.client.httpx_family.body import drain, drain_async
from relogin.client.httpx_family.exchange import told
from relogin.client.httpx_family.library import Library
from relogin.client.httpx_family.login_transport import LoginTransport, LoginTransportAsync
from relogin.client.httpx_family.lookahead import free, free_async, look, look_async
from relogin.client.httpx_family.signing import put
from relogin.client.httpx_family.steps import Begin, Drain, Look, Meanwhile, Small
from relogin.client.httpx_family.streams import StreamExchange
from relogin.client.renewal.commands import Login, LogOut, Wait
from relogin.client.renewal.policy import ResponseInfo
from relogin.client.signals import Signal
from relogin.client.terms.libraries import mixed_up

__all__ = ["FamilyAuth"]

_AS_IT_IS: Mapping[str, Any] = {"auth": None, "stream": True, "follow_redirects": False}

Http = TypeVar("Http")
Request = TypeVar("Request")
Response = TypeVar("Response")


class FamilyAuth(AsyncPrincipal[Http], Generic[Http, Request, Response]):
    """The base of `SessionAuth` in httpx and httpx2."""

    _library: ClassVar[Library]

    def __call__(self, request: object, *_: object) -> NoReturn:
        """Raise `TypeError`: other libraries call their auth; httpx does not."""
        raise mixed_up(self._library.name, request)

    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Send a request of a `Client`; log in and send it again if its session is dead."""
        if inside(self._cache):
            yield self._ending(request)
            return
        exchange: Any = StreamExchange(self, request)
        response: Any = None
        try:
            signed = exchange.signed()
            if signed is not None:
                response = yield signed
                if exchange.ends_with(response):
                    return
            flow, done, failed = exchange.steps(response), None, None
            kind = self._library.Request
            try:  # as `drive` does
                while True:
                    step = flow.send(done) if failed is None else flow.throw(failed)
                    is_request = isinstance(step, kind)
                    try:
                        done = (yield step) if is_request else self._do(step)
                        failed = None
                    except BaseException as error:  # noqa: BLE001 - the flow decides
                        failed = error
            except StopIteration:
                return
            finally:
                failed = None
                flow.close()
        except GeneratorExit:
            if exchange.out is None:
                raise
        failed = sys.exception()  # why httpx gave up: it only closes the generator
        exchange.gave_up(failed)
        with closing(exchange.given_up(failed)) as flow:
            drive(flow, self._do)

    async def async_auth_flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Send a request of an `AsyncClient`; log in and send it again if its session is dead."""
        if inside(self._cache):
            yield self._ending(request)
            return
        exchange: Any = StreamExchange(self, request)
        response: Any = None
        try:
            signed = exchange.signed()
            if signed is not None:
                response = yield signed
                if exchange.ends_with(response):
                    return
            flow, done, failed = exchange.steps(response), None, None
            kind = self._library.Request
            try:
                while True:
                    step = flow.send(done) if failed is None else flow.throw(failed)
                    is_request = isinstance(step, kind)
                    try:
                        done = (yield step) if is_request else await self._do_async(step)
                        failed = None
                    except BaseException as error:  # noqa: BLE001 - the flow decides
                        failed = error
            except StopIteration:
                return
            finally:
                failed = None
                flow.close()
                if self._policy.store is not None:
                    await driver.tasks.settle()
        except GeneratorExit:
            if exchange.out is None:  # this task is closed during a login
                raise
        failed = sys.exception()
        exchange.gave_up(failed)
        with closing(exchange.given_up(failed)) as flow:
            await driver.tasks.drive(flow, self._do_async)

    def _ending(self, request: Any) -> Any:
        """Sign the request of a logout; leave other requests inside a login or logout unsigned."""
        credential = ending(self._cache, str(request.url))
        if credential is not None:
            put(request, credential)
        return request

    def _do(self, step: Meanwhile) -> object:
        library = self._library
        if isinstance(step, Login):
            return self._log_in(step)
        if isinstance(step, LogOut):
            return self._log_out_here(step)
        if isinstance(step, Small):
            return self._ask(step)
        if isinstance(step, Look):
            return look(library, step.signals, step.response)
        if isinstance(step, Drain):
            (drain if step.over else free)(library, step.response)
        elif isinstance(step, Begin):
            step.body.begin()
        else:
            return stand_by(self._cache, step)
        return None

    def _do_async(self, step: Meanwhile) -> Awaitable[object]:
        library = self._library
        if isinstance(step, Wait):  # a thousand tasks may wait
            return driver.tasks.stand_by(self._cache, step)
        if isinstance(step, Login):
            return self._log_in_async(step)
        if isinstance(step, LogOut):
            return self._log_out_async(step)
        if isinstance(step, Small):
            return self._ask_async(step)
        if isinstance(step, Look):
            return look_async(library, step.signals, step.response)
        if isinstance(step, Drain):
            return (drain_async if step.over else free_async)(library, step.response)
        if isinstance(step, Begin):
            return step.body.begin()  # type: ignore[no-any-return]
        return driver.tasks.stand_by(self._cache, step)

    # Asking whether a session lives

    def _ask(self, step: Small) -> ResponseInfo:
        with ExitStack() as opened, logging_in(self._cache):
            client = self._open_http(opened, None)
            response = client.send(step.request, **_AS_IT_IS)
            return self.heard(step, response)

    async def _ask_async(self, step: Small) -> ResponseInfo:
        if self._http is not None and not self._is_awaited(self._http):
            return await driver.tasks.elsewhere(self._ask, step)  # type: ignore[return-value]
        async with AsyncExitStack() as opened:
            with logging_in(self._cache):
                client = self._open_http_async(opened, None)
                response = await client.send(step.request, **_AS_IT_IS)
                return await self.heard_async(step, response)

    def heard(self, step: Small, response: Any) -> ResponseInfo:
        """Read the response to a small request to its end, and return it for the flow."""
        signal = look(self._library, self._signals(response), response)
        drain(self._library, response)
        return told(step, response, signal)

    def _signals(self, response: Any) -> Sequence[Signal]:
        return self._cache.policy.signals_for(response.status_code)

    async def heard_async(self, step: Small, response: Any) -> ResponseInfo:
        """Do the same as `heard`."""
        signal = await look_async(self._library, self._signals(response), response)
        await drain_async(self._library, response)
        return told(step, response, signal)

    # What a login gets

    def _is_awaited(self, http: object) -> bool:
        return isinstance(http, self._library.AsyncClient)

    def _do_here(self, command: Any) -> object:
        return self._do(command)

    async def _do_in_task(self, command: Any) -> object:
        return await self._do_async(command)

    def _open_http(self, opened: ExitStack, _: object, auth: Any = None) -> Any:
        if self._http is not None:
            return of_kind(self._library.Client, self._http)
        library = self._library
        sent_by = LoginTransport(library, library.HTTPTransport(**self._verified()))
        client = library.Client(auth=auth, transport=sent_by, **self._plain())  # type: ignore[arg-type]
        opened.callback(client.close)  # not entered: the login may do that, once
        return client

    def _open_http_async(self, opened: AsyncExitStack, _: object, auth: Any = None) -> Any:
        if self._http is not None:
            return of_kind(self._library.AsyncClient, self._http)
        library = self._library
        sent_by = LoginTransportAsync(library, library.AsyncHTTPTransport(**self._verified()))
        client = library.AsyncClient(auth=auth, transport=sent_by, **self._plain())  # type: ignore[arg-type]
        opened.push_async_callback(client.aclose)
        return client

    def _plain(self) -> dict[str, Any]:
        """Return options for a client without cookies, credentials, netrc, proxies, redirects."""
        return {"trust_env": False, "timeout": self._cache.policy.login_timeout}

    def _verified(self) -> dict[str, Any]:
        return {"trust_env": False, "verify": self._library.certificates}
