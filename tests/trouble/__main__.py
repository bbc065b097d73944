"""An hour of trouble: a fleet, real servers, a real store, and many faults at once.

    python -m tests.trouble --seconds 3600 --store redis --seed 7

Prints what happened and which laws were broken; ends with 1 if any was.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from relogin.client.stores.postgres import PostgresStore
from tests.client.postgres_server import a_postgres_server
from tests.client.redis_server import a_redis_server
from tests.trouble.faults import ROOT, Faults, Fleet, Store, free_port
from tests.trouble.judge import Judgement, judge
from tests.trouble.proxy import breaking_proxy

__all__ = ["trouble"]

# What a process of Python has open itself, and what a store keeps open for the next request.
_MOST_FILES = 24


class _Stranger(BaseHTTPRequestHandler):
    """Another origin, that requests are redirected to: it notes what should not have come."""

    def __init__(self, log: Path, *rest: Any) -> None:
        self._notes = log
        super().__init__(*rest)

    def do_GET(self) -> None:
        secret = "Authorization" in self.headers or "Cookie" in self.headers
        with self._notes.open("a") as notes:
            notes.write(json.dumps({"path": self.path, "credentials": secret}) + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


@contextmanager
def _stranger(folder: Path) -> Iterator[int]:
    handler = partial(_Stranger, folder / "stranger.jsonl")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _application(folder: Path, seed: int, stranger: int) -> Iterator[int]:
    port = free_port()
    facts = {
        "TROUBLE_LOG": str(folder / "server.jsonl"),
        "TROUBLE_SEED": str(seed),
        "TROUBLE_FOREIGN": f"http://127.0.0.1:{stranger}",
    }
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        *("--worker-class", "gthread", "--threads", "24", "--keep-alive", "30"),
        "tests.trouble.application:application",
    ]
    running = subprocess.Popen(command, cwd=ROOT, env=os.environ | facts)
    try:
        _wait_for(f"http://127.0.0.1:{port}/_ready")
        yield port
    finally:
        running.terminate()
        running.wait(20)


def _wait_for(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url).close()
            return
        time.sleep(0.05)
    raise AssertionError("gunicorn did not start")


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[tuple[str, Store]]:
    if kind == "redis":
        with a_redis_server() as server:
            yield server.url, server
    elif kind == "postgres":
        with a_postgres_server() as database:
            PostgresStore(database.conninfo).create_table()
            yield database.conninfo, database
    else:
        yield str(folder / "sessions.db"), folder / "sessions.db"


def trouble(
    seconds: float,
    seed: int,
    kind: str,
    *,
    processes: int = 3,
    threads: int = 4,
    pause: float = 0.002,
    recovery: float = 30.0,
    auth: str = "ours",
) -> tuple[Judgement, Faults, Fleet]:
    """Run a fleet for a time, with faults; let it recover, and judge.

    `pause` is how many seconds each thread waits between its requests. `recovery` is how many all
    have to recover in after the last fault: a budget window lasts 30.
    """
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        stranger = opened.enter_context(_stranger(folder))
        port = opened.enter_context(_application(folder, seed, stranger))
        proxy = opened.enter_context(breaking_proxy(port, seed))
        name, store = opened.enter_context(_store(kind, folder))
        url = f"http://127.0.0.1:{proxy.port}"
        facts = {"url": url, "store": name, "threads": threads, "pause": pause, "auth": auth}
        fleet = Fleet(facts, folder)
        faults = Faults(fleet, store, f"http://127.0.0.1:{port}", seed)
        for _ in range(processes):
            fleet.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(faults.pause())
            faults.strike()
        proxy.calm = True
        faults.calm()
        time.sleep(recovery)
        calm_from = time.time()
        faults.death()
        time.sleep(3.0)
        fleet.end()
        faults.count["connections broken"] = proxy.broken
        judgement = judge(folder, fleet.killed, calm_from, _explained(faults, fleet, processes))
        for left in fleet.left:
            if left["threads"] > 1 or left["files"] > _MOST_FILES:
                judgement.breaks("threads or files were left open", str(left))
    return judgement, faults, fleet


def _explained(faults: Faults, fleet: Fleet, processes: int) -> int:
    """Count the logins that the faults explain, and no more than they do."""
    count = faults.count
    lost = fleet.events["failed"] + count["kill"] + count["stop"]
    away = sum(n for name, n in count.items() if name.split()[-1] in {"store", "redis", "sqlite"})
    return 1 + count["death"] + 1 + 2 * lost + away * processes * 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "redis", "postgres"], default="sqlite")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.002, help="between a thread's requests")
    parser.add_argument("--auth", choices=["ours", "google-auth"], default="ours")
    given = vars(parser.parse_args())
    kind = given.pop("store")
    judgement, faults, fleet = trouble(given.pop("seconds"), given.pop("seed"), kind, **given)
    print(judgement)
    print(f"faults     {dict(faults.count.most_common())}")
    print(f"events     {dict(fleet.events.most_common())}")
    print(f"left       {fleet.left}")
    sys.exit(bool(judgement.broken))


if __name__ == "__main__":
    main()
