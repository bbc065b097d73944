"""What is done to a fleet on purpose, drawn from a seed."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.client.postgres_server import PostgresServer
from tests.client.redis_server import RedisServer

__all__ = ["Faults", "Fleet"]

ROOT = Path(__file__).parents[2]


class Fleet:
    """The callers: started, killed, stopped and continued."""

    def __init__(self, facts: dict[str, Any], folder: Path) -> None:
        self.killed: set[str] = set()
        self.left: list[dict[str, int]] = []
        self.events: Counter[str] = Counter()
        self._facts = facts
        self._folder = folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._count = 0

    def start(self) -> None:
        """Start one more process, and wait until it sends."""
        name = f"p{self._count}"
        self._count += 1
        log = self._folder / f"caller-{name}.jsonl"
        facts = self._facts | {"name": name, "log": str(log), "seed": self._count}
        self._running[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.trouble.caller", json.dumps(facts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        output = self._running[name].stdout
        assert output is not None
        assert output.readline() == "ready\n"

    def kill(self, chosen: random.Random) -> None:
        """Kill one as kill -9 does, and start another."""
        name = chosen.choice(sorted(self._running))
        process = self._running.pop(name)
        self.killed.add(name)
        process.kill()
        process.communicate()
        self.start()

    def stop_for(self, chosen: random.Random, seconds: float) -> None:
        """Stop one as SIGSTOP does, and let it go on after a time."""
        process = self._running[chosen.choice(sorted(self._running))]
        process.send_signal(signal.SIGSTOP)
        go_on = threading.Timer(seconds, process.send_signal, (signal.SIGCONT,))
        go_on.start()

    def end(self) -> None:
        """Let all end, and take what they say of themselves."""
        for name, process in self._running.items():
            try:
                said, _ = process.communicate("stop\n", timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"{name} does not end") from None
            answer = json.loads(said)
            self.events += Counter(answer["events"])
            self.left.append(answer["left"])


Store = RedisServer | PostgresServer | Path


class Faults:
    """Each call of `strike` does one thing; `count` says how often each was done."""

    def __init__(self, fleet: Fleet, store: Store, server: str, seed: int) -> None:
        self.count: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._fleet = fleet
        self._store = store
        self._server = server
        common = [self.death] * 6 + [self.kill, self.stop]
        self._all = common + self._of_the_store()

    def strike(self) -> None:
        """Do one thing."""
        fault = self._random.choice(self._all)
        self.count[fault.__name__.removeprefix("_").replace("_", " ")] += 1
        fault()

    def pause(self) -> float:
        """Draw how many seconds pass until the next one."""
        return self._random.uniform(0.1, 1.0)

    def calm(self) -> None:
        """Let the server, too, do nothing wrong from now on."""
        urllib.request.urlopen(f"{self._server}/_calm").close()

    def death(self) -> None:
        """End every session."""
        urllib.request.urlopen(f"{self._server}/_kill").close()

    def kill(self) -> None:
        """Kill a process."""
        self._fleet.kill(self._random)

    def stop(self) -> None:
        """Stop a process for longer than a lease lasts."""
        self._fleet.stop_for(self._random, self._random.uniform(0.5, 5.0))

    def _of_the_store(self) -> list[Callable[[], None]]:
        if isinstance(self._store, RedisServer):
            return [self._restart_store, self._pause_redis, self._cut_redis, self._forget_scripts]
        if isinstance(self._store, PostgresServer):
            return [self._restart_store, self._cut_postgres]
        return [self._lock_sqlite]

    def _restart_store(self) -> None:
        assert isinstance(self._store, RedisServer | PostgresServer)
        self._store.stop()
        time.sleep(self._random.uniform(0.0, 2.0))
        self._store.start()

    def _redis(self, *command: str) -> None:
        assert isinstance(self._store, RedisServer)
        with redis.Redis.from_url(self._store.url) as client:
            client.execute_command(*command)

    def _pause_redis(self) -> None:
        self._redis("CLIENT", "PAUSE", "1000")

    def _cut_redis(self) -> None:
        self._redis("CLIENT", "KILL", "TYPE", "normal")

    def _forget_scripts(self) -> None:
        self._redis("SCRIPT", "FLUSH")

    def _cut_postgres(self) -> None:
        assert isinstance(self._store, PostgresServer)
        with psycopg.connect(self._store.conninfo) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def _lock_sqlite(self) -> None:
        """Keep the file locked for longer than the store waits for it."""
        with contextlib.closing(sqlite3.connect(str(self._store), timeout=10)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(self._random.uniform(0.5, 3.0))
            connection.rollback()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
