"""The stores that a fleet shares, and what is done to each of them on purpose."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg
import redis

from relogin.client.stores.postgres import PostgresStore
from tests.client.postgres_server import PostgresServer, a_pooler, a_postgres_server
from tests.client.redis_server import (
    RedisNode,
    RedisServer,
    a_redis_cluster,
    a_redis_server,
    a_sentinel,
    move_slot,
)

__all__ = ["STORES", "Fault", "Store"]


class Fault(NamedTuple):
    """Something that can be done, and whether the store cannot be asked meanwhile."""

    name: str
    do: Callable[[], None]
    away: bool = False


@dataclass
class Store:
    """`name` is what a caller opens; what `missing` names cannot be done on this machine."""

    name: str
    faults: list[Fault]
    missing: list[str] = field(default_factory=list)


# SQLite


@contextmanager
def _sqlite(folder: Path, chosen: random.Random) -> Iterator[Store]:
    """A file on a small disk of its own, so that the disk can be filled."""
    disk = folder / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    file = disk / "sessions.db"

    def lock() -> None:
        """Keep the file locked, often for longer than a store waits for it."""
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(chosen.uniform(0.5, 3.0))
            connection.rollback()

    def fill() -> None:
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as full:
            while True:
                full.write(bytes(512))
        time.sleep(chosen.uniform(0.5, 3.0))
        filler.unlink()

    faults = [Fault("locked file", lock, away=True)]
    faults += [Fault("full disk", fill, away=True)] if mounted else []
    try:
        yield Store(f"sqlite={file}", faults, [] if mounted else ["full disk"])
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", disk], check=True)


# Redis and Valkey


@contextmanager
def _redis(folder: Path, chosen: random.Random) -> Iterator[Store]:
    with a_redis_server() as server:
        yield Store(f"redis={server.url}", _faults(server, chosen))


@contextmanager
def _valkey(folder: Path, chosen: random.Random) -> Iterator[Store]:
    """Valkey's client, and its server if there is one; Redis 7 says the same."""
    program = shutil.which("valkey-server")
    with a_redis_server(program=program or "redis-server") as server:
        missing = [] if program else ["a server of Valkey: redis-server stands in for it"]
        yield Store(f"valkey={server.url}", _faults(server, chosen), missing)


def _faults(server: RedisServer, chosen: random.Random) -> list[Fault]:
    def say(*command: str) -> Callable[[], None]:
        return lambda: _say(redis.Redis.from_url(server.url), *command)

    def restart() -> None:
        server.stop()
        time.sleep(chosen.uniform(0.0, 2.0))
        server.start()

    return [
        Fault("restarted empty", restart, away=True),
        Fault("paused", lambda: _pause(redis.Redis.from_url(server.url)), away=True),
        Fault("cut connections", say("CLIENT", "KILL", "TYPE", "normal"), away=True),
        Fault("forgotten scripts", say("SCRIPT", "FLUSH")),
    ]


def _say(client: redis.Redis, *command: str) -> None:
    with client:
        client.execute_command(*command)


def _pause(client: redis.Redis) -> None:
    """Stop a server for a second.

    Its own CLIENT PAUSE ends by the wall clock: set back meanwhile, that lasts for hours.
    """
    with client:
        process: int = client.info("server")["process_id"]
    os.kill(process, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(process, signal.SIGCONT)


@contextmanager
def _sentinel(folder: Path, chosen: random.Random) -> Iterator[Store]:
    with a_sentinel() as (watching, nodes):
        sentinel = redis.Sentinel([("127.0.0.1", watching)], socket_timeout=1)

        def master() -> RedisNode | None:
            with contextlib.suppress(redis.sentinel.MasterNotFoundError):
                _, port = sentinel.discover_master("sessions")
                return next(node for node in nodes if node.port == port)
            return None

        def other_than(before: RedisNode | None, seconds: float = 60.0) -> RedisNode:
            """Wait for a master that is another one."""
            give_up = time.monotonic() + seconds
            while time.monotonic() < give_up:
                now = master()
                if now not in {before, None}:
                    return now
                time.sleep(0.05)
            raise TimeoutError(f"Sentinel has promoted nobody for {seconds:g} s")

        def lose_master() -> None:
            before = other_than(None)
            before.stop()
            other_than(before)
            before.start()  # and Sentinel makes a replica of it

        def stop_master() -> None:
            before = other_than(None)
            with before.stopped():
                other_than(before)

        def fail_over() -> None:
            before = other_than(None)
            # It says no where no replica is ready, and gives up where that has fallen behind.
            with contextlib.suppress(redis.ResponseError, TimeoutError):
                sentinel.sentinels[0].execute_command("SENTINEL", "FAILOVER", "sessions")
                other_than(before, seconds=5.0)

        def cut() -> None:
            _say(redis.Redis(port=other_than(None).port), "CLIENT", "KILL", "TYPE", "normal")

        def forget() -> None:
            _say(redis.Redis(port=other_than(None).port), "SCRIPT", "FLUSH")

        yield Store(
            f"sentinel={watching}",
            [
                Fault("lost master", lose_master, away=True),
                Fault("stopped master", stop_master, away=True),
                Fault("failover", fail_over, away=True),
                Fault("cut connections", cut, away=True),
                Fault("forgotten scripts", forget),
            ],
        )


@contextmanager
def _cluster(folder: Path, chosen: random.Random) -> Iterator[Store]:
    with a_redis_cluster() as ports:

        def move() -> None:
            holding = chosen.choice(ports)
            with redis.Redis(port=holding) as node:
                keys = sorted(node.keys())
            if keys:
                move_slot(ports, chosen.choice(keys), pause=chosen.uniform(0.0, 0.5))

        def say(*command: str) -> Callable[[], None]:
            return lambda: _say(redis.Redis(port=chosen.choice(ports)), *command)

        def pause() -> None:
            _pause(redis.Redis(port=chosen.choice(ports)))

        yield Store(
            f"cluster={ports[0]}",
            [
                Fault("moved slot", move, away=True),
                Fault("paused node", pause, away=True),
                Fault("cut connections", say("CLIENT", "KILL", "TYPE", "normal"), away=True),
                Fault("forgotten scripts", say("SCRIPT", "FLUSH")),
            ],
        )


# PostgreSQL


@contextmanager
def _postgres(folder: Path, chosen: random.Random) -> Iterator[Store]:
    with a_postgres_server() as database:
        yield Store(f"postgres={database.conninfo}", _faults_of_postgres(database, chosen))


@contextmanager
def _pgbouncer(folder: Path, chosen: random.Random) -> Iterator[Store]:
    with a_postgres_server() as database, a_pooler(database) as pooler:

        def restart() -> None:
            pooler.stop()
            time.sleep(chosen.uniform(0.0, 2.0))
            pooler.start()

        faults = _faults_of_postgres(database, chosen)
        faults.append(Fault("restarted pooler", restart, away=True))
        yield Store(f"postgres={pooler.conninfo}", faults)


def _faults_of_postgres(database: PostgresServer, chosen: random.Random) -> list[Fault]:
    PostgresStore(database.conninfo).create_table()

    def restart() -> None:
        database.stop()
        time.sleep(chosen.uniform(0.0, 2.0))
        database.start()

    def cut() -> None:
        with psycopg.connect(database.conninfo) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def lock() -> None:
        with psycopg.connect(database.conninfo) as connection:
            connection.execute("LOCK TABLE relogin_sessions")
            time.sleep(chosen.uniform(0.5, 3.0))

    def stop() -> None:
        with database.stopped():
            time.sleep(chosen.uniform(0.5, 3.0))

    return [
        Fault("restarted", restart, away=True),
        Fault("cut connections", cut, away=True),
        Fault("locked table", lock, away=True),
        Fault("stopped database", stop, away=True),
    ]


Opening = Callable[[Path, random.Random], contextlib.AbstractContextManager[Store]]
STORES: dict[str, Opening] = {
    "sqlite": _sqlite,
    "redis": _redis,
    "valkey": _valkey,
    "sentinel": _sentinel,
    "cluster": _cluster,
    "postgres": _postgres,
    "pgbouncer": _pgbouncer,
}
