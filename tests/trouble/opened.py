"""The store of a caller, opened as its own program would open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis
import redis.asyncio
import valkey
import valkey.asyncio
from psycopg_pool import AsyncConnectionPool

from relogin.client.stores import AnyStore, Store
from relogin.client.stores.postgres import AsyncPostgresStore, PostgresStore
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from relogin.client.stores.sqlite import SQLiteStore

__all__ = ["open_store", "opened_async", "survives_a_fork"]

_PATIENCE: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}  # in seconds


def open_store(name: str) -> Store:
    """Open a store for threads: a file, or ``redis=URL``, ``sentinel=PORT`` and so on."""
    kind, _, where = name.partition("=")
    if kind == "redis":
        return RedisStore(where)
    if kind == "valkey":
        return RedisStore(valkey.Valkey.from_url(where, **_PATIENCE))
    if kind == "sentinel":
        sentinel = redis.Sentinel([("127.0.0.1", int(where))], **_PATIENCE)
        return RedisStore(sentinel.master_for("sessions", **_PATIENCE), replicas=1)
    if kind == "cluster":
        return RedisStore(redis.RedisCluster(host="127.0.0.1", port=int(where), **_PATIENCE))
    return PostgresStore(where) if kind == "postgres" else SQLiteStore(where)


def survives_a_fork(name: str) -> bool:
    """Tell whether a store may be used on in a child of a fork.

    A client that was given to it may not: the child waits for ever for a lock of the pool, if a
    thread of its parent held it.
    """
    return name.partition("=")[0] not in {"valkey", "sentinel", "cluster"}


@asynccontextmanager
async def opened_async(name: str) -> AsyncIterator[AnyStore]:
    """Open one for tasks, if there is one."""
    kind, _, where = name.partition("=")
    if kind == "postgres":
        async with AsyncConnectionPool(where, open=False, timeout=2.0, min_size=1) as pool:
            yield AsyncPostgresStore(pool)
    elif kind == "sqlite":
        yield open_store(name)
    else:
        async with _client(kind, where) as client:
            yield AsyncRedisStore(client, replicas=int(kind == "sentinel"))


def _client(kind: str, where: str) -> Any:
    if kind == "valkey":
        return valkey.asyncio.Valkey.from_url(where, **_PATIENCE)
    if kind == "sentinel":
        sentinel = redis.asyncio.Sentinel([("127.0.0.1", int(where))], **_PATIENCE)
        return sentinel.master_for("sessions", **_PATIENCE)
    if kind == "cluster":
        return redis.asyncio.RedisCluster(host="127.0.0.1", port=int(where), **_PATIENCE)
    return redis.asyncio.Redis.from_url(where, **_PATIENCE)
