"""Killing the process that logs in, in the midst of it: what becomes of the others.

    python -m tests.client.takeover 100 sqlite

does so a hundred times, and prints what was measured.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.client.redis_server import a_redis_server
from tests.client.server import Server, serve
from tests.client.shared import OneSession, Worker, several_processes

__all__ = ["Round", "a_round"]


class Round(NamedTuple):
    """What the survivors' requests ended with, how many logins there were, how long it took."""

    ended: Counter[str]
    logins: int
    seconds: float


def a_round(server: Server, store: str, workers: list[Worker], *, login_timeout: float) -> Round:
    """End the session, kill whoever logs in, let that login take effect, and send for the others.

    The first of the workers is the one that is killed, and a new one is put at the end.
    """
    victim, *others = workers
    before, gate = server.logins, threading.Event()
    server.kill()
    server.login_gates.append(gate)
    while server.login_began.acquire(blocking=False):
        pass
    victim.tell("get /orders")
    assert server.login_began.acquire(timeout=10)
    victim.kill()
    gate.set()  # the server completes a login that nobody waits for any more
    began = time.monotonic()
    for worker in others:
        worker.tell("get /orders")
    ended = sum((worker.ended().ended for worker in others), Counter[str]())
    seconds = time.monotonic() - began
    successor = Worker(server.url, store, threads=4, login_timeout=login_timeout)
    successor.wait_until_ready()
    workers[:] = [*others, successor]
    successor.get()
    return Round(ended, server.logins - before, seconds)


def measure(rounds: int, server: Server, store: str) -> None:
    login, logins, lost, longest = OneSession(server), Counter[int](), Counter[str](), 0.0
    with several_processes(server.url, store, 3, threads=4, login_timeout=1.0) as workers:
        for worker in workers:
            worker.get()
        for _ in range(rounds):
            done = a_round(server, store, workers, login_timeout=1.0)
            logins[done.logins] += 1
            lost += Counter({name: times for name, times in done.ended.items() if name != "200"})
            longest = max(longest, done.seconds)
    print(f"{rounds} rounds; logins in a round: {dict(logins)}; requests lost: {dict(lost)};")
    print(f"longest recovery {longest:.2f} s with a lease of 1.5 s; ", end="")
    print(f"refresh tokens used twice: {len(login.refreshed_twice)} of {len(login.used)}")


def main() -> None:
    rounds, kind = int(sys.argv[1]), sys.argv[2]
    with serve() as server:
        if kind == "redis":
            with a_redis_server() as redis:
                measure(rounds, server, redis.url)
        else:
            with tempfile.TemporaryDirectory() as folder:
                measure(rounds, server, str(Path(folder) / "sessions.db"))


if __name__ == "__main__":
    main()
