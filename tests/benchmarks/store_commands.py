"""What eight processes ask of a store in a renewal: `python -m tests.benchmarks.store_commands`.

Their session dies, and all send a request at once: one logs in, which takes a while, and the others
wait for it. Counted are the commands of Redis, by MONITOR, and the statements of SQLite, by its
trace; and timed is how long after the login the last of them has its answer.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from sqlite3 import Connection
from statistics import median
from typing import Any

import redis
import requests

from relogin.client.requests import SessionAuth
from relogin.client.stores import Store
from relogin.client.stores.redis import RedisStore
from relogin.client.stores.sqlite import SQLiteStore
from tests.benchmarks.client import _Handler, served
from tests.client.redis_server import a_redis_server

__all__: list[str] = []

PROCESSES, ROUNDS = 8, 5
LOGINS = (0.05, 0.3, 1.0)  # in seconds


class _Account(_Handler):
    """Has a login that takes its time, and notes when it ended."""

    takes = 0.0
    number = 0
    logged_in = 0.0

    def do_GET(self) -> None:  # noqa: N802 - its name
        if self.path != "/login":
            super().do_GET()
            return
        time.sleep(_Account.takes)
        _Account.number += 1
        _Handler.living = str(_Account.number)
        _Account.logged_in = time.monotonic()
        self._answer(200, _Handler.living.encode())


class _Traced(SQLiteStore):
    """Counts its statements."""

    counted: Counter[str]

    def _open(self) -> Connection:
        connection = super()._open()
        connection.set_trace_callback(self._count)
        return connection

    def _count(self, statement: str) -> None:
        self.counted[" ".join(statement.split()[:2]).rstrip(",")] += 1


def _process(url: str, name: str, together: Barrier, told: Any) -> None:
    counted: Counter[str] = Counter()
    _Traced.counted = counted
    store: Store = RedisStore(name) if name.startswith("unix:") else _Traced(name)
    session = requests.Session()
    session.auth = SessionAuth(lambda _: requests.get(f"{url}/login").text, url, store=store)
    session.get(url)
    for _ in LOGINS:
        for _ in range(ROUNDS):
            together.wait(60)  # the session lives in all of them
            together.wait(60)  # it is dead
            counted.clear()
            session.get(url)
            told.put((time.monotonic(), Counter(counted)))


@contextmanager
def _monitored(url: str) -> Iterator[Callable[[], Counter[str]]]:
    """Count the commands that clients send; what a script calls is not sent."""
    counted: Counter[str] = Counter()
    client = redis.Redis.from_url(url, socket_timeout=None)

    def listen() -> None:
        with client.monitor() as monitor:
            for each in monitor.listen():
                if each["command"].startswith("PING end"):
                    return
                if each["client_type"] != "lua":
                    counted[each["command"].split()[0]] += 1

    listening = threading.Thread(target=listen)
    listening.start()
    time.sleep(0.2)

    def taken() -> Counter[str]:
        time.sleep(0.1)
        now = Counter(counted)
        counted.clear()
        return now

    yield taken
    redis.Redis.from_url(url).execute_command("PING", "end")
    listening.join()


def measure(name: str, url: str, commands: Callable[[], Counter[str]]) -> None:
    """Print what a store is asked, for logins of several lengths."""
    spawn = multiprocessing.get_context("spawn")
    together, told = spawn.Barrier(PROCESSES + 1), spawn.Queue()
    running = [
        spawn.Process(target=_process, args=(url, name, together, told)) for _ in range(PROCESSES)
    ]
    for process in running:
        process.start()
    for _Account.takes in LOGINS:
        rounds = [_a_round(together, told, commands) for _ in range(ROUNDS)]
        total = median(sum(counted.values()) for _, counted, _ in rounds)
        late = median(late for late, _, _ in rounds) * 1000
        logins = sum(logins for _, _, logins in rounds)
        _, counted, _ = sorted(rounds, key=lambda each: sum(each[1].values()))[ROUNDS // 2]
        print(
            f"  login of {_Account.takes:4.2f} s: {total:5.0f} commands, the last answer "
            f"{late:4.0f} ms after it; {logins} logins in {ROUNDS} rounds; {dict(counted)}",
            flush=True,
        )
    for process in running:
        process.join()


def _a_round(
    together: Barrier, told: Any, commands: Callable[[], Counter[str]]
) -> tuple[float, Counter[str], int]:
    together.wait(60)
    before = _Account.number
    _Handler.living = "nobody's"
    commands()
    together.wait(60)
    answers = [told.get(timeout=60) for _ in range(PROCESSES)]
    last = max(moment for moment, _ in answers) - _Account.logged_in
    asked = commands() + sum((counted for _, counted in answers), Counter[str]())
    return last, asked, _Account.number - before


if __name__ == "__main__":
    with ExitStack() as opened:
        url = opened.enter_context(served(_Account))
        server = opened.enter_context(a_redis_server())
        print("Redis")
        with _monitored(server.url) as taken:
            measure(server.url, url, taken)
        print("SQLite")
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        measure(str(Path(folder) / "sessions.db"), url, Counter)
