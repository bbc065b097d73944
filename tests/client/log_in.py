"""Ways to run a login: over requests, httpx, and httpx's asynchronous client on two loops."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import requests

from relogin import Grant
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Request, Server

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


def over_async_httpx(backend: str) -> LogIn:
    def log_in(login: Any, timeout: float = 5.0) -> Any:
        async def main() -> Any:
            async with httpx.AsyncClient() as http:
                return await login.acall(context(http, timeout))

        return anyio.run(main, backend=backend)

    return log_in


WAYS = {
    "requests": with_requests,
    "httpx": with_httpx,
    "asyncio": over_async_httpx("asyncio"),
    "trio": over_async_httpx("trio"),
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
