"""What every store does: keep texts, and change one only for whoever has seen it as it is."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from relogin.client.driver.drive import drive, stand_by
from relogin.client.renewal.stored import swap
from relogin.client.stores import Entry, Snapshot, Store
from relogin.client.stores.conformance import LAWS, Law, check_async_store
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.postgres import AsyncPostgresStore, PostgresStore
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from relogin.client.stores.sqlite import SQLiteStore
from tests.client.postgres_server import PostgresServer
from tests.client.redis_server import RedisServer
from tests.client.steps import KEY, a_cache
from tests.threads import in_threads

ORIGIN = "https://api.example.com:443"

Opened = Callable[[], Store]
"""Opens the same store once more, as another process does."""


REDIS, POSTGRES = pytest.mark.needs("redis-server"), pytest.mark.needs("initdb")


@pytest.fixture(
    params=[
        "memory",
        "sqlite",
        pytest.param("redis", marks=REDIS),
        pytest.param("redis_client", marks=REDIS),
        pytest.param("valkey", marks=REDIS),
        pytest.param("cluster", marks=REDIS),
        pytest.param("postgres", marks=POSTGRES),
        pytest.param("postgres_pool", marks=POSTGRES),
    ]
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    opening = globals()[f"_{request.param}"]
    needed = {name: request.getfixturevalue(name) for name in inspect.signature(opening).parameters}
    with contextlib.ExitStack() as opened:
        yield opened.enter_context(contextlib.contextmanager(opening)(**needed))


def _memory() -> Iterator[Opened]:
    store = MemoryStore()
    yield lambda: store


def _sqlite(tmp_path: Path) -> Iterator[Opened]:
    yield lambda: SQLiteStore(tmp_path / "sessions.db")


def _redis(redis_server: RedisServer, tmp_path: Path) -> Iterator[Opened]:
    yield lambda: RedisStore(redis_server.url, prefix=f"{tmp_path}:")


def _redis_client(redis_server: RedisServer, tmp_path: Path) -> Iterator[Opened]:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        yield lambda: RedisStore(client, prefix=f"{tmp_path}:")


def _valkey(redis_server: RedisServer, tmp_path: Path) -> Iterator[Opened]:
    with valkey.Valkey(unix_socket_path=str(redis_server.socket)) as client:
        yield lambda: RedisStore(client, prefix=f"{tmp_path}:")


def _cluster(redis_cluster: list[int], tmp_path: Path) -> Iterator[Opened]:
    with redis.RedisCluster(host="127.0.0.1", port=redis_cluster[0]) as client:
        yield lambda: RedisStore(client, prefix=f"{tmp_path}:")


def _postgres(postgres: PostgresServer) -> Iterator[Opened]:
    table = f"sessions_{next(_tables)}"
    PostgresStore(postgres.conninfo, table=table).create_table()
    yield lambda: PostgresStore(postgres.conninfo, table=table)


def _postgres_pool(postgres: PostgresServer) -> Iterator[Opened]:
    table = f"sessions_{next(_tables)}"
    with ConnectionPool(postgres.conninfo, open=True) as pool:
        PostgresStore(pool, table=table).create_table()
        yield lambda: PostgresStore(pool, table=table)


_tables = itertools.count()


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened()


def texts(store: Store) -> dict[str, str]:
    return {realm: entry.text for realm, entry in store.get(ORIGIN, "").entries.items()}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_store_keeps_each_law(opened: Opened, law: Law) -> None:
    law(opened)


@REDIS
@pytest.mark.parametrize("library", [redis.asyncio.Redis, valkey.asyncio.Valkey])
def test_a_store_for_tasks_in_redis_keeps_each_law(redis_server: RedisServer, library: Any) -> None:
    async def check() -> None:
        async with library(unix_socket_path=str(redis_server.socket)) as client:
            await check_async_store(lambda: AsyncRedisStore(client))

    asyncio.run(check())


@POSTGRES
def test_a_store_for_tasks_in_postgresql_keeps_each_law(conninfo: str) -> None:
    async def check() -> None:
        async with AsyncConnectionPool(conninfo, open=False) as pool:
            await check_async_store(lambda: AsyncPostgresStore(pool))

    asyncio.run(check())


def close(store: Store) -> None:
    getattr(store, "close", lambda: None)()


class Reversed:
    """A store that wraps another one and changes the texts, as one that encrypts them does."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, origin: str, account: str) -> Snapshot:
        found = self.store.get(origin, account)
        entries = {realm: e._replace(text=e.text[::-1]) for realm, e in found.entries.items()}
        return found._replace(entries=entries)

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        return self.store.put(origin, account, realm, entry._replace(text=entry.text[::-1]))


def test_a_store_may_wrap_another_and_change_the_texts(store: Store) -> None:
    cache = a_cache(store=Reversed(store))
    do = partial(stand_by, cache)
    for _ in range(2):
        change = drive(swap(cache, KEY, lambda record, view: record.forget(view.now)), do)
        assert change and change.made  # noqa: PT018


def test_a_store_that_was_closed_opens_again(store: Store) -> None:
    close(store)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    close(store)
    close(store)
    assert texts(store) == {"api": "one"}


def test_a_store_may_be_closed_while_other_threads_use_it(store: Store) -> None:
    def use(realm: str) -> set[str | None]:
        store.put(ORIGIN, "", realm, Entry(realm, 0))
        wait = getattr(store, "wait", lambda *_: None)
        read = set()
        for _ in range(8):
            wait(ORIGIN, "", realm, 1, 0.001)
            read.add(texts(store).get(realm))
        return read

    with ThreadPoolExecutor() as threads:
        using = {realm: threads.submit(use, realm) for realm in "abc"}
        while not all(used.done() for used in using.values()):
            close(store)
            time.sleep(0.001)
        assert {realm: used.result() for realm, used in using.items()} == {
            realm: {realm} for realm in using
        }


FORK = """
import ctypes, os, sys
from relogin.client.stores import Entry
from relogin.client.stores.conformance import LAWS, Law, check_async_store
from relogin.client.stores.memory import MemoryStore
store = MemoryStore()
store.put("o", "", "api", Entry("one", 0))
with store._kept[os.getpid()].lock:
    pid = os.fork() if sys.argv[1] == "with hooks" else ctypes.PyDLL(None).fork()
    if pid == 0:
        sys.exit(len(store.get("o", "").entries))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.parametrize("hooks", ["with hooks", "without hooks, as uWSGI forks"])
def test_a_store_in_memory_begins_empty_in_a_child_of_a_fork(hooks: str) -> None:
    subprocess.run([sys.executable, "-c", FORK, hooks], check=True, timeout=20)


def test_a_copy_of_a_store_in_memory_begins_empty() -> None:
    memory = MemoryStore()
    memory.put(ORIGIN, "", "api", Entry("one", 0))
    assert texts(pickle.loads(pickle.dumps(memory))) == {}


def test_threads_of_a_child_of_a_fork_share_what_they_put_and_nothing_of_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory, child = MemoryStore(), os.getpid() + 1
    memory.put(ORIGIN, "", "api", Entry("s3cret", 0))
    monkeypatch.setattr("os.getpid", lambda: child)
    done = in_threads(16, lambda n: memory.put(ORIGIN, "", "api", Entry(f"by {n}", 0)))
    assert texts(memory) == {"api": f"by {done.index(True)}"}
    assert done.count(True) == len(memory._kept) == 1


PLACES = st.tuples(
    st.sampled_from([ORIGIN, "http://b:80"]),
    st.sampled_from(["", "a"]),
    st.sampled_from(["", "api", "b"]),
)


class Machine(RuleBasedStateMachine):
    """A store beside a dictionary, in any order of calls."""

    open: Opened
    run = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.store = self.open()
        self.origins = f"{next(self.run)}."  # one store serves all runs
        self.kept: dict[tuple[str, str, str], Entry] = {}
        self.past: set[tuple[tuple[str, str, str], int]] = set()

    def entry(self, place: tuple[str, str, str]) -> Entry:
        origin, account, realm = place
        entries = self.store.get(self.origins + origin, account).entries
        return entries.get(realm, Entry("", 0))

    def put(self, place: tuple[str, str, str], entry: Entry) -> bool:
        origin, account, realm = place
        return self.store.put(self.origins + origin, account, realm, entry)

    @rule(place=PLACES, text=st.text(st.characters(codec="utf-8", exclude_characters="\0")))
    def put_current(self, place: tuple[str, str, str], text: str) -> None:
        before = self.entry(place)
        assert self.put(place, Entry(text, before.revision))
        self.past.add((place, before.revision))
        self.kept[place] = self.entry(place)
        assert self.kept[place].text == text
        assert (place, self.kept[place].revision) not in self.past

    @rule(place=PLACES, behind=st.integers(1, 3))
    def put_outdated(self, place: tuple[str, str, str], behind: int) -> None:
        before = self.entry(place)
        outdated = before.revision - behind
        if outdated >= 0:
            assert not self.put(place, Entry("never stored", outdated))
        assert self.entry(place) == before

    @rule()
    def open_again(self) -> None:
        self.store = self.open()

    @invariant()
    def all_is_there(self) -> None:
        for origin, account in itertools.product([ORIGIN, "http://b:80"], ["", "a"]):
            stored = self.store.get(self.origins + origin, account).entries
            kept = {r: e for (o, a, r), e in self.kept.items() if (o, a) == (origin, account)}
            assert stored == kept


def test_a_store_keeps_what_a_dictionary_keeps(opened: Opened) -> None:
    machine: Any = type("Opened", (Machine,), {"open": staticmethod(opened)})
    quick = settings(
        max_examples=25,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    run_state_machine_as_test(machine, settings=quick)
