"""The file of a store: in a folder that is read-only, or deleted while it is in use."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.sqlite import SQLiteStore, _make_private
from tests.client.stores.files import ORIGIN, filled, modes, stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@contextmanager
def nobody(folder: str) -> Iterator[None]:
    """Be a user without privileges in this block, to whom a folder belongs."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so() -> None:
    # Not below that of a test, which belongs to the user of the tests alone.
    with tempfile.TemporaryDirectory() as folder, nobody(folder):
        filled(Path(folder, "sessions.db")).close()
        Path(folder).chmod(0o500)
        with pytest.raises(PermissionError, match="create files in the folder of this one") as told:
            SQLiteStore(f"{folder}/sessions.db")
        assert told.value.filename == f"{folder}/sessions.db"
        Path(folder).chmod(0o700)


def deleted(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def test_a_file_that_was_deleted_is_made_again_by_the_next_login_of_any_process(path: Path) -> None:
    with closing(filled(path)) as first, closing(SQLiteStore(path)) as second:
        deleted(path)
        assert stored(first) == "one"  # what is known stays in use
        assert not first.put(ORIGIN, "", "api", Entry("two", 1))
        assert first.put(ORIGIN, "", "api", Entry("two", 0))
        assert not second.put(ORIGIN, "", "api", Entry("three", 0))
        assert (stored(first), stored(second)) == ("two", "two")
        assert set(modes(path.parent).values()) == {0o600}


def test_a_file_that_was_deleted_is_made_again_by_a_thread_that_opens_it(path: Path) -> None:
    with closing(filled(path)) as store:
        idle = store._idle
        busy = idle.take(store._open)
        deleted(path)
        assert store.get(ORIGIN, "").entries == {}
        assert modes(path.parent)["sessions.db"] == 0o600
        idle.give_back(busy)  # which nobody uses any more
        assert store.put(ORIGIN, "", "api", Entry("two", 0))
        assert stored(store) == "two"


def test_no_thread_uses_a_file_that_another_thread_is_still_making_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(filled(path)) as store, ThreadPoolExecutor(1) as other:
        prepare = store._prepare
        read: list[Future[Snapshot]] = []

        def prepare_slowly(connection: sqlite3.Connection) -> None:
            if threading.current_thread() is threading.main_thread():
                read.append(other.submit(store.get, ORIGIN, ""))
                wait(read, 20)
            prepare(connection)

        monkeypatch.setattr(store, "_prepare", prepare_slowly)
        deleted(path)
        assert store.put(ORIGIN, "", "api", Entry("two", 0))
        assert [found.result().entries for found in read] == [{}]
        assert stored(store) == "two"


def test_a_file_that_is_deleted_while_a_thread_opens_it_is_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(filled(path)) as store:
        store.close()
        connect = store._connect
        opened: list[sqlite3.Connection] = []

        def connect_late() -> sqlite3.Connection:
            opened.append(connect())
            if len(opened) == 1:
                deleted(path)
            return opened[-1]

        monkeypatch.setattr(store, "_connect", connect_late)
        assert store.get(ORIGIN, "").entries == {}
        assert store.put(ORIGIN, "", "api", Entry("two", 0))
        with closing(SQLiteStore(path)) as second:
            assert stored(second) == "two"


def test_sqlite_itself_makes_no_file_because_others_could_read_it(path: Path) -> None:
    with closing(filled(path)) as store:
        deleted(path)
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            store._connect()
        assert not path.exists()


@pytest.mark.parametrize("name", ["50%.db", "a?b#c.db", "a b.db", "ö.db", os.fsdecode(b"\xf6.db")])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with closing(filled(tmp_path / name)):
        assert set(modes(tmp_path)) == {name, f"{name}-wal", f"{name}-shm"}


def test_a_journal_that_others_could_read_is_made_private_too(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").touch(0o644)
    _make_private(path)
    assert set(modes(path.parent).values()) == {0o600}
    assert len(modes(path.parent)) == 4


def test_a_connection_on_which_a_read_failed_is_closed(path: Path) -> None:
    with closing(filled(path)) as store, closing(sqlite3.connect(path)) as other:
        (connection,) = store._idle.connections
        other.execute("DROP TABLE entries")
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            store.get(ORIGIN, "")
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            connection.execute("SELECT 1")
