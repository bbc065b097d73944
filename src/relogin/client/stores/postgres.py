"""Stores in PostgreSQL, for processes on any number of machines. They need ``relogin[postgres]``.

Use `PostgresStore` with threads or tasks, and `AsyncPostgresStore` with asyncio tasks only.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from inspect import iscoroutinefunction
from pickle import PicklingError
from typing import Any, TypeVar

try:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.errors import SerializationFailure
except ModuleNotFoundError as _missing:
    raise ImportError(
        "relogin.client.stores.postgres needs psycopg: pip install 'relogin[postgres]'",
        name=_missing.name,
    ) from _missing

from relogin.client.stores import Entry, Snapshot
from relogin.client.stores import postgres_wire as wire
from relogin.client.stores.idle import Idle
from relogin.client.stores.options import seconds as in_seconds

__all__ = ["AsyncPostgresStore", "PostgresStore"]

T = TypeVar("T")
_A_MONTH = 30 * 86400.0  # in seconds
_MOST_IDLE = 8
# In seconds, how long connections of a pool are tried that turn out to be closed.
_RETRIED = 1.0


class _Silent(psycopg.OperationalError):
    """The server accepts data but does not answer."""


class _Connection(psycopg.Connection[Any]):
    """Gives up on a server that does not answer, which libpq has no setting for.

    The server has one, but it is of no use when the server itself has stopped.
    """

    patience: float

    def wait(self, gen: Generator[Any, Any, Any], *rest: Any, **more: Any) -> Any:
        return super().wait(_within(gen, self.patience), *rest, **more)


def _within(gen: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """Run a generator of psycopg; raise `_Silent` if no response comes within `seconds`."""
    give_up = time.monotonic() + seconds
    try:
        asked = next(gen)
        while True:
            ready = yield asked
            if not ready and time.monotonic() > give_up:
                raise _Silent(f"PostgreSQL did not answer within {seconds:g} s")
            asked = gen.send(ready)
    except StopIteration as end:
        return end.value


class PostgresStore:
    """Shares sessions between processes on any number of machines, through a PostgreSQL database.

    `database` is a connection string, such as ``postgresql://app@db.example.com/app``. Pass a
    function that returns one to pickle the store without a password. Or pass a
    `psycopg_pool.ConnectionPool` of your own. Sessions are stored in `table` in plain text;
    `create_table` creates it. The user needs SELECT, INSERT, UPDATE and DELETE on it. `timeout` is
    how many seconds a connection and each reply may take; a pool has its own timeouts. `keep` is
    how many seconds an unused session is kept. Deadlines are measured on the database's clock. A
    process that waits for another process's login is notified when it ends.

    Raises `ValueError` for an invalid connection string, `TypeError` for an asynchronous pool.

    >>> PostgresStore("postgresql://app:secret@db.example.com/app")
    <PostgresStore relogin_sessions at db.example.com>
    """

    def __init__(
        self,
        database: Any,
        *,
        table: str = "relogin_sessions",
        timeout: float = 2.0,
        keep: float = _A_MONTH,
    ) -> None:
        self._database = database
        self._table = table
        self._timeout = timeout = in_seconds("PostgresStore", "timeout", timeout, zero=False)
        self._keep = in_seconds("PostgresStore", "keep", keep)
        self._pool = database if hasattr(database, "connection") else None
        if self._pool is None:
            self._conninfo = _complete(
                database if isinstance(database, str) else database(), timeout
            )
        elif iscoroutinefunction(self._pool.close):
            raise TypeError("PostgresStore: an asynchronous pool needs AsyncPostgresStore")
        self._say = wire.Statements("PostgresStore", table)
        self._idle = _none_idle()

    def create_table(self) -> None:
        """Create the table if it does not exist, and delete sessions unused for too long."""
        self._run(self._say.create)
        self._run(self._say.clean, (self._keep,))

    def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        return wire.snapshot_of(self._run(self._say.get, {"origin": origin, "account": account}))

    def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        try:
            return bool(self._run(*self._say.put(origin, account, realm, entry)))
        except SerializationFailure:  # another process was faster, if isolation is strict
            return False

    def wait(self, origin: str, account: str, realm: str, revision: int, seconds: float) -> None:
        """Wait until the text has another revision, for at most `seconds`.

        Raise `LookupError` if a pooler is in between.
        """
        give_up = time.monotonic() + seconds

        def listen(connection: psycopg.Connection[Any]) -> None:
            cursor = wire.cursor(connection)
            wire.check_direct(connection.info, cursor.execute(wire.PROCESS).fetchone())
            connection.execute(self._say.listen)
            connection.commit()  # it listens only after this
            try:
                now = wire.snapshot_of(cursor.execute(self._say.get, values).fetchall())
                connection.commit()  # within a transaction it would hear nothing
                if wire.revision_of(now, realm) == revision:
                    # Silence is no error here.
                    left = min(give_up - time.monotonic(), self._timeout / 2)
                    for _ in connection.notifies(timeout=left, stop_after=1):
                        pass
            finally:
                connection.execute("UNLISTEN *")

        values = {"origin": origin, "account": account}
        self._use(listen)

    def close(self) -> None:
        """Close all connections, those in use after that; they reopen when needed.

        A pool that you passed stays open.
        """
        idle, self._idle = self._idle, _none_idle()
        idle.close()

    def _run(self, statement: sql.Composed, values: Any = None) -> list[Any]:
        return self._use(lambda connection: _rows(connection, statement, values))

    def _use(self, use: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Use a connection, or another one if the server has closed it while it was idle."""
        if self._pool is not None:
            return _use_one_of(self._pool, use)
        idle = self._own_idle()
        was_idle = bool(idle.connections)
        try:
            return self._use_once(idle, use)
        except psycopg.OperationalError as error:
            if not was_idle or isinstance(error, _Silent):
                raise
        self.close()
        return self._use_once(self._idle, use)

    def _use_once(
        self, idle: Idle[psycopg.Connection[Any]], use: Callable[[psycopg.Connection[Any]], T]
    ) -> T:
        with idle.lend(idle.take(self._open)) as connection:
            return use(connection)

    def _own_idle(self) -> Idle[psycopg.Connection[Any]]:
        """Return the idle connections; a child of a fork begins with none."""
        idle = self._idle
        if idle.is_inherited:
            idle = self._idle = _none_idle()
        return idle

    def _open(self) -> psycopg.Connection[Any]:
        connection = _Connection.connect(self._conninfo, autocommit=True, prepare_threshold=None)
        connection.patience = self._timeout
        return connection

    def __repr__(self) -> str:
        if self._pool is not None:
            return f"<PostgresStore {self._table} on {type(self._pool).__name__}>"
        host = conninfo_to_dict(self._conninfo).get("host", "localhost")
        return f"<PostgresStore {self._table} at {host}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._pool is not None:
            raise PicklingError(
                "this PostgresStore was given a pool, and no pool is pickled: make one in each "
                "process"
            )
        if isinstance(self._database, str) and conninfo_to_dict(self._conninfo).get("password"):
            raise PicklingError(
                "this PostgresStore holds a password: make it with a function that returns the "
                "connection string, PostgresStore(read_conninfo), and that is pickled instead"
            )
        return _opened, (type(self), self._database, self._table, self._timeout, self._keep)


class AsyncPostgresStore:
    """Shares sessions as `PostgresStore` does, for asyncio clients, without blocking the loop.

    `pool` is a `psycopg_pool.AsyncConnectionPool` of your own. It belongs to one event loop, and so
    does this store. `table` is as in `PostgresStore`, whose `create_table` creates it; both stores
    share their sessions.

    Raises `TypeError` for anything but such a pool.
    """

    def __init__(self, pool: Any, *, table: str = "relogin_sessions") -> None:
        if not iscoroutinefunction(getattr(pool, "close", None)):
            raise TypeError("AsyncPostgresStore takes a psycopg_pool.AsyncConnectionPool")
        self._pool = pool
        self._table = table
        self._say = wire.Statements("AsyncPostgresStore", table)

    async def get(self, origin: str, account: str) -> Snapshot:
        """Return what is stored for an origin and an account."""
        return wire.snapshot_of(
            await self._run(self._say.get, {"origin": origin, "account": account})
        )

    async def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
        """Replace the revision that `entry` names; return `False` if it is no longer there."""
        try:
            return bool(await self._run(*self._say.put(origin, account, realm, entry)))
        except SerializationFailure:
            return False

    async def wait(
        self, origin: str, account: str, realm: str, revision: int, seconds: float
    ) -> None:
        """Wait until the text has another revision, for at most `seconds`.

        Raise `LookupError` if a pooler is in between.
        """
        give_up = time.monotonic() + seconds

        async def listen(connection: psycopg.AsyncConnection[Any]) -> None:
            cursor = await wire.async_cursor(connection).execute(wire.PROCESS)
            wire.check_direct(connection.info, await cursor.fetchone())
            await connection.execute(self._say.listen)
            await connection.commit()  # it listens only after this
            try:
                await cursor.execute(self._say.get, values)
                now = wire.snapshot_of(await cursor.fetchall())
                await connection.commit()  # within a transaction it would hear nothing
                if wire.revision_of(now, realm) == revision:
                    left = give_up - time.monotonic()
                    async for _ in connection.notifies(timeout=left, stop_after=1):
                        pass
            finally:
                await connection.execute("UNLISTEN *")

        values = {"origin": origin, "account": account}
        await self._use(listen)

    async def _run(self, statement: sql.Composed, values: Any) -> list[Any]:
        async def run(connection: psycopg.AsyncConnection[Any]) -> list[Any]:
            cursor = await wire.async_cursor(connection).execute(statement, values)
            return await cursor.fetchall()

        return await self._use(run)

    async def _use(self, use: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
        """Use a connection, or another one if the server has closed it while it was idle."""
        retries = _Retries()
        while True:
            try:
                async with self._pool.connection() as retries.connection:
                    return await use(retries.connection)
            except psycopg.OperationalError:
                if not retries.may_go_on():
                    raise

    def __repr__(self) -> str:
        return f"<AsyncPostgresStore {self._table} on {type(self._pool).__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise PicklingError(
            "this AsyncPostgresStore was given a pool, and no pool is pickled: make one in each "
            "process"
        )


class _Retries:
    """When to try another connection of a pool, and which one was tried last.

    A pool may keep connections that the server has closed, and notices that when they are used.
    Each is tried once. No statement is harmed by a second try.
    """

    def __init__(self) -> None:
        self.connection: Any = None
        self._give_up = time.monotonic() + _RETRIED

    def may_go_on(self) -> bool:
        closed = self.connection is not None and self.connection.closed
        self.connection = None
        return closed and time.monotonic() < self._give_up


def _use_one_of(pool: Any, use: Callable[[psycopg.Connection[Any]], T]) -> T:
    retries = _Retries()
    while True:
        try:
            with pool.connection() as retries.connection:
                return use(retries.connection)
        except psycopg.OperationalError:
            if not retries.may_go_on():
                raise


def _rows(connection: psycopg.Connection[Any], statement: sql.Composed, values: Any) -> list[Any]:
    cursor = wire.cursor(connection).execute(statement, values)
    return cursor.fetchall() if cursor.description else []


def _none_idle() -> Idle[psycopg.Connection[Any]]:
    return Idle(psycopg.Connection.close, _MOST_IDLE)


def _complete(conninfo: str, timeout: float) -> str:
    """Add the timeouts that the user did not set, so that a server that is gone is given up."""
    try:
        said = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:  # its message may show the password
        raise ValueError(
            "PostgresStore takes a connection string of PostgreSQL's, such as "
            "postgresql://app@db.example.com/app"
        ) from None
    patience = {
        "connect_timeout": max(2, round(timeout)),
        "tcp_user_timeout": round(timeout * 1000),
    }
    return make_conninfo(conninfo, **{n: v for n, v in patience.items() if n not in said})


def _opened(
    cls: type[PostgresStore],
    database: str | Callable[[], str],
    table: str,
    timeout: float,
    keep: float,
) -> PostgresStore:
    return cls(database, table=table, timeout=timeout, keep=keep)
