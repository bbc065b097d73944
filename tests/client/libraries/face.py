"""One face for every library: a test says what is sent, and reads what came, in the same words.

A library's own face stands in a module of its own, which is imported only where it is installed.
Tests are written in a thread; a loop of its own runs what is asynchronous.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from relogin import Grant
from relogin.client import outcome
from tests.client.httpx_drivers import in_tasks
from tests.client.server import PASSWORD, Server
from tests.threads import in_threads

__all__ = [
    "ASYNC_FACES",
    "FACES",
    "Answer",
    "Body",
    "Client",
    "Face",
    "opened",
    "passed_as",
    "statuses",
]


@dataclass(frozen=True)
class Answer:
    """What came of a request."""

    status: int
    body: bytes
    outcome: str
    raw: Any = field(repr=False)


@dataclass(frozen=True)
class Body:
    """A body: how a request of this library is given it, anew each time, and whether it repeats."""

    make: Callable[[], dict[str, Any]]
    repeats: bool


def passed_as(word: str) -> Callable[..., Body]:
    """Return what makes a body for requests that take it as this keyword argument."""

    def passed(make: Callable[[], Any], *, repeats: bool = True) -> Body:
        return Body(lambda: {word: make()}, repeats)

    return passed


class Face(ABC):
    """A library, in threads or on a loop."""

    library: ClassVar[str]
    """Its name, and that of our module for it."""
    backend: ClassVar[str | None] = None
    """The loop that it runs on; `None` for threads."""
    failure: ClassVar[type[Exception]]
    """What its users catch."""

    def __init__(self, portal: BlockingPortal | None, opened: ExitStack) -> None:
        self.portal = portal
        self._opened = opened
        self.ours: Any = import_module(f"relogin.client.{self.library}")

    @property
    def is_async(self) -> bool:
        return self.backend is not None

    def auth(self, server: Server, login: Any = None, **options: Any) -> Any:
        """An auth for a server, with a login in this library's own way unless one is given."""
        login = login or (partial(self.log_in, server) if self.is_async else server.login)
        return self.ours.SessionAuth(login, options.pop("origins", server.url), **options)

    async def log_in(self, server: Server, context: Any) -> Grant:
        """Log in as a coroutine does: over `context.http`."""
        raise NotImplementedError

    def own_way(self, login: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The same login as this library has it: a coroutine function, for a loop."""

        async def awaited(context: Any) -> Any:
            return login(context)

        return awaited if self.is_async else login

    @abstractmethod
    def make(self, auth: Any, **options: Any) -> Any:
        """Make a client with this auth."""

    @abstractmethod
    def send(self, client: Any, method: str, url: str, **options: Any) -> Any:
        """Send a request and read its answer; for a loop, as a coroutine function does."""

    @abstractmethod
    def close(self, client: Any) -> Any:
        """Close a client."""

    @abstractmethod
    def bodies(self) -> dict[str, Body]:
        """At least a dozen shapes of the body `WHOLE`."""

    def sent_with(self, raw: Any) -> dict[str, str]:
        """The header fields that an answer's request was sent with."""
        return dict(raw.request.headers)

    def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a function, or let a coroutine function run in the loop."""
        call = partial(function, *arguments, **options)
        return call() if self.portal is None else self.portal.call(call)

    def open(self, auth: Any, **options: Any) -> Client:
        """Open a client, until the end of the test."""
        client = self.made(partial(self.make, auth, **options))
        self._opened.callback(lambda: self.run(self.close, client))
        return Client(self, client)

    def made(self, make: Callable[[], Any]) -> Any:
        """Make something where the loop runs: a client of aiohttp can be made nowhere else."""
        return make() if self.portal is None else self.portal.call(make)


class Client:
    """A client of one library, whose every method is called as in a thread."""

    def __init__(self, face: Face, client: Any) -> None:
        self.face = face
        self.client = client

    def __call__(self, method: str, url: str, **options: Any) -> Answer:
        answer: Answer = self.face.run(self.face.send, self.client, method, url, **options)
        return answer

    def get(self, url: str, **options: Any) -> Answer:
        return self("GET", url, **options)

    def post(self, url: str, body: Body | None = None, **options: Any) -> Answer:
        return self("POST", url, **(body.make() if body is not None else {}), **options)

    def at_once(self, number: int, url: Callable[[int], str]) -> list[Answer | Exception]:
        """Get so many URLs in so many threads or tasks that begin at the same moment."""
        face = self.face
        if not face.is_async:
            return in_threads(number, lambda index: _caught(face, self.client, url(index)))

        async def one(index: int) -> Answer | Exception:
            try:
                answer: Answer = await face.send(self.client, "GET", url(index))
            except face.failure as error:
                return error
            return answer

        answers: list[Answer | Exception] = face.run(in_tasks, number, one)
        return answers


def _caught(face: Face, client: Any, url: str) -> Answer | Exception:
    try:
        answer: Answer = face.send(client, "GET", url)
    except face.failure as error:
        return error
    return answer


def answer_of(raw: Any, status: int, body: bytes) -> Answer:
    return Answer(status, body, str(outcome(raw)), raw)


def statuses(answers: list[Answer | Exception]) -> set[object]:
    return {answer.status if isinstance(answer, Answer) else answer for answer in answers}


async def posted(server: Server, post: Callable[..., Awaitable[Any]]) -> Any:
    """Log in with a client's `post`, as `Server.login` does."""
    return await post(f"{server.url}/login", data={"password": PASSWORD})


# The module of each face, and the class in it; a library that is not installed has none.
_ALL = {
    "requests": ("requests", "requests", "Requests"),
    "httpx": ("httpx", "httpx", "Httpx"),
    "httpx asyncio": ("httpx", "httpx", "HttpxOnAsyncio"),
    "httpx trio": ("httpx", "httpx", "HttpxOnTrio"),
    "httpx2": ("httpx2", "httpx", "Httpx2"),
    "httpx2 asyncio": ("httpx2", "httpx", "Httpx2OnAsyncio"),
    "httpx2 trio": ("httpx2", "httpx", "Httpx2OnTrio"),
    "aiohttp": ("aiohttp", "aiohttp", "Aiohttp"),
    "niquests": ("niquests", "niquests", "Niquests"),
    "niquests asyncio": ("niquests", "niquests", "NiquestsOnAsyncio"),
}
FACES = [name for name, (library, _, _) in _ALL.items() if find_spec(library) is not None]
ASYNC_FACES = [name for name in FACES if "asyncio" in name or "trio" in name or name == "aiohttp"]


@contextmanager
def opened(name: str, backend_options: dict[str, Any] | None = None) -> Iterator[Face]:
    """Begin what a library needs, and end it."""
    _, module, kind = _ALL[name]
    cls: type[Face] = getattr(import_module(f"tests.client.libraries.over_{module}"), kind)
    with ExitStack() as stack:
        portal = None
        if cls.backend is not None:
            portal = stack.enter_context(start_blocking_portal(cls.backend, backend_options))
        yield cls(portal, stack)
