"""Ways to run a login: over each library, and over its asynchronous client on its loops."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
import anyio
import httpx
import httpx2
import requests

from relogin import Grant, LoginUnavailable
from relogin.client.terms.grant import Context
from tests.client.httpx_drivers import in_tasks
from tests.client.server import Answer, Request, Server
from tests.threads import in_threads

USER = "ada"
PASSWORD = "pa55word-that-nobody-may-see"
ACCOUNT = {"user": USER, "password": PASSWORD}
TOKEN = b'{"access_token": "t0ken"}'

LogIn = Callable[..., Grant | None]


def context(http: Any, timeout: float = 5.0) -> Context:
    return Context(
        challenge=None,
        error=None,
        realm="",
        method="GET",
        url="",
        timeout=timeout,
        open_http=lambda: http,
    )


def with_requests(login: Any, timeout: float = 5.0) -> Any:
    with requests.Session() as http:
        return login(context(http, timeout))


def with_httpx(login: Any, timeout: float = 5.0) -> Any:
    with httpx.Client() as http:
        return login(context(http, timeout))


def open_aiohttp() -> aiohttp.ClientSession:
    """As `context.http` is: by default aiohttp takes no cookies from an IP address."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


# How to open a client of each library, and the loop that its tasks run on.
OPENED: dict[str, tuple[Callable[[], Any], str | None]] = {
    "requests": (requests.Session, None),
    "httpx": (httpx.Client, None),
    "asyncio": (httpx.AsyncClient, "asyncio"),
    "trio": (httpx.AsyncClient, "trio"),
    "httpx2": (httpx2.AsyncClient, "asyncio"),
    "aiohttp": (open_aiohttp, "asyncio"),
}


def over_one(
    name: str,
    logins: Sequence[Any],
    opened: Callable[[Any], object] = lambda _: None,
    *,
    together: bool = True,
    **facts: Any,
) -> list[Any]:
    """Run logins over one client of a library; return their grants, or what they raise."""
    open_http, backend = OPENED[name]
    order = range(len(logins))

    def in_thread(http: Any, index: int) -> Any:
        try:
            return logins[index](replace(context(http), **facts))
        except LoginUnavailable as error:
            return error

    async def in_task(http: Any, index: int) -> Any:
        try:
            return await logins[index].acall(replace(context(http), **facts))
        except LoginUnavailable as error:
            return error

    async def main() -> list[Any]:
        async with open_http() as http:
            opened(http)
            run = partial(in_task, http)
            return await in_tasks(len(order), run) if together else [await run(n) for n in order]

    if backend is not None:
        return anyio.run(main, backend=backend)
    with open_http() as http:
        opened(http)
        run = partial(in_thread, http)
        return in_threads(len(order), run) if together else list(map(run, order))


def over_async(open_http: Callable[[], Any], backend: str) -> LogIn:
    def log_in(login: Any, timeout: float = 5.0) -> Any:
        async def main() -> Any:
            async with open_http() as http:
                return await login.acall(context(http, timeout))

        return anyio.run(main, backend=backend)

    return log_in


WAYS = {
    "requests": with_requests,
    "httpx": with_httpx,
    "asyncio": over_async(httpx.AsyncClient, "asyncio"),
    "trio": over_async(httpx.AsyncClient, "trio"),
    "httpx2": over_async(httpx2.AsyncClient, "asyncio"),
    "aiohttp": over_async(open_aiohttp, "asyncio"),
}


def answers(server: Server, *given: Answer, path: str = "/token") -> str:
    """Have a path answer with these, the last one for ever."""
    left = list(given)

    def answer(request: Request) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    server.routes[path] = answer
    return server.url + path


def read_password() -> str:
    return PASSWORD


def read_account() -> dict[str, str]:
    return ACCOUNT
