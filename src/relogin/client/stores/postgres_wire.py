"""What the stores in PostgreSQL send and receive: the statements for a table, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from relogin.client.stores import Entry, Snapshot

__all__ = [
    "PROCESS",
    "Statements",
    "async_cursor",
    "check_direct",
    "cursor",
    "revision_of",
    "snapshot_of",
]

_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    origin   text        NOT NULL,
    account  text        NOT NULL,
    realm    text        NOT NULL,
    revision bigint      NOT NULL,
    text     text        NOT NULL,
    written  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, account, realm)
)
"""

# The join returns the clock even if nothing is stored.
_GET = """
SELECT extract(epoch FROM clock_timestamp()), realm, revision, text
FROM (SELECT) AS clock LEFT JOIN {table} ON origin = %(origin)s AND account = %(account)s
"""

# If the same text is stored already, this statement has written it before and its answer was lost:
# it has succeeded.
_INSERT = """
WITH put AS (
    INSERT INTO {table} AS stored (origin, account, realm, revision, text)
    VALUES (%(origin)s, %(account)s, %(realm)s, 1, %(text)s)
    ON CONFLICT (origin, account, realm) DO UPDATE SET written = now()
    WHERE stored.revision = 1 AND stored.text = excluded.text
    RETURNING 1
)
SELECT pg_notify(%(channel)s, '') FROM put
"""

# After a failover, a revision may come twice, so the text before is compared too.
_UPDATE = """
WITH put AS (
    UPDATE {table} SET revision = %(revision)s + 1, text = %(text)s, written = now()
    WHERE origin = %(origin)s AND account = %(account)s AND realm = %(realm)s
    AND ((revision = %(revision)s AND text = coalesce(%(before)s::text, text))
         OR (revision = %(revision)s + 1 AND text = %(text)s))
    RETURNING 1
)
SELECT pg_notify(%(channel)s, '') FROM put
"""

PROCESS = "SELECT pg_backend_pid()"

_CLEAN = "DELETE FROM {table} WHERE written < now() - make_interval(secs => %s)"

_LONGEST_NAME = 63  # in octets; PostgreSQL cuts off the rest of a table's name


class Statements:
    """The SQL statements for one table."""

    def __init__(self, store: str, table: str) -> None:
        names = table.split(".")
        if not 0 < len(names) <= 2 or "" in names:
            raise ValueError(
                f'{store}: table= must be a name, or a schema and a name ("app.sessions"), '
                f"not {table!r}"
            )
        self._channel: str = table.encode()[:_LONGEST_NAME].decode(errors="ignore")
        self._name = sql.Identifier(*names)
        self.create: sql.Composed = self._for_table(_TABLE)
        self.get: sql.Composed = self._for_table(_GET)
        self.clean: sql.Composed = self._for_table(_CLEAN)
        self.listen: sql.Composed = sql.SQL("LISTEN {}").format(sql.Identifier(self._channel))
        self._insert, self._update = self._for_table(_INSERT), self._for_table(_UPDATE)

    def _for_table(self, statement: LiteralString) -> sql.Composed:
        return sql.SQL(statement).format(table=self._name)

    def put(
        self, origin: str, account: str, realm: str, entry: Entry
    ) -> tuple[sql.Composed, dict[str, object]]:
        """Return the statement that stores an entry, and its parameters."""
        values: dict[str, object] = {"origin": origin, "account": account, "realm": realm}
        values |= {"channel": self._channel, **entry._asdict()}
        return (self._update if entry.revision else self._insert), values


def cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """Return a cursor whose rows are tuples; those of a pool may be mappings, for example."""
    return psycopg.Cursor(connection, row_factory=tuple_row)


def async_cursor(connection: psycopg.AsyncConnection[Any]) -> psycopg.AsyncCursor[Any]:
    """Do the same as `cursor`."""
    return psycopg.AsyncCursor(connection, row_factory=tuple_row)


def check_direct(connected: psycopg.ConnectionInfo, answered: tuple[int] | None) -> None:
    """Raise `LookupError` if the process that answers is not the one that was connected to.

    A pooler such as PgBouncer gives each transaction another connection: what is notified arrives
    at any client or at none, and PgBouncer logs a warning each time.
    """
    if answered != (connected.backend_pid,):
        raise LookupError("a pooler stands between this store and PostgreSQL")


def snapshot_of(rows: Sequence[Any]) -> Snapshot:
    """Read the rows that `Statements.get` has returned."""
    entries = {
        _text(realm): _entry(_text(text), number)
        for _, realm, number, text in rows
        if realm is not None
    }
    return Snapshot(entries, float(rows[0][0]))


def _entry(text: str, number: int) -> Entry:
    return Entry(text, number, before=text)


def _text(found: str | bytes) -> str:
    """Return a text; from a database whose encoding is SQL_ASCII it comes as octets."""
    return found if isinstance(found, str) else found.decode("utf-8", "replace")


def revision_of(snapshot: Snapshot, realm: str) -> int:
    """Return the revision of a realm; 0 if nothing is stored."""
    entry = snapshot.entries.get(realm)
    return 0 if entry is None else entry.revision
