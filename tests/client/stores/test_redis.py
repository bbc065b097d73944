"""A store in Redis: reconnects, gives up soon, and needs no more rights than it says."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from pickle import PicklingError
from threading import Thread

import pytest
import redis
import redis.asyncio

from relogin.client.stores import Entry
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
from relogin.client.stores.redis_wire import key_of
from tests.client.redis_server import RedisServer, a_redis_server
from tests.programs import certificate, free_port

pytestmark = pytest.mark.needs("redis-server")

ORIGIN = "https://api.example.com:443"
RIGHTS = "+eval +evalsha +script|load +hget +hgetall +hset +pexpire +time"
RIGHTS_TO_TELL = "+del +xadd +xread"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with a_redis_server() as running:
        yield running


def stored(store: RedisStore) -> dict[str, str]:
    return {realm: entry.text for realm, entry in store.get(ORIGIN, "").entries.items()}


def test_a_server_that_was_restarted_is_used_again(server: RedisServer) -> None:
    store = RedisStore(server.url)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    server.stop()
    server.start()
    assert stored(store) == {}
    assert store.put(ORIGIN, "", "api", Entry("two", 0))
    assert stored(store) == {"api": "two"}


def test_a_server_that_is_away_is_an_error_at_once(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(server.url)
    server.stop()
    monkeypatch.setattr("redis.retry.sleep", pytest.fail)
    with pytest.raises(redis.ConnectionError):
        store.get(ORIGIN, "")


def test_a_server_that_does_not_answer_is_an_error_within_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        with pytest.raises(redis.TimeoutError):
            store.get(ORIGIN, "")
        settings = store._client.connection_pool.connection_kwargs
        assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (0.05, 0.05)
        # A connection may have gone stale, so it may be tried once more, on another one.
        silent.setblocking(False)
        silent.accept()[0].close()
        with contextlib.suppress(BlockingIOError):  # older releases do not
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_put_whose_answer_was_lost_has_succeeded_when_it_is_repeated(server: RedisServer) -> None:
    store = RedisStore(server.url)
    assert store.put(ORIGIN, "", "api", Entry("one", 0))
    assert store.put(ORIGIN, "", "api", Entry("one", 0))
    assert store.get(ORIGIN, "").entries["api"].revision == 1


@pytest.mark.parametrize("before", [b"one", b"\xff"])
def test_a_revision_that_comes_again_after_a_loss_does_not_stand_for_the_text_that_was_lost(
    server: RedisServer, before: bytes
) -> None:
    store = RedisStore(server.url)
    with redis.Redis.from_url(server.url) as client:
        store.put(ORIGIN, "", "api", Entry("lost", 0))
        lost = store.get(ORIGIN, "").entries["api"]
        client.hset(key_of("relogin:", ORIGIN, ""), "api", b"1 " + before)  # as after a failover
        assert not store.put(ORIGIN, "", "api", Entry("two", 1, before=lost.text))
    now = store.get(ORIGIN, "").entries["api"]
    assert now.revision == lost.revision
    assert store.put(ORIGIN, "", "api", Entry("two", 1, before=now.text))
    assert stored(store) == {"api": "two"}


def test_the_clock_is_the_server_s(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        before, now, after = (
            client.time(),
            RedisStore(server.url).get(ORIGIN, "").now,
            client.time(),
        )
    assert before[0] + before[1] / 1e6 <= now <= after[0] + after[1] / 1e6


def test_what_is_unused_expires(server: RedisServer) -> None:
    store = RedisStore(server.url, prefix="mine:", keep=60.0)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    with redis.Redis.from_url(server.url) as client:
        session, stream = sorted(client.keys(), key=client.type)
        assert session.startswith(b"mine:")
        assert stream.startswith(b"mine:")
        assert 0 < client.pttl(session) <= 60_000
        assert 0 < client.pttl(stream) <= 600_000


def test_a_key_tells_neither_origin_nor_account(server: RedisServer) -> None:
    RedisStore(server.url).put(ORIGIN, "ada", "api", Entry("one", 0))
    with redis.Redis.from_url(server.url) as client:
        keys = client.keys()
    assert keys
    for key in keys:
        assert b"example" not in key
        assert b"ada" not in key
        assert b"api" not in key


@contextlib.contextmanager
def a_server_with(rights: str) -> Iterator[RedisStore]:
    user = f"worker on >s3cret ~relogin:* resetchannels {rights}"
    with a_redis_server("--user", *user.split()) as server:
        yield RedisStore(server.url.replace("unix://", "unix://worker:s3cret@"))


@pytest.mark.parametrize("rights", [RIGHTS, f"{RIGHTS} {RIGHTS_TO_TELL}"])
def test_a_redis_store_needs_the_rights_that_its_documentation_names_and_no_others(
    rights: str,
) -> None:
    said = " ".join((RedisStore.__doc__ or "").split())
    with a_server_with(rights) as store:
        assert store.put(ORIGIN, "", "api", Entry("one", 0))
        assert store.put(ORIGIN, "", "api", Entry("two", 1))
        assert stored(store) == {"api": "two"}
        for command in rights.replace("+", "").replace("|", " ").upper().split(" "):
            assert command in said


@pytest.mark.parametrize("durable", [False, True])
def test_a_store_for_tasks_without_replicas_needs_no_others(durable: bool) -> None:
    async def put(url: str) -> bool:
        async with redis.asyncio.Redis.from_url(url) as client:
            return await AsyncRedisStore(client).put(ORIGIN, "", "api", Entry("one", 0, durable))

    with a_server_with(RIGHTS) as store:
        assert asyncio.run(put(store._server))
        assert stored(store) == {"api": "one"}


def test_a_connection_that_is_closed_is_given_back_to_its_pool(server: RedisServer) -> None:
    store = RedisStore(f"{server.url}?max_connections=2")
    for _ in range(3):
        assert store.peek(ORIGIN, "") == {}
        store.close()


def test_more_than_a_hundred_threads_may_ask_at_once(server: RedisServer) -> None:
    store = RedisStore(server.url)
    for client, idle in [store._take() for _ in range(101)]:
        idle.give_back(client)
    store.close()


def test_with_the_rights_to_tell_who_waits_is_told() -> None:
    with a_server_with(f"{RIGHTS} {RIGHTS_TO_TELL}") as store:
        store.put(ORIGIN, "", "api", Entry("one", 0))
        store.wait(ORIGIN, "", "api", 1, 0.3)
        store.put(ORIGIN, "", "api", Entry("two", 1))
        store.wait(ORIGIN, "", "api", 1, 3600.0)


def test_without_the_right_to_wait_whoever_waits_gets_an_error() -> None:
    with a_server_with(RIGHTS) as store, pytest.raises(redis.exceptions.NoPermissionError):
        store.wait(ORIGIN, "", "api", 1, 20.0)


def test_of_a_change_that_was_not_told_whoever_waits_gets_an_error_soon() -> None:
    with a_server_with(f"{RIGHTS} +xread") as store:
        store.put(ORIGIN, "", "api", Entry("one", 0))
        with pytest.raises(LookupError, match="does not announce changes"):
            store.wait(ORIGIN, "", "api", 1, 20.0)


def test_a_password_that_is_wrong_is_an_error_and_does_not_show() -> None:
    with a_redis_server("--requirepass", "other") as server:
        store = RedisStore(f"unix://:s3cret@{server.socket}")
        with pytest.raises(redis.AuthenticationError) as caught:
            store.get(ORIGIN, "")
    assert "s3cret" not in str(caught.value) + repr(store)


@pytest.mark.needs("openssl")
def test_tls_is_asked_for_by_the_url(tmp_path: Path) -> None:
    file, key = certificate(tmp_path)
    port = free_port()
    options = ["--tls-port", str(port), "--tls-auth-clients", "no", "--tls-cert-file"]
    with a_redis_server(*options, file, "--tls-key-file", key):
        trusting = RedisStore(f"rediss://127.0.0.1:{port}?ssl_ca_certs={file}")
        assert trusting.put(ORIGIN, "", "api", Entry("one", 0))
        with pytest.raises(redis.ConnectionError, match=r"(?i)certificate"):
            RedisStore(f"rediss://127.0.0.1:{port}").get(ORIGIN, "")


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="redis://, rediss://, unix://"):
        RedisStore("https://cache.example.com")


def test_a_redis_store_shows_where_it_is_and_no_password() -> None:
    assert repr(RedisStore("redis://")) == "<RedisStore at localhost:6379>"
    url = "rediss://worker:s3cret@cache.example.com:7000/2"
    assert repr(RedisStore(url)) == "<RedisStore at cache.example.com:7000>"
    assert repr(RedisStore("unix://:s3cret@/run/redis.sock")) == "<RedisStore at /run/redis.sock>"


@pytest.mark.parametrize("url", ["redis://u:s3cret@h", "redis://h?password=s3cret"])
def test_a_password_is_not_pickled(url: str) -> None:
    with pytest.raises(PicklingError, match=r"RedisStore\(read_url\)") as caught:
        pickle.dumps(RedisStore(url))
    assert "s3cret" not in str(caught.value)


def read_url() -> str:
    return "redis://u:s3cret@cache.example.com"


def test_a_function_that_reads_the_url_is_pickled_in_its_place() -> None:
    pickled = pickle.dumps(RedisStore(read_url, prefix="mine:", timeout=0.1, keep=60.0))
    assert b"s3cret" not in pickled
    store: RedisStore = pickle.loads(pickled)
    assert repr(store) == "<RedisStore at cache.example.com:6379>"
    assert (store._prefix, store._timeout, store._keep) == ("mine:", 0.1, 60.0)


def test_a_url_without_a_password_is_pickled() -> None:
    assert repr(pickle.loads(pickle.dumps(RedisStore("redis://h:7")))) == "<RedisStore at h:7>"


def test_a_thread_after_another_needs_no_second_connection(server: RedisServer) -> None:
    store = RedisStore(server.url)
    for number in range(3):
        thread = Thread(target=store.put, args=(ORIGIN, "", str(number), Entry("", 0)))
        thread.start()
        thread.join(20)
    with redis.Redis.from_url(server.url) as client:
        assert len(client.client_list()) == 2  # the store's and this one


def test_after_an_interrupt_no_command_reads_the_answer_to_another(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(server.url)
    store.put(ORIGIN, "mine", "api", Entry("my token", 0))
    store.put(ORIGIN, "another", "api", Entry("another's token", 0))

    def interrupted(*given: object, **more: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt  # what was asked has been sent, and its answer not been read

    monkeypatch.setattr(type(store._idle.connections[0].connection), "read_response", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.get(ORIGIN, "another")
    assert store.get(ORIGIN, "mine").entries["api"].text == "my token"


def test_threads_share_a_redis_store(server: RedisServer) -> None:
    store = RedisStore(server.url)
    done: list[bool] = []

    def put(realm: str) -> None:
        done.append(store.put(ORIGIN, "", realm, Entry(realm, 0)))

    threads = [Thread(target=put, args=(str(number),)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [True] * 16
    assert len(stored(store)) == 16
