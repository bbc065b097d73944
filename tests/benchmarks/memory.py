"""What is held: `python -m tests.benchmarks.memory`.

Bytes are tracemalloc's. A waiting request is one that met a dead session while another one logs in;
beside it stands the same request with the peer, and one that waits for its answer without either.
`--requests` sends so many through one `SessionAuth` with a session that dies now and then, and
prints what has grown.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import requests
from singleflight_auth import AsyncSingleFlightAuth, RequestsSingleFlightAuth

from relogin.client.httpx import SessionAuth as HttpxSessionAuth
from relogin.client.renewal.policy import Key
from relogin.client.requests import SessionAuth
from relogin.client.responders import SESSION
from relogin.client.terms.grant import Grant
from tests.benchmarks.renewal import (
    ORIGIN,
    URL,
    Account,
    MemoryAdapter,
    MemoryTransport,
    with_requests,
)
from tests.benchmarks.rows import Row, shown

__all__ = ["rows"]

ORIGINS, TASKS, THREADS = 200, 1000, 100
KINDS = ("ours", "peer", "answer")
PEER = "singleflight-auth"


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Count, from here on, the bytes that are held."""

    def held() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    gc.collect()
    tracemalloc.start()
    try:
        yield held
    finally:
        tracemalloc.stop()


# An origin and realm


def of_an_origin() -> Row:
    """Return what a session takes for each origin and realm, beside an auth object of the peer."""
    origins = [f"https://{number}.example.com:443" for number in range(ORIGINS)]
    auth = SessionAuth(lambda _: "t", origins)
    with traced() as held:
        for number, origin in enumerate(origins):
            made = auth._cache.made(Key(origin, "api"), SESSION, Grant(token=f"t{number}"))
            auth._cache.hold(made, None)
        ours = held() / ORIGINS
    with traced() as held:
        peers = [RequestsSingleFlightAuth(lambda: "t", lambda: "t") for _ in origins]
        peer = held() / len(peers)
    detail = f"bytes: ours {ours:.0f}, peer {peer:.0f}"
    return shown(Row("held for an origin and realm", ours / peer, PEER, 1.5, detail))


# A request that waits


def of_a_task() -> Row:
    """Return what a task of httpx takes that waits for a login."""
    return _waiting("task of httpx", 2.0, TASKS, lambda *of: asyncio.run(_tasks(*of)))


def of_a_thread() -> Row:
    """Return what a thread of requests takes that waits for a login."""
    return _waiting("thread of requests", 1.25, THREADS, _threads)


def _waiting(what: str, goal: float, number: int, measure: Callable[[str, int], int]) -> Row:
    held = {}
    for kind in KINDS:
        measure(kind, 2)  # and so all is imported
        held[kind] = measure(kind, number) / number
    detail = "bytes: " + ", ".join(f"{kind} {taken:.0f}" for kind, taken in held.items())
    return shown(Row(f"held by a waiting {what}", held["ours"] / held["peer"], PEER, goal, detail))


async def _tasks(kind: str, number: int) -> int:
    account, until = Account(), asyncio.Event()
    account.die()

    async def log_in(_: object = None) -> str:
        await until.wait()
        return account.log_in()

    class Answering(MemoryTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if kind == "answer":
                await until.wait()
            return await super().handle_async_request(request)

    auth: Any = None
    if kind == "ours":
        auth = HttpxSessionAuth(log_in, ORIGIN, login_timeout=600)
    elif kind == "peer":
        auth = AsyncSingleFlightAuth(lambda: account.held, log_in)
    async with httpx.AsyncClient(
        transport=Answering(account), auth=auth, trust_env=False
    ) as client:
        with traced() as held:
            tasks = [asyncio.create_task(client.get(URL)) for _ in range(number)]
            for _ in range(20):
                await asyncio.sleep(0)
            taken = held()
        until.set()
        await asyncio.gather(*tasks)
        return taken


def _threads(kind: str, number: int) -> int:
    account, until = Account(), threading.Event()
    account.die()
    sent = threading.Semaphore(0)

    def log_in(_: object = None) -> str:
        until.wait(60)
        return account.log_in()

    class Answering(MemoryAdapter):
        def send(self, request: Any, *_: Any, **more: Any) -> requests.Response:
            sent.release()
            if kind == "answer":
                until.wait(60)
            return super().send(request, *_, **more)

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Answering(account))
    if kind == "ours":
        session.auth = SessionAuth(log_in, ORIGIN, login_timeout=600)
    elif kind == "peer":
        session.auth = RequestsSingleFlightAuth(lambda: account.held, log_in)
    with traced() as held:
        threads = [threading.Thread(target=session.get, args=(URL,)) for _ in range(number)]
        for thread in threads:
            thread.start()
        for _ in threads:
            sent.acquire(timeout=60)
        time.sleep(0.5)  # until each has read its answer, and waits
        taken = held()
    until.set()
    for thread in threads:
        thread.join()
    return taken


def rows() -> list[Row]:
    """Print and return what is held for an origin, and by a request that waits."""
    return [of_an_origin(), of_a_task(), of_a_thread()]


# Many requests


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

    def held_by_a_thousand() -> int:
        with traced() as held:
            some(1000)
            return held()

    some(10_000)
    before = held_by_a_thousand()
    objects = len(gc.get_objects())
    some(number)
    gc.collect()
    more = len(gc.get_objects()) - objects
    after = held_by_a_thousand()
    print(f"{number} requests: {more} more objects; a thousand held {before} bytes, {after} after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    asked = parser.parse_args().requests
    rows()
    of_many(asked)
