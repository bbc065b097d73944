"""What a store is told: numbers of seconds, a prefix, how many replicas."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from relogin.client.stores import Entry
from relogin.client.stores.postgres import PostgresStore
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from relogin.client.stores.sqlite import SQLiteStore

ORIGIN = "https://api.example.com:443"


def an_async_redis(**options: Any) -> AsyncRedisStore:
    return AsyncRedisStore(redis.asyncio.Redis(), **options)


def a_redis(**options: Any) -> RedisStore:
    return RedisStore("redis://127.0.0.1", **options)


def a_postgres(**options: Any) -> PostgresStore:
    return PostgresStore("host=127.0.0.1", **options)


def an_sqlite(**options: Any) -> SQLiteStore:
    return SQLiteStore("/nowhere/sessions.db", **options)


SECONDS: list[tuple[Any, type[Exception], str]] = [
    (-1.5, ValueError, r"must be a number of seconds, (0 or more|above 0), not -1.5"),
    (math.nan, ValueError, r"must be a number of seconds, (0 or more|above 0), not nan"),
    (None, TypeError, r"must be a number of seconds, not NoneType"),
    ("60", TypeError, r"must be a number of seconds, not str"),
]


@pytest.mark.parametrize("name", ["timeout", "keep"])
@pytest.mark.parametrize(("given", "kind", "text"), SECONDS)
@pytest.mark.parametrize("make", [an_async_redis, a_redis, a_postgres, an_sqlite])
def test_an_option_in_seconds_must_be_a_number(
    make: Callable[..., object], given: Any, kind: type[Exception], text: str, name: str
) -> None:
    with pytest.raises(kind, match=rf"^\w+Store: {name}= {text}$"):
        make(**{name: given})


@pytest.mark.parametrize("make", [an_async_redis, a_redis, a_postgres])
def test_no_server_answers_within_no_time(make: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"timeout= must be a number of seconds, above 0, not 0"):
        make(timeout=0)


def test_a_session_may_be_kept_for_ever(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "sessions.db", keep=math.inf)
    assert store.put(ORIGIN, "", "api", Entry("one", 0))
    store.close()


@pytest.mark.parametrize("make", [an_async_redis, a_redis])
def test_a_prefix_is_a_text(make: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=r"RedisStore: prefix= must be a str, not bytes"):
        make(prefix=b"relogin:")


@pytest.mark.parametrize("replicas", [-1, 1.5, None])
def test_replicas_are_counted(replicas: Any) -> None:
    with pytest.raises(ValueError, match=r"^RedisStore: replicas= must be a number of replicas, "):
        a_redis(replicas=replicas)
