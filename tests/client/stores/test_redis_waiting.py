"""Waiting for a change in Redis: told at once through every client, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from threading import Thread, Timer
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from hypothesis import given
from hypothesis.strategies import text
from redis.crc import key_slot

from relogin.client.stores import Entry
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from relogin.client.stores.redis_wire import key_of, reads, stream_of
from tests.client.redis_server import RedisServer, a_redis_server, a_sentinel
from tests.threads import until

pytestmark = pytest.mark.needs("redis-server")

ORIGIN = "https://api.example.com:443"
FOR_EVER = 3600.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with a_redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()


def is_told(store: RedisStore, putting: RedisStore) -> None:
    """Assert that a waiting process learns of a change, and waits for no change of the past."""
    putting.put(ORIGIN, "", "api", Entry("one", 0))
    soon = Timer(0.3, putting.put, (ORIGIN, "", "api", Entry("two", 1)))
    began = time.monotonic()
    soon.start()
    store.wait(ORIGIN, "", "api", 1, FOR_EVER)
    assert time.monotonic() - began > 0.1
    soon.join()
    store.wait(ORIGIN, "", "api", 1, FOR_EVER)


CLIENTS: dict[str, Callable[[RedisServer], Any]] = {
    "url": lambda server: server.url,
    "redis": lambda server: redis.Redis.from_url(server.url),
    "decoded": lambda server: redis.Redis.from_url(server.url, decode_responses=True),
    "resp2": lambda server: redis.Redis.from_url(server.url, protocol=2),
    "valkey": lambda server: valkey.Valkey(unix_socket_path=str(server.socket)),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_who_waits_is_told_of_a_change(server: RedisServer, client: str) -> None:
    is_told(RedisStore(CLIENTS[client](server)), RedisStore(server.url))


@given(prefix=text(alphabet="{}a:ü", max_size=6))
def test_a_stream_lies_in_the_slot_of_its_session_and_begins_with_the_prefix(prefix: str) -> None:
    stream = stream_of(prefix, ORIGIN, "", "api")
    assert key_slot(stream) == key_slot(key_of(prefix, ORIGIN, ""))
    assert stream.startswith(prefix.encode())


@pytest.mark.parametrize("prefix", ["relogin:", "{app}:", "app{", "a}b{c"])
def test_in_a_cluster_who_waits_is_told_of_a_change(redis_cluster: list[int], prefix: str) -> None:
    port = redis_cluster[0]
    with (
        redis.RedisCluster("127.0.0.1", port) as cluster,
        valkey.ValkeyCluster("127.0.0.1", port) as other,
    ):
        cluster.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
        is_told(RedisStore(cluster, prefix=prefix), RedisStore(other, prefix=prefix))
        asyncio.run(in_cluster(port, prefix))


async def in_cluster(port: int, prefix: str) -> None:
    async with redis.asyncio.RedisCluster("127.0.0.1", port) as cluster:
        await AsyncRedisStore(cluster, prefix=prefix).wait(ORIGIN, "", "api", 1, FOR_EVER)
    async with valkey.asyncio.ValkeyCluster("127.0.0.1", port) as other:
        await AsyncRedisStore(other, prefix=prefix).wait(ORIGIN, "", "api", 1, FOR_EVER)


def test_behind_sentinel_who_waits_is_told_of_a_change() -> None:
    with a_sentinel() as (port, (master, _)), redis.Redis(port=master.port) as client:
        sentinel = redis.Sentinel([("127.0.0.1", port)], socket_timeout=1)
        store = RedisStore(sentinel.master_for("sessions", socket_timeout=1))
        is_told(store, RedisStore(client, replicas=1, timeout=20))


@pytest.mark.parametrize("library", [redis.asyncio.Redis, valkey.asyncio.Valkey])
def test_a_task_that_waits_is_told_of_a_change(server: RedisServer, library: Any) -> None:
    async def wait() -> float:
        client = library(unix_socket_path=str(server.socket))
        async with client:
            store, began = AsyncRedisStore(client), time.monotonic()
            async with asyncio.TaskGroup() as group:
                group.create_task(store.wait(ORIGIN, "", "api", 1, FOR_EVER))
                await asyncio.sleep(0.3)
                assert await store.put(ORIGIN, "", "api", Entry("two", 1))
            await store.wait(ORIGIN, "", "api", 2, 0.05)
            return time.monotonic() - began

    RedisStore(server.url).put(ORIGIN, "", "api", Entry("one", 0))
    assert asyncio.run(wait()) < 10


def test_who_waits_in_vain_goes_on_after_the_time(server: RedisServer) -> None:
    store = RedisStore(server.url)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    began = time.monotonic()
    store.wait(ORIGIN, "", "api", 1, 0.7)
    assert 0.6 < time.monotonic() - began < 5


def test_realms_and_accounts_are_told_apart(server: RedisServer) -> None:
    store = RedisStore(server.url)
    for account, realm in (("", "api"), ("ada", "api"), ("", "web")):
        store.put(ORIGIN, account, realm, Entry("one", 0))
    store.put(ORIGIN, "ada", "api", Entry("two", 1))
    store.put(ORIGIN, "", "web", Entry("two", 1))
    began = time.monotonic()
    store.wait(ORIGIN, "", "api", 1, 0.5)
    assert time.monotonic() - began > 0.4


def test_what_a_server_that_lost_the_session_stores_anew_is_told(server: RedisServer) -> None:
    store = RedisStore(server.url)
    for revision in range(5):
        store.put(ORIGIN, "", "api", Entry("lost", revision))
    with redis.Redis.from_url(server.url) as client:
        client.delete(key_of("relogin:", ORIGIN, ""))
    is_told(store, store)


def test_of_a_change_that_was_not_told_whoever_waits_gets_an_error_soon(
    server: RedisServer,
) -> None:
    store = RedisStore(server.url)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    with pytest.raises(LookupError, match="does not announce changes"):
        store.wait(ORIGIN, "", "api", 7, FOR_EVER)


def test_a_read_ends_before_the_client_gives_up() -> None:
    for patience, blocks in ((0.5, 250), (3.0, 1500)):
        steps = reads(2, FOR_EVER, patience)
        assert next(steps) == ("2-0", min(blocks, 200))
        assert steps.send(False) == ("1-0", None)
        assert steps.send(True) == ("2-0", blocks)
    assert next(reads(1, FOR_EVER, None)) == ("1-0", 200)
    assert next(reads(1, FOR_EVER, 0.3))[1] in {99, 100}
    assert next(reads(1, 0.01, 5.0))[1] in range(1, 11)


@pytest.mark.parametrize("timeout", [0.05, 0.1, 0.2])
def test_a_client_that_gives_up_before_redis_would_answer_does_not_wait(
    server: RedisServer, timeout: float
) -> None:
    store, client = RedisStore(server.url), redis.Redis.from_url(server.url, socket_timeout=timeout)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    with client, pytest.raises(LookupError, match="too short to wait"):
        RedisStore(client).wait(ORIGIN, "", "api", 1, FOR_EVER)
    RedisStore(client).wait(ORIGIN, "", "api", 1, 0)


def test_a_short_time_out_ends_no_read_that_redis_answers_late(server: RedisServer) -> None:
    store = RedisStore(server.url, timeout=0.3)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    store.wait(ORIGIN, "", "api", 1, 0.7)


# What may happen meanwhile


def connections(server: RedisServer) -> set[str]:
    """Which there are, but for the one that asks; those of an earlier test may yet end."""
    with redis.Redis.from_url(server.url) as client:
        own = str(client.client_id())
        return {each["id"] for each in client.client_list(_type="normal")} - {own}


@contextlib.contextmanager
def waited_for(server: RedisServer) -> Iterator[tuple[RedisStore, redis.Redis]]:
    """Let a store wait for a change, which the block has to make."""
    store = RedisStore(server.url, timeout=10)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    waiting = Thread(target=store.wait, args=(ORIGIN, "", "api", 1, FOR_EVER))
    waiting.start()
    with redis.Redis.from_url(server.url) as client:
        until(lambda: client.info("clients")["blocked_clients"] == 1)
        yield store, client
    waiting.join(20)
    assert not waiting.is_alive()


def test_a_connection_that_is_cut_is_replaced_and_none_is_left(server: RedisServer) -> None:
    before = connections(server)
    with waited_for(server) as (store, client):
        client.client_kill_filter(_type="normal", skipme=True)
        assert store.put(ORIGIN, "", "api", Entry("two", 1))
    store.close()
    until(lambda: connections(server) <= before)


def test_closing_a_store_ends_no_wait_and_leaves_no_connection(server: RedisServer) -> None:
    before = connections(server)
    with waited_for(server) as (store, client):
        store.close()
        RedisStore(client).put(ORIGIN, "", "api", Entry("two", 1))
    until(lambda: connections(server) <= before)


def test_a_task_that_is_cancelled_stops_waiting_at_once(server: RedisServer) -> None:
    async def wait() -> None:
        async with redis.asyncio.Redis.from_url(server.url) as client:
            store = AsyncRedisStore(client)
            await store.put(ORIGIN, "", "api", Entry("one", 0))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await store.wait(ORIGIN, "", "api", 1, FOR_EVER)
            assert (await store.peek(ORIGIN, ""))["api"].text == "one"

    before, began = connections(server), time.monotonic()
    asyncio.run(wait())
    assert time.monotonic() - began < 10
    until(lambda: connections(server) <= before)
