"""Real processes that share a store, and what they log in to."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.client.server import Answer, Request, Server

__all__ = ["Ended", "ManySessions", "OneSession", "Worker", "several_processes"]

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """What became of the requests of a worker, and how often it told each kind of event."""

    ended: Counter[str]
    events: Counter[str]


class Worker:
    """One of the processes: see `tests.client.store_worker`."""

    def __init__(self, url: str, store: str, **facts: object) -> None:
        facts |= {"url": url, "store": store}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.client.store_worker", json.dumps(facts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def ended(self) -> Ended:
        """Wait for the answer to the last command."""
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        return Ended(Counter(answer["ended"]), Counter(answer["events"]))

    def get(self, path: str = "/orders") -> Ended:
        self.tell(f"get {path}")
        return self.ended()

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Let it end, and wait for that."""
        self.process.communicate(timeout=30)


@contextmanager
def several_processes(
    url: str,
    store: str,
    number: int,
    *,
    threads: int = 4,
    login_timeout: float = 20.0,
    refresh_token: str | None = None,
) -> Iterator[list[Worker]]:
    """Run so many workers; whoever is added to the list is ended with them."""
    facts = {"threads": threads, "login_timeout": login_timeout, "refresh_token": refresh_token}
    workers = [Worker(url, store, **facts) for _ in range(number)]
    try:
        for worker in workers:
            worker.wait_until_ready()
        yield workers
    finally:
        for worker in workers:
            if worker.process.stdout is not None and not worker.process.stdout.closed:
                worker.close()


class OneSession:
    """What the processes log in to: each login ends the session before, and its refresh token.

    A refresh token is good for one use; `used` counts how often each came.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.used: Counter[str] = Counter()
        server.routes["/token"] = self.log_in

    def log_in(self, request: Request) -> Answer:
        sent = request.body.decode()
        if sent.startswith("refresh_token="):
            self.used[sent] += 1
        answer = self.server._log_in()
        assert isinstance(answer.body, bytes)
        return Answer(200, body=answer.body + f" refresh-{self.server.logins}".encode())

    @property
    def refreshed_twice(self) -> list[str]:
        return [token for token, times in self.used.items() if times > 1]


class ManySessions:
    """What the processes log in to where sessions do not disturb each other."""

    def __init__(self, server: Server) -> None:
        self.living: set[str] = set()
        self.logins = 0
        self.server = server
        server.routes["/token"] = self.log_in
        server.routes["/orders"] = self.orders

    def kill(self) -> None:
        """End all sessions."""
        self.living = set()

    def log_in(self, request: Request) -> Answer:
        self.logins += 1
        token = secrets.token_hex(8)
        self.living.add(token)
        return Answer(200, body=token.encode())

    def orders(self, request: Request) -> Answer:
        if request.token in self.living:
            return Answer(200, body=b"content")
        return self.server.refuse(None if request.token is None else "session_expired")
