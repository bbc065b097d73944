"""The file of a store: in a folder that is read-only, or deleted while it is in use."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relogin.client.stores import Entry
from relogin.client.stores.sqlite import SQLiteStore
from tests.client.stores.test_sqlite import ORIGIN, filled, modes, stored


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
        busy, idle = store._connection()
        deleted(path)
        assert store.get(ORIGIN, "").entries == {}
        assert modes(path.parent)["sessions.db"] == 0o600
        idle.give_back(busy)  # which nobody uses any more
        assert store.put(ORIGIN, "", "api", Entry("two", 0))
        assert stored(store) == "two"
