"""A store in PostgreSQL: reconnects, tells of changes, and needs no more rights than it says."""

from __future__ import annotations

import asyncio
import os
import pickle
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from pickle import PicklingError

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from relogin.client.stores import Entry
from relogin.client.stores.postgres import AsyncPostgresStore, PostgresStore
from tests.client.postgres_server import PostgresServer

ORIGIN = "https://api.example.com:443"
needs_postgres = pytest.mark.needs("initdb")


@pytest.fixture
def store(conninfo: str) -> Iterator[PostgresStore]:
    store = PostgresStore(conninfo)
    yield store
    store.close()


def texts(store: PostgresStore) -> dict[str, str]:
    return {realm: entry.text for realm, entry in store.get(ORIGIN, "").entries.items()}


# Connections


@needs_postgres
def test_a_server_that_was_restarted_is_used_again(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    store.put(ORIGIN, "", "api", Entry("one", 0))
    postgres.stop()
    postgres.start()
    assert texts(store) == {"api": "one"}


@needs_postgres
def test_a_server_that_is_away_is_an_error(postgres: PostgresServer, store: PostgresStore) -> None:
    fresh = PostgresStore(postgres.conninfo)
    postgres.stop()
    try:
        for each in (store, fresh):
            with pytest.raises(psycopg.OperationalError):
                each.get(ORIGIN, "")
    finally:
        postgres.start()


@needs_postgres
def test_a_server_that_has_stopped_is_given_up(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.conninfo, timeout=0.2)
    store.create_table()
    with postgres.stopped():
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match=r"did not answer within 0.2 s"):
            store.get(ORIGIN, "")
        assert time.monotonic() - began < 1.5
    assert texts(store) == {}
    store.close()


@needs_postgres
def test_a_table_that_is_locked_is_given_up(postgres: PostgresServer, store: PostgresStore) -> None:
    hurried = PostgresStore(postgres.conninfo, timeout=0.2)
    with psycopg.connect(postgres.conninfo) as connection:
        connection.execute("LOCK TABLE relogin_sessions")
        with pytest.raises(psycopg.OperationalError, match="did not answer"):
            hurried.put(ORIGIN, "", "api", Entry("one", 0))
    assert set(texts(hurried).values()) <= {"one"}  # what was sent may yet have taken effect
    hurried.close()


@needs_postgres
def test_a_statement_whose_answer_was_lost_has_succeeded_when_it_is_repeated(
    store: PostgresStore,
) -> None:
    for revision, text in enumerate(("one", "two")):
        assert store.put(ORIGIN, "", "api", Entry(text, revision))
        assert store.put(ORIGIN, "", "api", Entry(text, revision))
        assert store.get(ORIGIN, "").entries["api"].revision == revision + 1


@needs_postgres
def test_a_revision_that_comes_again_after_a_loss_does_not_stand_for_the_text_that_was_lost(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    assert store.put(ORIGIN, "", "api", Entry("lost", 0))
    with psycopg.connect(postgres.conninfo) as connection:  # as after a failover
        connection.execute("UPDATE relogin_sessions SET text = 'one'")
    assert not store.put(ORIGIN, "", "api", Entry("two", 1, before="lost"))
    assert store.put(ORIGIN, "", "api", Entry("two", 1, before="one"))
    assert texts(store) == {"api": "two"}


@needs_postgres
def test_no_more_connections_are_kept_than_a_few(store: PostgresStore) -> None:
    together = threading.Barrier(12)

    def hold() -> None:
        store._use(lambda _: together.wait(20))

    threads = [threading.Thread(target=hold) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(store._idle.connections) == 8


@needs_postgres
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_opens_connections_of_its_own(conninfo: str) -> None:
    script = (
        "import os, sys\n"
        "from relogin.client.stores import Entry\n"
        "from relogin.client.stores.postgres import PostgresStore\n"
        "store = PostgresStore(sys.argv[1])\n"
        "store.put('o', '', 'api', Entry('parent', 0))\n"
        "if os.fork() == 0:\n"
        "    assert store.put('o', '', 'api', Entry('child', 1))\n"
        "    store.close()\n"
        "    sys.exit()\n"
        "assert os.wait()[1] == 0\n"
        "assert store.put('o', '', 'api', Entry('parent again', 2))\n"
        "store.close()\n"
    )
    command = [sys.executable, "-c", script, conninfo]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stderr) == (0, "")


@needs_postgres
def test_a_child_of_a_fork_leaves_the_connections_of_its_parent_alone(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(ORIGIN, "", "api", Entry("one", 0))
    (parents,) = store._idle.connections
    child = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: child)
    assert texts(store) == {"api": "one"}
    store.close()
    assert parents not in store._idle.connections
    assert not parents.closed
    parents.close()


def test_a_server_that_is_gone_is_given_up_in_the_time_given() -> None:
    assert "connect_timeout=3" in PostgresStore("host=db.example.com", timeout=3)._conninfo
    own = PostgresStore("host=db.example.com connect_timeout=9", timeout=3)._conninfo
    assert "connect_timeout=9" in own
    assert "tcp_user_timeout=3000" in own


# The table


@needs_postgres
def test_a_postgres_store_needs_the_rights_that_its_documentation_names_and_no_others(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    rights = re.search(r"The user needs ([A-Z, and]+) on it", PostgresStore.__doc__ or "")
    assert rights
    with psycopg.connect(postgres.conninfo) as admin:
        admin.execute("CREATE USER worker")
        granted = rights[1].replace(" and", ",").rstrip(" ,")
        admin.execute(f"GRANT {granted} ON relogin_sessions TO worker")
    worker = PostgresStore(postgres.conninfo.replace("user=postgres", "user=worker"))
    assert worker.put(ORIGIN, "", "api", Entry("one", 0))
    assert worker.put(ORIGIN, "", "api", Entry("two", 1))
    worker.wait(ORIGIN, "", "api", 1, 0.01)
    assert texts(worker) == {"api": "two"}


@needs_postgres
def test_what_is_unused_is_deleted_when_the_table_is_made_again(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    store.put(ORIGIN, "", "api", Entry("one", 0))
    PostgresStore(postgres.conninfo, keep=3600).create_table()
    assert texts(store) == {"api": "one"}
    PostgresStore(postgres.conninfo, keep=0).create_table()
    assert texts(store) == {}


@needs_postgres
def test_a_table_may_lie_in_a_schema(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.conninfo) as admin:
        admin.execute('CREATE SCHEMA "My Own"')
    store = PostgresStore(postgres.conninfo, table="My Own.sessions")
    store.create_table()
    assert store.put(ORIGIN, "", "api", Entry("one", 0))


@needs_postgres
def test_the_documentation_shows_the_table_that_is_made(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    page = Path("docs/how-to/stores.md").read_text(encoding="utf-8")
    shown = re.search(r"CREATE TABLE relogin_sessions \(.*?\n\);", page, re.DOTALL)
    assert shown
    as_shown = shown[0].replace("relogin_sessions", "as_shown")
    with psycopg.connect(postgres.conninfo) as admin:
        admin.execute(as_shown)
        columns = admin.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_name IN ('relogin_sessions', 'as_shown') "
            "ORDER BY ordinal_position"
        ).fetchall()
        admin.execute("DROP TABLE as_shown")
    assert {row[1:] for row in columns if row[0] == "as_shown"} == {
        row[1:] for row in columns if row[0] == "relogin_sessions"
    }


# Waiting


@needs_postgres
@pytest.mark.parametrize("kind", ["of its own", "a pool"])
def test_who_waits_is_told_of_a_change(
    postgres: PostgresServer, store: PostgresStore, kind: str
) -> None:
    store.put(ORIGIN, "", "api", Entry("one", 0))
    putting = threading.Timer(0.2, store.put, (ORIGIN, "", "api", Entry("two", 1)))
    with ConnectionPool(postgres.conninfo, open=True) as pool:
        waiting = PostgresStore(postgres.conninfo if kind == "of its own" else pool)
        began = time.monotonic()
        putting.start()
        waiting.wait(ORIGIN, "", "api", 1, 10)
        assert 0.1 < time.monotonic() - began < 5
    putting.join()


@needs_postgres
def test_who_waits_for_what_has_changed_already_does_not_wait(store: PostgresStore) -> None:
    store.put(ORIGIN, "", "api", Entry("one", 0))
    began = time.monotonic()
    store.wait(ORIGIN, "", "api", 0, 10)
    assert time.monotonic() - began < 5


@needs_postgres
def test_who_waits_in_vain_goes_on_after_the_time(store: PostgresStore) -> None:
    began = time.monotonic()
    store.wait(ORIGIN, "", "api", 0, 0.2)
    assert 0.15 < time.monotonic() - began < 5


# Tasks


@needs_postgres
def test_tasks_and_threads_share_what_they_keep(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    async def replace() -> tuple[bool, bool]:
        async with AsyncConnectionPool(postgres.conninfo, open=False) as pool:
            tasks = AsyncPostgresStore(pool)
            before = (await tasks.get(ORIGIN, "")).entries["api"]
            entry = Entry("two", before.revision)
            return (
                await tasks.put(ORIGIN, "", "api", entry),
                await tasks.put(ORIGIN, "", "api", Entry("three", 0)),
            )

    store.put(ORIGIN, "", "api", Entry("one", 0))
    assert asyncio.run(replace()) == (True, False)
    assert texts(store) == {"api": "two"}


@needs_postgres
def test_a_task_that_waits_is_told_of_a_change(
    postgres: PostgresServer, store: PostgresStore
) -> None:
    async def wait(begin: Callable[[], object]) -> float:
        async with AsyncConnectionPool(postgres.conninfo, open=False) as pool:
            began = time.monotonic()
            begin()
            await AsyncPostgresStore(pool).wait(ORIGIN, "", "api", 1, 10)
            return time.monotonic() - began

    store.put(ORIGIN, "", "api", Entry("one", 0))
    putting = threading.Timer(0.3, store.put, (ORIGIN, "", "api", Entry("two", 1)))
    assert 0.1 < asyncio.run(wait(putting.start)) < 5
    assert asyncio.run(wait(putting.join)) < 5


# What it says


def test_what_is_no_connection_string_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="takes a connection string") as caught:
        PostgresStore("hunter2 s3cret")
    assert "s3cret" not in str(caught.value)


def read_conninfo() -> str:
    return "postgresql://app:s3cret@db.example.com/app"


SHOWN = "<PostgresStore relogin_sessions at {}>"


def test_a_postgres_store_shows_where_it_is_and_no_password() -> None:
    assert (
        repr(PostgresStore(read_conninfo)) == "<PostgresStore relogin_sessions at db.example.com>"
    )
    assert repr(PostgresStore("dbname=app")) == "<PostgresStore relogin_sessions at localhost>"


def test_a_password_is_not_pickled() -> None:
    with pytest.raises(PicklingError, match=r"PostgresStore\(read_conninfo\)") as caught:
        pickle.dumps(PostgresStore(read_conninfo()))
    assert "s3cret" not in str(caught.value)


def test_a_function_that_returns_the_connection_string_is_pickled_in_its_place() -> None:
    pickled = pickle.dumps(PostgresStore(read_conninfo, table="mine", timeout=3, keep=60))
    assert b"s3cret" not in pickled
    store: PostgresStore = pickle.loads(pickled)
    assert repr(store) == "<PostgresStore mine at db.example.com>"
    assert (store._timeout, store._keep) == (3, 60)


def test_a_pool_is_shown_by_its_kind_and_is_not_pickled() -> None:
    pool = ConnectionPool("host=db.example.com", open=False)
    assert repr(PostgresStore(pool)) == "<PostgresStore relogin_sessions on ConnectionPool>"
    with pytest.raises(PicklingError, match="make one in each process"):
        pickle.dumps(PostgresStore(pool))


def test_an_asynchronous_pool_is_for_an_asynchronous_store() -> None:
    async def opened() -> AsyncConnectionPool:
        return AsyncConnectionPool("host=db.example.com", open=False)

    pool = asyncio.run(opened())
    with pytest.raises(TypeError, match="needs AsyncPostgresStore"):
        PostgresStore(pool)
    store = AsyncPostgresStore(pool)
    assert repr(store) == "<AsyncPostgresStore relogin_sessions on AsyncConnectionPool>"
    with pytest.raises(PicklingError, match="make one in each process"):
        pickle.dumps(store)
    with pytest.raises(TypeError, match="takes a psycopg_pool"):
        AsyncPostgresStore("host=db.example.com")
