"""What sharing a session costs: `python -m tests.benchmarks.stores`.

First what a store itself takes, in µs; then whole requests with a living session, and a 401 with
its renewal and replay (the login itself being free), as ratios to the same without a store.
Where redis-server is not installed, Redis is left out.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

import anyio.to_thread
import requests

from relogin import Grant
from relogin.client.requests import SessionAuth
from relogin.client.stores import Entry, Store
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.record import Record
from relogin.client.stores.sqlite import SQLiteStore
from tests.benchmarks.client import _Handler, served
from tests.benchmarks.rows import Row, shown
from tests.benchmarks.timing import interleaved, ratio, shuffled, unhindered
from tests.client.redis_server import a_redis_server

_ALWAYS, PLAIN = 'fresh="always"', "a request without a store"
GRANT = Grant(token="x" * 64, refresh="y" * 64, expires_in=3600)


@contextmanager
def stores() -> Iterator[Mapping[str, Store]]:
    """Open one store of each kind."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        made: dict[str, Store] = {
            "memory": MemoryStore(),
            "sqlite": SQLiteStore(Path(folder) / "sessions.db"),
        }
        if shutil.which("redis-server"):
            import redis

            from relogin.client.stores.redis import RedisStore

            url = opened.enter_context(a_redis_server()).url
            made["redis"] = RedisStore(url)
            made["redis client"] = RedisStore(opened.enter_context(redis.Redis.from_url(url)))
        yield made


def of_the_store(made: Mapping[str, Store]) -> None:
    """Print the µs of the two things a store does."""
    text = Record(1, GRANT, "Session", fence=1).dumps()

    def put(store: Store, *, durable: bool) -> object:
        entry = store.get("o", "").entries["api"]
        return store.put("o", "", "api", Entry(text, entry.revision, durable))

    print("one call of the store, µs; durable: what has to do with a refresh token")
    for name, store in made.items():
        store.put("o", "", "api", Entry(text, 0))
        pieces: dict[str, Callable[[], object]] = {
            "get": partial(store.get, "o", ""),
            "put": partial(put, store, durable=False),
            "durable": partial(put, store, durable=True),
        }
        taken = {piece: median(each) for piece, each in interleaved(pieces).items()}
        plain, durable = taken["put"] - taken["get"], taken["durable"] - taken["get"]
        print(f"  {name:24}get {taken['get']:6.1f}  put {plain:6.1f}  durable {durable:6.1f}")


def living(url: str, made: Mapping[str, Store]) -> Mapping[str, requests.Session]:
    """Open a session for each way of asking a store, all of them living."""
    asking: list[tuple[str, Store | None, Literal["always"] | None]] = [
        ("without a store", None, None),
        ("without a store, again", None, None),
        *((name, store, None) for name, store in made.items()),
        *((f"{name}, {_ALWAYS}", store, "always") for name, store in made.items()),
    ]
    sessions = {name: requests.Session() for name, _, _ in asking}
    for name, store, fresh in asking:
        account = f"{name}-{time.time_ns()}"  # and so a session of its own
        sessions[name].auth = SessionAuth(
            lambda _: _Handler.living, url, store=store, account=account, fresh=fresh
        )
        sessions[name].get(url + "/")
    return sessions


def of_signing(url: str, made: Mapping[str, Store]) -> None:
    """Print the µs that signing a request takes."""
    bare = requests.Request("GET", url + "/open").prepare()

    def sign(auth: Any) -> None:
        request = bare.copy()
        request.hooks = {"response": []}
        auth(request)

    sessions = living(url, made)
    taken = interleaved({name: partial(sign, each.auth) for name, each in sessions.items()})
    print("signing a request, living session, µs")
    for name, each in taken.items():
        print(f"  {name:24}{median(each):7.1f}")


GOALS = {"sqlite": 1.10, "redis": 1.25}


def rows(calls: int = 1500) -> list[Row]:
    """Print and return what `fresh="always"` adds to whole requests, a plain one being 1."""
    with served() as url, stores() as made:
        return of_a_request(url, made, calls)


def of_a_request(url: str, made: Mapping[str, Store], calls: int = 1500) -> list[Row]:
    """Print whole requests with a living session, as ratios to one without a store."""
    sessions = living(url, made)
    pieces = {name: partial(each.get, url + "/open") for name, each in sessions.items()}
    taken = {name: unhindered(each) for name, each in shuffled(pieces, calls).items()}
    plain, again = taken["without a store"], taken["without a store, again"]
    print("whole requests over loopback, living session, ratio to one without a store")
    for name, each in taken.items():
        print(f"  {name:24}{each / plain:7.3f}")
    detail = f"{plain:.0f} µs; the same once more {again / plain:.2f}"
    return [
        shown(Row(f"{name}, {_ALWAYS}", taken[f"{name}, {_ALWAYS}"] / plain, PLAIN, goal, detail))
        for name, goal in GOALS.items()
        if name in made
    ]


def of_a_renewal(url: str, made: Mapping[str, Store]) -> None:
    """Print a 401 with renewal and replay, as ratios to one without a store."""

    def login(_: object) -> Grant:
        _Handler.living = str(int(_Handler.living) + 1)
        return Grant(token=_Handler.living)

    def renewed(session: requests.Session) -> None:
        _Handler.living = str(int(_Handler.living) + 1)
        assert session.get(url + "/").status_code == 200

    sessions = {name: requests.Session() for name in ("none", *made)}
    for name, session in sessions.items():
        store = made.get(name)
        session.auth = SessionAuth(login, url, store=store, account="r", budget=(10**9, 1.0))
    pieces = {name: partial(renewed, session) for name, session in sessions.items()}
    taken = interleaved(pieces, rounds=40, seconds=0.03)
    print("401 + renewal + replay, the login itself free, ratio to one without a store")
    for name in made:
        print(f"  {name:24}{ratio(taken[name], taken['none']):7.3f}")


def of_a_thread(made: Mapping[str, Store]) -> None:
    """Print what it takes a task to ask a store that may block, in µs."""

    async def asked(store: Store, number: int) -> float:
        started = time.perf_counter()
        for _ in range(number):
            await anyio.to_thread.run_sync(store.get, "o", "")
        return (time.perf_counter() - started) / number * 1e6

    print("asked by a task of asyncio, in a thread, µs")
    for name, store in made.items():
        print(f"  {name:24}get {asyncio.run(asked(store, 1000)):7.1f}")


if __name__ == "__main__":
    with served() as address, stores() as opened_stores:
        of_the_store(opened_stores)
        of_signing(address, opened_stores)
        of_a_request(address, opened_stores)
        of_a_renewal(address, opened_stores)
        of_a_thread(opened_stores)
