"""What is held: `python -m tests.benchmarks.memory`.

Bytes are tracemalloc's, beside those of the same without us. `--requests` sends so many through one
`SessionAuth` with a session that dies now and then, and prints what has grown.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tracemalloc
from collections.abc import Callable

import httpx
import requests

from relogin.client.httpx import SessionAuth as HttpxSessionAuth
from relogin.client.renewal.policy import Key
from relogin.client.requests import SessionAuth
from relogin.client.responders import SESSION
from relogin.client.terms.grant import Grant
from tests.benchmarks.renewal import ORIGIN, Account, MemoryTransport, with_requests

__all__: list[str] = []

ORIGINS, WAITING = 200, 1000


def grown(do: Callable[[], object]) -> int:
    """Return how many bytes are held after a call that were not before."""
    gc.collect()
    tracemalloc.start()
    do()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


def of_an_origin() -> None:
    """Print what a session takes, for each origin and realm."""
    origins = [f"https://{number}.example.com:443" for number in range(ORIGINS)]
    auth = SessionAuth(lambda _: "t", origins)

    def hold() -> None:
        for number, origin in enumerate(origins):
            made = auth._cache.made(Key(origin, "api"), SESSION, Grant(token=f"t{number}"))
            auth._cache.hold(made, None)

    print(f"a session, for each origin and realm: {grown(hold) / ORIGINS:.0f} bytes")


def of_who_waits() -> None:
    """Print what a task takes that waits for a login, and one that waits for an answer."""

    async def held(*, dead: bool) -> int:
        account, entered = Account(), asyncio.Event()
        until = asyncio.Event()

        async def log_in(_: object) -> str:
            entered.set()
            await until.wait()
            return account.log_in()

        class Answering(MemoryTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if not dead:
                    await until.wait()
                return await super().handle_async_request(request)

        auth = HttpxSessionAuth(log_in, ORIGIN, login_timeout=600) if dead else None
        async with httpx.AsyncClient(
            transport=Answering(account), auth=auth, trust_env=False
        ) as client:
            gc.collect()
            tracemalloc.start()
            tasks = [asyncio.create_task(client.get(ORIGIN)) for _ in range(WAITING)]
            for _ in range(20):
                await asyncio.sleep(0)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            until.set()
            await asyncio.gather(*tasks)
            return taken

    waiting, sending = (asyncio.run(held(dead=dead)) / WAITING for dead in (True, False))
    print(f"a request that waits for a login: {waiting:.0f} bytes; for an answer: {sending:.0f}")


def of_many(number: int) -> None:
    """Print what has grown after so many requests through one auth, of which 1 in 100 met a 401."""
    account = Account()
    auth = SessionAuth(account.log_in, ORIGIN, budget=(10**9, 1.0))
    send = with_requests(account, auth)

    def some(number: int) -> None:
        for each in range(number):
            if each % 100 == 0:
                account.die()
            assert send() == requests.codes.ok

    some(10_000)
    gc.collect()
    tracemalloc.start()
    some(1000)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    objects = len(gc.get_objects())
    some(number)
    gc.collect()
    more = len(gc.get_objects()) - objects
    tracemalloc.start()
    some(1000)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{number} requests: {more} more objects; a thousand held {before} bytes, {after} after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    asked = parser.parse_args().requests
    of_an_origin()
    of_who_waits()
    of_many(asked)
