"""A store in Redis and forks: the child uses neither connections nor locks of its parent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from relogin.client.stores import Entry
from relogin.client.stores.redis import RedisStore
from tests.client.redis_server import RedisServer

pytestmark = pytest.mark.needs("redis-server")

ORIGIN = "https://api.example.com:443"

FORK = """
import os, sys
from relogin.client.stores import Entry
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
store = RedisStore(sys.argv[1])
store.put("o", "", "api", Entry("parent's", 0))
(parents,) = store._idle.connections
if os.fork() == 0:
    assert store.put("o", "", "api", Entry("child's", 1))
    assert parents not in store._idle.connections
    os._exit(0)
assert os.wait()[1] == 0
assert store.peek("o", "")["api"].text == "child's"
assert list(store._idle.connections) == [parents]
"""


def test_after_a_fork_a_redis_store_has_connections_of_its_own(redis_server: RedisServer) -> None:
    command = [sys.executable, "-c", FORK, redis_server.url]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert (ran.returncode, ran.stderr) == (0, "")


FORK_IN_THE_MIDST = """
import os, signal, sys, threading
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
store = RedisStore(sys.argv[1])
store.get("o", "")
taken, ended = threading.Event(), threading.Event()
def take_a_connection():
    with store._client.connection_pool._lock:
        taken.set()
        ended.wait()
threading.Thread(target=take_a_connection).start()
taken.wait()
child = os.fork()
if not child:
    signal.alarm(10)
    if sys.argv[2]:
        store.close()
    store.get("o", "")
    os._exit(0)
status = os.wait()[1]
ended.set()
sys.exit(status)
"""


@pytest.mark.parametrize("closed", ["closed", ""])
def test_a_fork_while_a_thread_takes_a_connection_leaves_no_lock_held(
    redis_server: RedisServer, closed: str
) -> None:
    # Python 3.12 and newer warn of every fork beside a thread.
    python = [sys.executable, "-W", "ignore::DeprecationWarning"]
    command = [*python, "-c", FORK_IN_THE_MIDST, redis_server.url, closed]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert (ran.returncode, ran.stderr) == (0, "")


FORK_BEFORE_TWO_THREADS = """
import os, sys, threading
from relogin.client.stores.redis import AsyncRedisStore, RedisStore
asked, told = threading.Event(), threading.Event()
def url():
    if os.getpid() != parent:  # as if a vault took its time
        asked.set()
        told.wait(5)
    return sys.argv[1]
parent = os.getpid()
store = RedisStore(url)
store.get("o", "")
(parents,) = store._idle.connections
if os.fork() == 0:
    first = threading.Thread(target=store.get, args=("o", ""))
    first.start()
    asked.wait()
    threading.Timer(0.2, told.set).start()
    taken, _ = store._take()
    first.join()
    os._exit(taken is parents or parents in store._idle.connections)
sys.exit(os.wait()[1] != 0)
"""


def test_no_thread_takes_a_connection_of_the_parent_while_another_connects_after_a_fork(
    redis_server: RedisServer,
) -> None:
    command = [sys.executable, "-c", FORK_BEFORE_TWO_THREADS, redis_server.url]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_child_of_a_fork_leaves_the_connections_of_its_parent_alone(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(redis_server.url)
    store.put(ORIGIN, "", "api", Entry("one", 0))
    (parents,) = store._idle.connections
    child = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: child)
    store.close()
    assert store.peek(ORIGIN, "")["api"].text == "one"
    assert parents not in store._idle.connections
    assert parents.connection._sock is not None
    store.close()
