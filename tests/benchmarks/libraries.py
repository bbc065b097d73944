"""What a living session costs a request in each library: `python -m tests.benchmarks.libraries`.

The µs that a whole request takes with the library's own Basic (or a fixed field, where it has no
auth), and what `SessionAuth` adds to that; over an in-memory answer or loopback, whichever the
library has. Medians of interleaved rounds in one process. niquests is timed where it is installed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import aiohttp
import httpx
import httpx2

from relogin.client import aiohttp as for_aiohttp
from relogin.client import httpx as for_httpx
from relogin.client import httpx2 as for_httpx2
from tests.benchmarks.client import _Handler, served

ROUNDS, REQUESTS = 30, 200
ORIGIN = "http://127.0.0.1:9"


def login(_: object) -> str:
    return _Handler.living


def compared(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Time each call in turn, round by round; return the median µs of each."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(REQUESTS):
                call()
            taken[name].append((time.perf_counter() - began) / REQUESTS * 1e6)
    return {name: median(times) for name, times in taken.items()}


def in_memory(library: Any, ours: Any) -> dict[str, float]:
    """Compare over a transport that answers at once."""

    def answer(request: Any) -> Any:
        living = request.headers.get("Authorization", "").endswith(f'"{_Handler.living}"')
        if living or request.headers.get("Authorization", "").startswith("Basic"):
            return library.Response(200, content=b"hello")
        return library.Response(401, headers={"WWW-Authenticate": 'Session realm="x"'})

    def client(auth: Any) -> Any:
        return library.Client(transport=library.MockTransport(answer), auth=auth)

    renewing = client(ours.SessionAuth(login, ORIGIN))
    basic = client(library.BasicAuth("user", "password"))
    renewing.get(f"{ORIGIN}/")
    return compared(
        {"Basic": lambda: basic.get(f"{ORIGIN}/"), "ours": lambda: renewing.get(f"{ORIGIN}/")}
    )


def over_niquests(url: str) -> dict[str, float]:
    """Compare niquests with a fixed header field, over one connection each."""
    niquests: Any = import_module("niquests")
    ours: Any = import_module("relogin.client.niquests")
    fixed = {"Authorization": f'Session token="{_Handler.living}"'}
    with niquests.Session() as plain, niquests.Session() as renewing:
        plain.trust_env = renewing.trust_env = False
        plain.headers.update(fixed)
        renewing.auth = ours.SessionAuth(login, url)
        return compared(
            {
                "fixed field": lambda: plain.get(f"{url}/").content,
                "ours": lambda: renewing.get(f"{url}/").content,
            }
        )


async def over_loopback(url: str) -> dict[str, float]:
    """Compare aiohttp with a fixed header field, over one connection each."""
    fixed = {"Authorization": f'Session token="{_Handler.living}"'}
    auth = for_aiohttp.SessionAuth(login, url)
    async with (
        aiohttp.ClientSession(headers=fixed) as plain,
        aiohttp.ClientSession(middlewares=[auth]) as renewing,
    ):

        async def get(session: aiohttp.ClientSession) -> None:
            async with session.get(f"{url}/") as answer:
                await answer.read()

        return await compared_async(
            {"fixed field": lambda: get(plain), "ours": lambda: get(renewing)}
        )


async def compared_async(calls: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(REQUESTS):
                await call()
            taken[name].append((time.perf_counter() - began) / REQUESTS * 1e6)
    return {name: median(times) for name, times in taken.items()}


def shown(library: str, times: dict[str, float]) -> None:
    (name, theirs), (_, ours) = times.items()
    print(f"{library:8} {name} {theirs:6.0f} µs   SessionAuth {ours:6.0f} µs   {ours / theirs:.2f}")


def main() -> None:
    shown("httpx", in_memory(httpx, for_httpx))
    shown("httpx2", in_memory(httpx2, for_httpx2))
    with served() as url:
        shown("aiohttp", asyncio.run(over_loopback(url)))
        if find_spec("niquests") is not None:
            shown("niquests", over_niquests(url))


if __name__ == "__main__":
    main()
