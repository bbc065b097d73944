"""A store in a file: private, safe from kill -9, careful with files that are not its own."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from relogin.client.stores import Entry
from relogin.client.stores.sqlite import SQLiteStore, _check, _switch_to_wal, migrate
from tests.client.stores.files import ORIGIN, filled, modes, stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


# Privacy


def test_a_new_file_is_never_open_to_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever opens it before its mode is narrowed could read all that is ever written.
    monkeypatch.setattr(Path, "chmod", pytest.fail)
    umask = os.umask(0)
    try:
        filled(path).close()
    finally:
        os.umask(umask)


def test_the_files_of_a_store_are_their_owner_s_alone(path: Path) -> None:
    umask = os.umask(0)
    try:
        store = filled(path)
    finally:
        os.umask(umask)
    names = ("sessions.db", "sessions.db-wal", "sessions.db-shm")
    assert modes(path.parent) == dict.fromkeys(names, 0o600)
    store.close()


def test_a_file_that_others_could_read_is_made_private_with_what_lies_beside_it(path: Path) -> None:
    with closing(filled(path)):
        for file in path.parent.iterdir():
            file.chmod(0o644)
        with closing(SQLiteStore(path)) as again:
            assert set(modes(path.parent).values()) == {0o600}
            assert stored(again) == "one"


def test_what_is_replaced_does_not_lie_in_the_file_any_longer(path: Path) -> None:
    store = filled(path, "s3cret")
    store.put(ORIGIN, "", "api", Entry("other", 1))
    store.close()
    assert b"s3cret" not in path.read_bytes()


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)])
def test_only_what_must_outlive_a_power_failure_waits_for_the_disk(
    path: Path, durable: bool, level: int
) -> None:
    store = SQLiteStore(path)
    store.put(ORIGIN, "", "api", Entry("one", 0, durable))
    assert store._idle.connections[0].execute("PRAGMA synchronous").fetchone() == (level,)


# Files of other kinds


def test_a_file_that_is_there_and_empty_is_used(path: Path) -> None:
    path.touch(0o644)
    filled(path).close()
    assert modes(path.parent) == {"sessions.db": 0o600}


@pytest.mark.parametrize("content", [b"127.0.0.1 localhost\n", b"x" * 8192])
def test_a_file_that_is_no_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(ValueError, match="is not an SQLite file; it was not changed"):
        SQLiteStore(path)
    assert path.read_bytes() == content
    assert modes(path.parent) == {"sessions.db": 0o644}


def test_another_program_s_database_is_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE entries (name)")
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is the database of another program; it was not changed"):
        SQLiteStore(path)
    assert path.read_bytes() == before
    assert modes(path.parent) == {"sessions.db": 0o644}


@pytest.mark.parametrize("statement", [0, 1, 2])
def test_a_file_that_another_process_is_just_beginning_is_taken_for_ours(
    path: Path, statement: int
) -> None:
    passed: list[str] = []

    def begin_elsewhere(statement_text: str) -> None:
        passed.append(statement_text)
        if len(passed) == statement + 1:
            filled(path).close()

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(begin_elsewhere)
        _check(connection, path)
    assert stored(SQLiteStore(path)) == "one"


def test_a_file_of_a_later_version_is_refused_and_kept(path: Path) -> None:
    filled(path).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(ValueError, match="was written by a later version of relogin"):
        SQLiteStore(path)


def test_a_file_of_an_earlier_version_is_brought_up_to_date_with_what_is_in_it(path: Path) -> None:
    steps = ["CREATE TABLE entries (a)", "ALTER TABLE entries ADD COLUMN b DEFAULT 7"]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, steps[:1])
        connection.execute("INSERT INTO entries VALUES (1)")
        migrate(connection, steps)
        assert connection.execute("SELECT * FROM entries").fetchall() == [(1, 7)]
        migrate(connection, steps)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_store_in_memory_is_another_one(path: str) -> None:
    with pytest.raises(ValueError, match="MemoryStore"):
        SQLiteStore(path)


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SQLiteStore(tmp_path / "nowhere" / "sessions.db")


def test_a_name_is_meant_from_where_the_store_was_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    store = filled(Path(path.name))
    monkeypatch.chdir("/")
    assert stored(pickle.loads(pickle.dumps(store))) == "one"


def test_what_was_unused_for_long_is_gone_when_the_file_is_opened(path: Path) -> None:
    filled(path)
    assert SQLiteStore(path, keep=0.0).get(ORIGIN, "").entries == {}


# Processes and threads


def test_a_sqlite_store_is_pickled_as_its_path(path: Path) -> None:
    store: SQLiteStore = pickle.loads(pickle.dumps(SQLiteStore(path, timeout=0.1, keep=60.0)))
    assert repr(store) == f"SQLiteStore({str(path)!r})"
    assert (store._timeout, store._keep) == (0.1, 60.0)


FORK = """
import os, sys, warnings
from relogin.client.stores import Entry
from relogin.client.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
store.put("o", "", "api", Entry("parent's", 0))
(parents,) = store._idle.connections
pid = os.fork()
if pid:
    status = os.waitpid(pid, 0)[1]
    sys.exit(status or store.get("o", "").entries["api"].text)
store.close()
assert parents.execute("SELECT 7").fetchone() == (7,)
assert store.put("o", "", "api", Entry("child's", 1))
assert parents not in store._idle.connections
"""


def test_after_a_fork_a_sqlite_store_has_connections_of_its_own(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORK, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ran.stderr == "child's\n"


def test_a_child_of_a_fork_leaves_the_connections_of_its_parent_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(path)
    (parents,) = store._idle.connections
    child = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: child)
    assert stored(store) == "one"
    assert parents not in store._idle.connections
    store.close()
    assert parents.execute("SELECT 7").fetchone() == (7,)
    parents.close()


def test_a_database_that_is_busy_for_too_long_is_an_error_and_no_hang(path: Path) -> None:
    filled(path).close()
    store = SQLiteStore(path, timeout=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store._idle.connections[0].execute("PRAGMA busy_timeout").fetchone() == (50,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.put(ORIGIN, "", "api", Entry("two", 1))
        assert stored(store) == "one"
        other.execute("ROLLBACK")
    assert store.put(ORIGIN, "", "api", Entry("two", 1))


def test_opening_a_file_that_is_busy_for_too_long_is_an_error_and_no_hang(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA application_id = 0x52654175")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            SQLiteStore(path, timeout=0.05)


def test_switching_to_wal_waits_no_longer_than_it_may(path: Path) -> None:
    with closing(filled(path)):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN")
        other.execute("SELECT * FROM entries").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            SQLiteStore(path, timeout=0.05)


def test_switching_to_wal_is_tried_again_until_nobody_reads(path: Path) -> None:
    # SQLite itself gives up at once where two processes switch, whatever its timeout.
    filled(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN")
        other.execute("SELECT * FROM entries").fetchall()
        tries: list[str] = []

        def tried(statement: str) -> None:
            tries.append(statement)
            if len(tries) == 3:
                other.execute("ROLLBACK")

        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as mine:
            mine.set_trace_callback(tried)
            _switch_to_wal(mine, time.monotonic() + 20)
            mine.set_trace_callback(None)
        assert len(tries) == 3


def test_a_sqlite_store_keeps_few_connections_however_many_threads_there_were(path: Path) -> None:
    store = filled(path)
    with ExitStack() as at_once:
        for _ in range(32):
            at_once.enter_context(store._idle.lend(store._idle.take(store._open)))
    assert len(store._idle.connections) == 8


def test_a_store_that_is_thrown_away_closes_its_file(path: Path) -> None:
    store = filled(path)
    idle = store._idle.connections
    assert len(idle) == 1
    del store
    assert not idle


OPEN = """
import sys
from relogin.client.stores.sqlite import SQLiteStore
print("ready", flush=True)
sys.stdin.readline()
SQLiteStore(sys.argv[1])
"""


def test_processes_that_open_a_new_file_at_once_all_can(path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=20)
    assert [process.returncode for process in processes] == [0] * 4


WRITE = """
import sys
from relogin.client.stores import Entry
from relogin.client.stores.sqlite import SQLiteStore
store = SQLiteStore(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    entry = store.get("o", "").entries.get("api", Entry("", 0))
    number += store.put("o", "", "api", Entry("x" * 5000, entry.revision))
    if number % 10 == 0:
        print(number, flush=True)
"""


@pytest.mark.parametrize("moment", range(5))
def test_a_process_may_be_killed_while_it_writes(path: Path, moment: int) -> None:
    command = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(1 + moment * 3):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    store = SQLiteStore(path)
    before = store.get("o", "").entries.get("api", Entry("", 0))
    assert store.put("o", "", "api", Entry("one", before.revision))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
