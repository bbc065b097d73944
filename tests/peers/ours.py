"""The clients of this library, one for each HTTP library that is installed."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

import requests

from relogin.client.logins import JSONLogin
from relogin.client.requests import SessionAuth
from tests.peers.server import Site

__all__ = ["OURS", "Client", "OverHttpx", "OverRequests"]

Answer = tuple[int, str]


class Client(ABC):
    """One library, attached to one site; `ask` sends a request and returns status and text."""

    name: ClassVar[str]
    scheme: ClassVar[str] = "Bearer"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.begin()

    @abstractmethod
    def begin(self) -> None:
        """Set the library up with a session that lives."""

    @abstractmethod
    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        """Send one request through the library."""

    def expire(self) -> None:
        """Make the library believe that its session has ended by the clock."""
        raise NotImplementedError

    def at_once(self, count: int, url: str) -> list[int]:
        """Send so many requests at once; return their statuses, 0 for an exception."""
        barrier = threading.Barrier(count)

        def one(_: int) -> int:
            barrier.wait()
            return self.status("GET", url)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def status(self, method: str, url: str, body: Any = None) -> int:
        """Send one request; an exception of whatever kind counts as status 0."""
        try:
            return self.ask(method, url, body)[0]
        except Exception:  # noqa: BLE001 - peers raise all sorts, and all of them are failures
            return 0


class OverRequests(Client):
    session: requests.Session

    def begin(self) -> None:
        self.session = self.make()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        self.session.mount("http://", adapter)

    @abstractmethod
    def make(self) -> requests.Session:
        """Build the session of the library."""

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answer = self.session.request(method, url, data=body, timeout=20)
        return answer.status_code, answer.text


class Relogin(OverRequests):
    """This library over requests."""

    name = "relogin, requests"
    scheme = "Session"

    def make(self) -> requests.Session:
        session = requests.Session()
        session.auth = SessionAuth(_login(self.site))
        return session

    def expire(self) -> None:
        _grant_that_expired(self)


def _login(site: Site) -> JSONLogin:
    return JSONLogin(f"{site.url}/login", _password)


def _password() -> dict[str, str]:
    return {"password": "pa55"}


def _grant_that_expired(client: Client) -> None:
    client.site.expires_in = 0.001
    client.site.kill()
    client.ask("GET", f"{client.site.url}/")
    client.site.expires_in = 3600.0


class OverHttpx(Client):
    """A client over `httpx.Client`, or one of a library with the same API."""

    library: ClassVar[str] = "httpx"

    def begin(self) -> None:
        httpx: Any = import_module(self.library)
        limits = httpx.Limits(max_connections=64)
        self.client = httpx.Client(auth=self.auth(), limits=limits, timeout=20, trust_env=False)

    @abstractmethod
    def auth(self) -> Any:
        """Build the auth object of the library."""

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answer = self.client.request(method, url, content=body, follow_redirects=True)
        return answer.status_code, answer.text


class ReloginHttpx(OverHttpx):
    """This library over `httpx.Client`."""

    name = "relogin, httpx"
    scheme = "Session"

    def auth(self) -> Any:
        return _auth_for(self)

    def expire(self) -> None:
        _grant_that_expired(self)


class ReloginHttpx2(ReloginHttpx):
    """This library over `httpx2.Client`."""

    name = "relogin, httpx2"
    library = "httpx2"


def _auth_for(client: Any) -> Any:
    return import_module(f"relogin.client.{client.library}").SessionAuth(_login(client.site))


class _InTasks(Client):
    """One client for all tasks of a loop, which is another for each call."""

    scheme = "Session"
    library: ClassVar[str]

    def begin(self) -> None:
        self.auth = _auth_for(self)
        self.module: Any = import_module(self.library)

    def expire(self) -> None:
        _grant_that_expired(self)

    @abstractmethod
    def open(self) -> Any:
        """Open a client."""

    @abstractmethod
    async def send(self, client: Any, method: str, url: str, body: Any) -> Answer:
        """Send one request."""

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answers: list[Answer] = asyncio.run(
            self._ask(1, lambda client: self.send(client, method, url, body))
        )
        return answers[0]

    async def _ask(self, count: int, one: Callable[[Any], Awaitable[Any]]) -> list[Any]:
        async with self.open() as client:
            return list(await asyncio.gather(*(one(client) for _ in range(count))))

    def at_once(self, count: int, url: str) -> list[int]:
        async def status(client: Any) -> int:
            try:
                return (await self.send(client, "GET", url, None))[0]
            except Exception:  # noqa: BLE001 - as in `status`
                return 0

        return asyncio.run(self._ask(count, status))


class ReloginHttpxAsync(_InTasks):
    """This library over `httpx.AsyncClient`, on asyncio."""

    name = "relogin, httpx async"
    library = "httpx"

    def open(self) -> Any:
        return self.module.AsyncClient(auth=self.auth, timeout=20, trust_env=False)

    async def send(self, client: Any, method: str, url: str, body: Any) -> Answer:
        answer = await client.request(method, url, content=body, follow_redirects=True)
        return answer.status_code, answer.text


class ReloginHttpx2Async(ReloginHttpxAsync):
    """This library over `httpx2.AsyncClient`, on asyncio."""

    name = "relogin, httpx2 async"
    library = "httpx2"


class ReloginAiohttp(_InTasks):
    """This library as a middleware of aiohttp."""

    name = "relogin, aiohttp"
    library = "aiohttp"

    def open(self) -> Any:
        return self.module.ClientSession(middlewares=[self.auth])

    async def send(self, client: Any, method: str, url: str, body: Any) -> Answer:
        async with client.request(method, url, data=body) as answer:
            return answer.status, await answer.text()


class ReloginNiquests(Client):
    """This library over `niquests.Session`."""

    name = "relogin, niquests"
    scheme = "Session"
    library = "niquests"

    def begin(self) -> None:
        self.session = import_module(self.library).Session(pool_maxsize=64)
        self.session.trust_env, self.session.auth = False, _auth_for(self)

    def expire(self) -> None:
        _grant_that_expired(self)

    def ask(self, method: str, url: str, body: Any = None) -> Answer:
        answer = self.session.request(method, url, data=body, timeout=20)
        return answer.status_code, answer.text


class ReloginNiquestsAsync(_InTasks):
    """This library over `niquests.AsyncSession`."""

    name = "relogin, niquests async"
    library = "niquests"

    def open(self) -> Any:
        session = self.module.AsyncSession(pool_maxsize=64)
        session.trust_env, session.auth = False, self.auth
        return session

    async def send(self, client: Any, method: str, url: str, body: Any) -> Answer:
        answer = await client.request(method, url, data=body, timeout=20)
        return answer.status_code, answer.text


_ALL: tuple[type[Any], ...] = (
    Relogin,
    ReloginHttpx,
    ReloginHttpxAsync,
    ReloginHttpx2,
    ReloginHttpx2Async,
    ReloginAiohttp,
    ReloginNiquests,
    ReloginNiquestsAsync,
)
OURS: tuple[type[Client], ...] = tuple(
    kind for kind in _ALL if find_spec(getattr(kind, "library", "requests")) is not None
)
"""Those whose library is installed: niquests has an environment of its own."""
