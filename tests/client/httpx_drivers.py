"""One interface for the three ways to drive httpx: threads, tasks of asyncio, tasks of trio.

A test is written once, in a thread; a loop of its own runs what is asynchronous.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

import anyio
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from relogin import Grant
from relogin.client.events import Event
from tests.client.server import PASSWORD, Server
from tests.threads import in_threads

__all__ = ["DRIVERS", "Caller", "Driver", "drive", "in_tasks", "login_of", "when"]

DRIVERS = ("sync", "asyncio", "trio")
T = TypeVar("T")


class Caller:
    """A client of either kind, whose every method is called like the synchronous one's."""

    def __init__(self, client: httpx.Client | httpx.AsyncClient, driver: Driver) -> None:
        self.client: Any = client
        self.driver = driver

    def __getattr__(self, name: str) -> Callable[..., httpx.Response]:
        method = getattr(self.client, name)
        return lambda *arguments, **options: self.driver.run(partial(method, *arguments, **options))

    def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Build a request and send it, as a stream."""
        request = self.client.build_request(method, url, **options)
        response: httpx.Response = self.driver.run(partial(self.client.send, request, stream=True))
        return response

    def read(self, response: httpx.Response) -> bytes:
        """Read a stream to its end."""
        content: bytes = self.driver.run(response.aread if self.driver.is_async else response.read)
        return content

    def at_once(self, number: int, url: Callable[[int], str]) -> list[httpx.Response]:
        """Get so many URLs in so many threads or tasks, which begin at the same moment."""
        if self.driver.is_async:
            answers: list[httpx.Response] = self.driver.run(
                in_tasks, number, lambda index: self.client.get(url(index))
            )
            return answers
        return in_threads(number, lambda index: self.client.get(url(index)))

    def failing(self, number: int, url: str) -> list[Exception]:
        """Get a URL in so many threads or tasks; return what each of them raises."""

        def get(_: int) -> Exception:
            with pytest.raises(httpx.HTTPError) as caught:
                self.client.get(url)
            return caught.value

        async def get_async(_: int) -> Exception:
            with pytest.raises(httpx.HTTPError) as caught:
                await self.client.get(url)
            return caught.value

        if self.driver.is_async:
            failures: list[Exception] = self.driver.run(in_tasks, number, get_async)
            return failures
        return in_threads(number, get)


class Driver:
    """Where coroutines run, if this driver has any."""

    def __init__(self, name: str, portal: BlockingPortal | None, opened: ExitStack) -> None:
        self.name = name
        self._portal = portal
        self._opened = opened

    @property
    def is_async(self) -> bool:
        return self._portal is not None

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, or let a coroutine function run in the loop."""
        if self._portal is None:
            return function(*arguments)
        return self._portal.call(function, *arguments)

    def open(self, **options: Any) -> Caller:
        """Open a client that no proxy of this machine disturbs, until the end of the test."""
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        options = {"trust_env": False, "limits": limits, "timeout": 10.0, **options}
        if self._portal is None:
            return Caller(self._opened.enter_context(httpx.Client(**options)), self)
        client = self._portal.call(partial(httpx.AsyncClient, **options))
        self._opened.callback(self._portal.call, client.aclose)
        return Caller(client, self)

    def login(self, server: Server) -> Callable[[Any], Any]:
        """A login in this driver's own way."""
        return login_of(server) if self.is_async else server.login

    def hook(self, function: Callable[[Any], object]) -> Callable[[Any], Any]:
        """An event hook in this driver's own way."""

        async def hook(event: Any) -> None:
            function(event)

        return hook if self.is_async else function


def when(kind: str, do: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that does something at each event of a kind."""

    def listener(event: Event) -> None:
        if event.kind == kind:
            do()

    return listener


def login_of(server: Server) -> Callable[[Any], Awaitable[Grant]]:
    """A coroutine function that logs in as `Server.login` does."""

    async def login(context: Any) -> Grant:
        answer = await context.http.post(f"{server.url}/login", data={"password": PASSWORD})
        return server.grant(answer)

    return login


async def in_tasks(number: int, do: Callable[[int], Awaitable[T]]) -> list[T]:
    """Await `do` in so many tasks, which all start before any goes on."""
    done: dict[int, T] = {}

    async def one(index: int) -> None:
        done[index] = await do(index)

    async with anyio.create_task_group() as group:
        for index in range(number):
            group.start_soon(one, index)
    return [done[index] for index in range(number)]


@contextmanager
def drive(name: str) -> Generator[Driver]:
    """Begin the loop that a driver needs, and end it."""
    with ExitStack() as opened:
        portal = None
        if name != "sync":
            portal = opened.enter_context(start_blocking_portal(name))
        yield Driver(name, portal, opened)
