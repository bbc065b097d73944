"""A store in one file, for all processes of one machine."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.idle import Idle
from relogin.client.stores.options import seconds

__all__ = ["SQLiteStore"]

# Each step brings a file from one version of the schema to the next. Never change a step.
_STEPS = (
    """
    CREATE TABLE entries (
        origin TEXT NOT NULL,
        account TEXT NOT NULL,
        realm TEXT NOT NULL,
        revision INTEGER NOT NULL,
        text TEXT NOT NULL,
        written REAL NOT NULL,
        PRIMARY KEY (origin, account, realm)
    ) WITHOUT ROWID
    """,
)
_GET = "SELECT realm, text, revision FROM entries WHERE origin = ? AND account = ?"
_APPLICATION = 0x52654175  # "ReAu", the application ID in the file
_MOST_IDLE = 8
_UNPREPARED: tuple[int, int] | None = (-1, -1)  # the identity of no file


class SQLiteStore:
    """Shares sessions between the processes of one machine, and between one run and the next.

    `path` is a file, created if it does not exist, that only its owner can read and write. Tokens
    are stored in it in plain text. It must not be on a network drive, where SQLite's locks do not
    work. `timeout` is how many seconds to wait for writes of other processes. `keep` is how many
    seconds an unused session is kept. A process may be killed at any moment.

    Raises `OSError` if the file cannot be opened, written or made private, `ValueError` if it
    belongs to another program or to a later version, and `sqlite3.OperationalError` if another
    process locks it for longer than `timeout`.

    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> SQLiteStore(os.path.join(folder, "sessions.db")).get("https://api.example.com:443", "")[0]
    {}
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float = 2.0,
        keep: float = 30 * 86400.0,
    ) -> None:
        if str(path) in {"", ":memory:"}:
            raise ValueError("for a store in memory use relogin.client.stores.memory.MemoryStore()")
        self._path = Path(path).absolute()  # the process may change its directory
        self._timeout = seconds("SQLiteStore", "timeout", timeout)
        self._keep = seconds("SQLiteStore", "keep", keep)
        self._idle = _none_idle()
        self._create()

    def _create(self) -> None:
        self._file = _UNPREPARED  # other threads do not use the file until they have done this too
        self.close()
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        file = _identity(self._path)
        try:
            with self._idle.lend(self._connect()) as connection:
                self._prepare(connection)
        except sqlite3.DatabaseError as error:
            raise _explained(error, self._path) from None
        self._file = file

    def _prepare(self, connection: sqlite3.Connection) -> None:
        _check(connection, self._path)
        _make_private(self._path)
        migrate(connection, _STEPS)
        _switch_to_wal(connection, time.monotonic() + self._timeout)
        oldest = time.time() - self._keep
        connection.execute("DELETE FROM entries WHERE written < ?", (oldest,))

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        idle = self._own_idle()
        connection = idle.take(self._open)
        try:  # `lend` takes longer, and this may run before each request
            rows = connection.execute(_GET, (origin, account)).fetchall()
        except BaseException:  # an interrupt leaves a statement open too
            connection.close()
            raise
        idle.give_back(connection)
        # A text that is not ours must not be an error: it could never be replaced then.
        entries = {
            realm.decode("utf-8", "replace"): Entry(text.decode("utf-8", "replace"), number)
            for realm, text, number in rows
        }
        return Snapshot(entries, time.time())

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        if entry.revision == 0:
            statement = "INSERT INTO entries VALUES (:origin, :account, :realm, 1, :text, :now)"
            statement += " ON CONFLICT DO NOTHING"
        else:
            statement = "UPDATE entries SET text = :text, revision = revision + 1, written = :now"
            statement += " WHERE origin = :origin AND account = :account AND realm = :realm"
            statement += " AND revision = :revision"
        values = {"origin": origin, "account": account, "realm": realm, "now": time.time()}
        if _identity(self._path) != self._file:  # somebody has deleted or replaced it
            self._create()
        idle = self._own_idle()
        with idle.lend(idle.take(self._open)) as connection:
            # Both survive kill -9. Only FULL survives a power failure; it waits for the disk.
            synchronous = "FULL" if entry.durable else "NORMAL"
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            return connection.execute(statement, values | entry._asdict()).rowcount == 1

    def close(self) -> None:
        """Close the file, once no thread uses it. The next use opens it again."""
        idle, self._idle = self._idle, _none_idle()
        idle.close()

    def _own_idle(self) -> Idle[sqlite3.Connection]:
        """Return the idle connections; a child of a fork begins with none."""
        idle = self._idle
        if idle.is_inherited:
            idle = self._idle = _none_idle()
        return idle

    def _open(self) -> sqlite3.Connection:
        while True:
            if _identity(self._path) != self._file:
                self._create()
            connection = self._connect()
            if _identity(self._path) == self._file:
                return connection
            connection.close()  # somebody has deleted the file meanwhile

    def _connect(self) -> sqlite3.Connection:
        # Each statement is a transaction. A connection serves one thread at a time, but not always
        # the same one: a thread that ends would leave its own behind. SQLite itself must not create
        # the file: others could read that.
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = bytes
        # Overwrite what is replaced, so that no old token stays in the file.
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self._path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (type(self), str(self._path), self._timeout, self._keep)


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell files apart that have one name after another; `None` if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _none_idle() -> Idle[sqlite3.Connection]:
    return Idle(sqlite3.Connection.close, _MOST_IDLE)


def _opened(cls: type[SQLiteStore], path: str, timeout: float, keep: float) -> SQLiteStore:
    return cls(path, timeout=timeout, keep=keep)


def _explained(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """Say more about an error that prevents the use of a file."""
    kind = error.sqlite_errorcode & 0xFF  # the rest is a detail of it
    if kind == sqlite3.SQLITE_NOTADB:
        return ValueError(f"{path} is not an SQLite file; it was not changed")
    if kind == sqlite3.SQLITE_READONLY:
        said = "SQLite needs to create files in the folder of this one"
        return PermissionError(errno.EACCES, said, str(path))
    return error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of another program or version, before anything in it is changed."""
    # Count tables first: another process may be creating them, and sets the ID with them.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    application, version = _value(connection, "application_id"), _value(connection, "user_version")
    if tables and application != _APPLICATION:
        raise ValueError(f"{path} is the database of another program; it was not changed")
    if version > len(_STEPS):
        raise ValueError(
            f"{path} was written by a later version of relogin: use that, or another file"
        )


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)


def _make_private(path: Path) -> None:
    """Let only the owner use an existing file; SQLite gives new files beside it its mode."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        file = path.with_name(path.name + suffix)
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


def migrate(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Bring the schema of a file up to date in one transaction, and keep its contents."""
    if _value(connection, "user_version") == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    for step in steps[_value(connection, "user_version") :]:
        connection.execute(step)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")


def _switch_to_wal(connection: sqlite3.Connection, give_up: float) -> None:
    # SQLite does not wait here for another process that does the same.
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.01)
