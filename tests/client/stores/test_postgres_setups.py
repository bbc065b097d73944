"""A store in PostgreSQL with the pools, poolers, databases and names that people have."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from relogin.client.stores import Entry
from relogin.client.stores.postgres import AsyncPostgresStore, PostgresStore
from tests.client.postgres_server import PostgresServer, a_pooler

ORIGIN = "https://api.example.com:443"
pytestmark = pytest.mark.needs("initdb")


def run(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


POOLS: dict[str, dict[str, Any]] = {
    "rows are mappings": {"row_factory": dict_row},
    "each statement is a transaction": {"autocommit": True},
    "parameters have numbers": {"cursor_factory": psycopg.RawCursor},
}


@pytest.mark.parametrize("kind", POOLS)
def test_a_pool_may_make_any_kind_of_cursor(conninfo: str, kind: str) -> None:
    with ConnectionPool(conninfo, kwargs=POOLS[kind], min_size=1) as pool:
        store = PostgresStore(pool)
        assert store.put(ORIGIN, "", "api", Entry("one", 0))
        assert store.get(ORIGIN, "").entries["api"].text == "one"
        store.wait(ORIGIN, "", "api", 7, 5.0)  # which has passed


def test_a_pool_for_tasks_may_make_any_kind_of_cursor(conninfo: str) -> None:
    async def use() -> str:
        options = {"row_factory": dict_row}
        async with AsyncConnectionPool(conninfo, kwargs=options, min_size=1, open=False) as pool:
            store = AsyncPostgresStore(pool)
            assert await store.put(ORIGIN, "", "api", Entry("one", 0))
            await store.wait(ORIGIN, "", "api", 7, 5.0)
            return (await store.get(ORIGIN, "")).entries["api"].text

    assert asyncio.run(use()) == "one"


def end_all(conninfo: str) -> None:
    """End all other connections, as a restart does."""
    run(
        conninfo,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )


def test_a_pool_may_keep_connections_that_the_server_has_closed(conninfo: str) -> None:
    with ConnectionPool(conninfo, min_size=3) as pool:
        pool.wait()
        store = PostgresStore(pool)
        end_all(conninfo)
        assert store.put(ORIGIN, "", "api", Entry("one", 0))
        end_all(conninfo)
        assert store.get(ORIGIN, "").entries["api"].text == "one"


def test_a_pool_for_tasks_may_keep_connections_that_the_server_has_closed(conninfo: str) -> None:
    async def use() -> str:
        async with AsyncConnectionPool(conninfo, min_size=3, open=False) as pool:
            await pool.wait()
            store = AsyncPostgresStore(pool)
            end_all(conninfo)
            assert await store.put(ORIGIN, "", "api", Entry("one", 0))
            end_all(conninfo)
            return (await store.get(ORIGIN, "")).entries["api"].text

    assert asyncio.run(use()) == "one"


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_a_server_that_closes_each_connection_is_given_up(
    conninfo: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.stores.postgres._RETRIED", 0.2)
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        CUT[kind](conninfo)


def cut_in_thread(conninfo: str) -> None:
    def end(_: psycopg.Connection[Any]) -> None:
        end_all(conninfo)

    with ConnectionPool(conninfo, min_size=1, open=True, check=end) as pool:
        PostgresStore(pool).get(ORIGIN, "")


def cut_in_task(conninfo: str) -> None:
    async def end(_: psycopg.AsyncConnection[Any]) -> None:
        end_all(conninfo)

    async def get() -> None:
        async with AsyncConnectionPool(conninfo, min_size=1, open=False, check=end) as pool:
            await AsyncPostgresStore(pool).get(ORIGIN, "")

    asyncio.run(get())


CUT = {"threads": cut_in_thread, "tasks": cut_in_task}


def test_who_waits_on_a_connection_that_the_server_has_closed_waits_on_another(
    conninfo: str,
) -> None:
    with ConnectionPool(conninfo, min_size=3) as pool:
        pool.wait()
        end_all(conninfo)
        began = time.monotonic()
        PostgresStore(pool).wait(ORIGIN, "", "api", 0, 0.3)
        assert time.monotonic() - began >= 0.3


def test_a_task_that_waits_on_a_closed_connection_waits_on_another(conninfo: str) -> None:
    async def use() -> None:
        async with AsyncConnectionPool(conninfo, min_size=3, open=False) as pool:
            await pool.wait()
            end_all(conninfo)
            await AsyncPostgresStore(pool).wait(ORIGIN, "", "api", 0, 0.3)

    began = time.monotonic()
    asyncio.run(use())
    assert time.monotonic() - began >= 0.3


# A response that is lost: the server has committed, and nobody is told


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_a_put_of_a_pool_that_is_repeated_after_its_response_was_lost_has_succeeded(
    conninfo: str, kind: str
) -> None:
    for revision, text in enumerate(("one", "two")):
        assert PUT_AND_LOST[kind](conninfo, Entry(text, revision), lambda: None)
    assert stored(conninfo) == Entry("two", 2, before="two")


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_a_put_whose_response_was_lost_has_failed_if_its_text_was_replaced_meanwhile(
    conninfo: str, kind: str
) -> None:
    def replace() -> None:
        assert PostgresStore(conninfo).put(ORIGIN, "", "api", Entry("two", 1, before="one"))

    assert not PUT_AND_LOST[kind](conninfo, Entry("one", 0), replace)
    assert stored(conninfo) == Entry("two", 2, before="two")


def stored(conninfo: str) -> Entry:
    return PostgresStore(conninfo).get(ORIGIN, "").entries["api"]


def put_and_lost_in_thread(conninfo: str, entry: Entry, meanwhile: Callable[[], None]) -> bool:
    left = [meanwhile]

    class Losing(psycopg.Connection[Any]):
        def commit(self) -> None:
            super().commit()
            if left:
                left.pop()()
                self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

    with ConnectionPool(conninfo, connection_class=Losing, min_size=1, open=True) as pool:
        put = PostgresStore(pool).put(ORIGIN, "", "api", entry)
    assert not left
    return put


def put_and_lost_in_task(conninfo: str, entry: Entry, meanwhile: Callable[[], None]) -> bool:
    left = [meanwhile]

    class Losing(psycopg.AsyncConnection[Any]):
        async def commit(self) -> None:
            await super().commit()
            if left:
                left.pop()()
                await self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")

    async def put() -> bool:
        pool = AsyncConnectionPool(conninfo, connection_class=Losing, min_size=1, open=False)
        async with pool:
            return await AsyncPostgresStore(pool).put(ORIGIN, "", "api", entry)

    done = asyncio.run(put())
    assert not left
    return done


PUT_AND_LOST = {"threads": put_and_lost_in_thread, "tasks": put_and_lost_in_task}


# Isolation


@contextmanager
def strict(conninfo: str) -> Iterator[None]:
    """Isolate transactions as some databases do by default."""
    run(conninfo, "ALTER ROLE postgres SET default_transaction_isolation = 'serializable'")
    try:
        yield
    finally:
        run(conninfo, "ALTER ROLE postgres RESET default_transaction_isolation")


@pytest.mark.parametrize("way", ["threads", "tasks"])
@pytest.mark.parametrize("revision", [0, 1])
def test_who_is_overtaken_under_strict_isolation_has_not_put(
    conninfo: str, way: str, revision: int
) -> None:
    faster = (
        "INSERT INTO relogin_sessions VALUES (%s, '', 'api', 1, 'other', now())",
        "UPDATE relogin_sessions SET text = 'other', revision = 2 WHERE origin = %s",
    )
    put: list[bool] = []
    if revision:
        PostgresStore(conninfo).put(ORIGIN, "", "api", Entry("one", 0))
    with strict(conninfo), psycopg.connect(conninfo) as other:
        other.execute(faster[revision].encode(), [ORIGIN])
        slower = threading.Thread(target=lambda: put.append(PUT[way](conninfo, revision)))
        slower.start()
        wait_until_blocked(conninfo)
        other.commit()
        slower.join(20)
    assert put == [False]


def put_in_thread(conninfo: str, revision: int) -> bool:
    return PostgresStore(conninfo).put(ORIGIN, "", "api", Entry("mine", revision))


def put_in_task(conninfo: str, revision: int) -> bool:
    async def put() -> bool:
        async with AsyncConnectionPool(conninfo, min_size=1, open=False) as pool:
            store = AsyncPostgresStore(pool)
            return await store.put(ORIGIN, "", "api", Entry("mine", revision))

    return asyncio.run(put())


PUT = {"threads": put_in_thread, "tasks": put_in_task}


def wait_until_blocked(conninfo: str) -> None:
    give_up = time.monotonic() + 20
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while not connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
            assert time.monotonic() < give_up
            time.sleep(0.01)


# Names and encodings


@pytest.mark.parametrize("table", ["t" * 64, f"{'s' * 40}.{'t' * 40}", 'odd "name"'])
def test_a_table_may_have_a_long_name(postgres: PostgresServer, table: str) -> None:
    run(postgres.conninfo, f"CREATE SCHEMA IF NOT EXISTS {'s' * 40}")
    store = PostgresStore(postgres.conninfo, table=table)
    store.create_table()
    waiting = threading.Thread(target=store.wait, args=(ORIGIN, "", "api", 0, 1.0))
    waiting.start()
    assert store.put(ORIGIN, "", "api", Entry("one", 0))
    waiting.join(20)
    store.close()


@pytest.mark.parametrize("table", ["", "app.", ".sessions", "db.app.sessions"])
def test_what_is_no_name_of_a_table_is_refused(postgres: PostgresServer, table: str) -> None:
    with pytest.raises(ValueError, match="PostgresStore: table= must be a name, or a schema and"):
        PostgresStore(postgres.conninfo, table=table)


def test_a_database_may_have_no_encoding(postgres: PostgresServer) -> None:
    # As one that was made where no locale is set.
    run(
        postgres.conninfo, "CREATE DATABASE bare ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    )
    store = PostgresStore(postgres.conninfo.replace("dbname=postgres", "dbname=bare"))
    store.create_table()
    assert store.put(ORIGIN, "Zo\xeb", "caf\xe9", Entry("one", 0))
    entries = store.get(ORIGIN, "Zo\xeb").entries
    assert {realm: entry.text for realm, entry in entries.items()} == {"caf\xe9": "one"}
    store.close()


# Poolers


@pytest.mark.needs("pgbouncer")
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_behind_a_pooler_a_postgres_store_is_polled(
    postgres: PostgresServer, conninfo: str, mode: str
) -> None:
    with a_pooler(postgres, mode) as pooler:
        store = PostgresStore(pooler.conninfo)
        for revision, text in enumerate(("one", "two")):
            assert store.put(ORIGIN, "", "api", Entry(text, revision))
        assert store.get(ORIGIN, "").entries["api"].text == "two"
        with pytest.raises(LookupError, match="a pooler stands between"):
            store.wait(ORIGIN, "", "api", 2, 1.0)
        store.close()


@pytest.mark.needs("pgbouncer")
def test_a_store_for_tasks_behind_a_pooler_is_polled(
    postgres: PostgresServer, conninfo: str
) -> None:
    async def wait(pooled: str) -> None:
        options = {"prepare_threshold": None}
        async with AsyncConnectionPool(pooled, kwargs=options, min_size=1, open=False) as pool:
            store = AsyncPostgresStore(pool)
            assert await store.put(ORIGIN, "", "api", Entry("one", 0))
            with pytest.raises(LookupError, match="a pooler stands between"):
                await store.wait(ORIGIN, "", "api", 1, 1.0)

    with a_pooler(postgres) as pooler:
        asyncio.run(wait(pooler.conninfo))
