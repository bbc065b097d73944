"""Redis through clients of the user's: a cluster, a Sentinel, asynchronous ones."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import time
from collections.abc import Iterator, Mapping
from pickle import PicklingError

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from relogin.client.stores import Entry
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from tests.client.redis_server import a_redis_server, a_sentinel, move_slot

pytestmark = pytest.mark.needs("redis-server")

ORIGIN = "https://api.example.com:443"


def texts(store: RedisStore) -> dict[str, str]:
    return {realm: entry.text for realm, entry in store.get(ORIGIN, "").entries.items()}


def test_a_session_outlives_the_failover_to_a_replica() -> None:
    with a_sentinel() as (port, _):
        sentinel = redis.Sentinel([("127.0.0.1", port)], socket_timeout=1)
        store = RedisStore(sentinel.master_for("sessions", socket_timeout=1))
        assert store.put(ORIGIN, "", "api", Entry("one", 0))
        store._client.wait(1, 1000)
        before = sentinel.discover_master("sessions")
        give_up = time.monotonic() + 20
        while sentinel.discover_master("sessions") == before:
            assert time.monotonic() < give_up
            with contextlib.suppress(redis.ResponseError):  # under way, or nobody to promote yet
                sentinel.sentinels[0].execute_command("SENTINEL", "FAILOVER", "sessions")
            time.sleep(0.05)
        store._client.connection_pool.disconnect()
        assert texts(store) == {"api": "one"}
        assert store.put(ORIGIN, "", "api", Entry("two", 1))


def test_a_refresh_token_waits_for_a_replica_where_that_is_asked_for() -> None:
    with a_sentinel() as (_, (master, replica)), redis.Redis(port=master.port) as client:
        patient = RedisStore(client, replicas=1, timeout=40)  # it waits for half of that
        assert patient.put(ORIGIN, "", "api", Entry("one", 0, durable=True))
        with redis.Redis(port=replica.port) as copy:
            assert texts(RedisStore(copy)) == {"api": "one"}
        assert not patient.put(ORIGIN, "", "api", Entry("late", 0, durable=True))
        replica.stop()
        store = RedisStore(client, replicas=1)
        with pytest.raises(ConnectionError, match="0 of 1 replicas"):
            store.put(ORIGIN, "", "api", Entry("two", 1, durable=True))
        with pytest.raises(ConnectionError, match="0 of 1 replicas"):
            asyncio.run(put_durably(master.port, Entry("three", 2, durable=True)))
        assert store.put(ORIGIN, "", "api", Entry("four", 3))  # which may be lost


async def put_durably(port: int, entry: Entry) -> bool:
    async with redis.asyncio.Redis(port=port) as client:
        return await AsyncRedisStore(client, replicas=1).put(ORIGIN, "", "api", entry)


@pytest.fixture
def cluster(redis_cluster: list[int]) -> Iterator[redis.RedisCluster]:
    """A client of a cluster that is empty."""
    with redis.RedisCluster("127.0.0.1", redis_cluster[0]) as client:
        client.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
        yield client


def test_a_cluster_is_not_asked_to_wait_for_replicas(cluster: redis.RedisCluster) -> None:
    with pytest.raises(TypeError, match="cannot be used with a cluster"):
        RedisStore(cluster, replicas=1)


def test_a_session_is_found_after_its_slot_has_moved_to_another_node(
    cluster: redis.RedisCluster, redis_cluster: list[int]
) -> None:
    store = RedisStore(cluster)
    assert store.put(ORIGIN, "", "api", Entry("one", 0))
    key = cluster.keys(target_nodes=redis.RedisCluster.PRIMARIES)[0]
    assert isinstance(key, bytes)
    move_slot(redis_cluster, key)
    assert texts(store) == {"api": "one"}
    assert store.put(ORIGIN, "", "api", Entry("two", 1))


def test_a_cluster_is_not_read_where_a_replica_may_answer(
    cluster: redis.RedisCluster, redis_cluster: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cluster's client can be told to read from replicas, and does so with HGETALL.
    monkeypatch.setattr("redis.RedisCluster.hgetall", pytest.fail)
    monkeypatch.setattr("redis.asyncio.RedisCluster.hgetall", pytest.fail)
    store = RedisStore(cluster)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    assert store.peek(ORIGIN, "")["api"].text == "one"
    assert asyncio.run(peek_in_cluster(redis_cluster[0]))["api"].text == "one"


async def peek_in_cluster(port: int) -> Mapping[str, Entry]:
    async with redis.asyncio.RedisCluster("127.0.0.1", port) as cluster:
        return await AsyncRedisStore(cluster).peek(ORIGIN, "")


def test_a_server_that_has_forgotten_the_scripts_is_told_them_again() -> None:
    with a_redis_server() as server, redis.Redis.from_url(server.url) as client:
        store = RedisStore(client)
        assert store.put(ORIGIN, "", "api", Entry("one", 0))
        client.script_flush()
        assert texts(store) == {"api": "one"}
        client.script_flush()
        assert store.put(ORIGIN, "", "api", Entry("two", 1))


def test_a_client_of_the_user_s_is_left_open() -> None:
    with a_redis_server() as server, redis.Redis.from_url(server.url) as client:
        client.ping()
        RedisStore(client).close()
        before = client.connection_pool._available_connections
        assert before[0]._sock is not None


def test_an_error_of_a_client_of_the_user_s_is_its_own() -> None:
    client = redis.Redis(unix_socket_path="/nowhere", retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.ConnectionError, match="/nowhere"):
        RedisStore(client).get(ORIGIN, "")


def test_a_redis_store_shows_the_client_and_nothing_that_is_in_it() -> None:
    assert repr(RedisStore(redis.Redis(password="s3cret"))) == "<RedisStore on Redis>"


def test_a_client_is_not_pickled() -> None:
    with pytest.raises(PicklingError, match="make one in each process"):
        pickle.dumps(RedisStore(redis.Redis()))
    with pytest.raises(PicklingError, match="make one in each process"):
        pickle.dumps(AsyncRedisStore(redis.asyncio.Redis()))


# Asynchronous


def test_tasks_and_threads_share_what_they_keep() -> None:
    async def put(url: str) -> bool:
        async with redis.asyncio.Redis.from_url(url) as client:
            store = AsyncRedisStore(client)
            first = (await store.get(ORIGIN, "")).entries["api"]
            assert await store.peek(ORIGIN, "") == {"api": first}
            return await store.put(ORIGIN, "", "api", Entry("two", first.revision))

    with a_redis_server() as server:
        store = RedisStore(server.url)
        store.put(ORIGIN, "", "api", Entry("one", 0))
        assert asyncio.run(put(server.url))
        assert texts(store) == {"api": "two"}


def test_what_has_changed_meanwhile_is_left_as_it_is() -> None:
    async def put(url: str) -> bool:
        async with redis.asyncio.Redis.from_url(url, decode_responses=True) as client:
            return await AsyncRedisStore(client).put(ORIGIN, "", "api", Entry("two", 0))

    with a_redis_server() as server:
        store = RedisStore(server.url)
        store.put(ORIGIN, "", "api", Entry("one", 0))
        assert not asyncio.run(put(server.url))
        assert texts(store) == {"api": "one"}


def test_each_kind_of_client_is_sent_to_its_own_store() -> None:
    with pytest.raises(TypeError, match="needs AsyncRedisStore"):
        RedisStore(redis.asyncio.Redis())
    for other in (redis.Redis(), "redis://localhost"):
        with pytest.raises(TypeError, match="takes an asynchronous client"):
            AsyncRedisStore(other)


def test_an_asynchronous_store_shows_its_client() -> None:
    store = AsyncRedisStore(redis.asyncio.Redis(password="s3cret"))
    assert repr(store) == "<AsyncRedisStore on Redis>"
