"""One of several processes that share a store: obeys line by line, and says what came of it.

Run as ``python -m tests.client.store_worker`` with a JSON object: `url`, `store`, `threads`,
`login_timeout`, and a `refresh_token` where the server is oidc-provider. A line on standard input
is a command: ``get PATH`` sends one request with each thread at once, ``load PATH`` lets thread N
send requests for PATH/N until the next line. The answer is a line of JSON: what each request ended
with, a status or the name of an exception.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import requests

from relogin import Grant
from relogin.client.events import Event
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from relogin.client.stores import Store
from relogin.client.stores.postgres import PostgresStore
from relogin.client.stores.redis import RedisStore
from relogin.client.stores.sqlite import SQLiteStore
from relogin.client.terms.grant import Context
from tests.client.servers.oidc_provider import CLIENT_ID, CLIENT_SECRET

__all__: list[str] = []


def open_store(name: str) -> Store:
    if name.startswith("unix:"):
        return RedisStore(name)
    return PostgresStore(name) if "dbname=" in name else SQLiteStore(name)


class Worker:
    """A session of requests for so many threads, and one auth object that they share."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url: str = facts["url"]
        self.threads: int = facts["threads"]
        self.events: Counter[str] = Counter()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self.threads))
        self.session.auth = SessionAuth(
            self.login(facts.get("refresh_token")),
            self.url,
            store=open_store(facts["store"]),
            login_timeout=facts["login_timeout"],
            on_event=self.hear,
        )
        self.pool = ThreadPoolExecutor(self.threads)

    def hear(self, event: Event) -> None:
        self.events[event.kind.value] += 1

    def login(self, refresh_token: str | None) -> Callable[[Context], Grant | None]:
        if refresh_token is None:
            return self.log_in
        url = f"{self.url}/token"
        return OAuth2Login(url, CLIENT_ID, CLIENT_SECRET, refresh_token=refresh_token)

    def log_in(self, context: Context) -> Grant:
        answer = context.http.post(f"{self.url}/token", data=credentials(context))
        answer.raise_for_status()
        token, _, refresh = answer.text.partition(" ")
        return Grant(token=token, refresh=refresh or None)

    def send(self, path: str) -> str:
        try:
            return str(self.session.get(f"{self.url}{path}", timeout=30).status_code)
        except requests.RequestException as error:
            return type(error).__name__

    def get(self, path: str) -> list[str]:
        begin = threading.Barrier(self.threads)

        def one(_: int) -> str:
            begin.wait(30)
            return self.send(path)

        return list(self.pool.map(one, range(self.threads)))

    def load(self, path: str, stop: Callable[[], object]) -> list[str]:
        stopped = threading.Event()

        def many(number: int) -> Counter[str]:
            ended: Counter[str] = Counter()
            while not stopped.is_set():
                ended[self.send(f"{path}/{number}")] += 1
            return ended

        running = [self.pool.submit(many, number) for number in range(self.threads)]
        stop()
        stopped.set()
        total = sum((each.result() for each in running), Counter[str]())
        return list(total.elements())


def credentials(context: Context) -> dict[str, str]:
    previous = context.previous
    if previous is None or previous.refresh is None:
        return {"password": "pa55word"}
    return {"refresh_token": previous.refresh}


def main() -> None:
    worker = Worker(json.loads(sys.argv[1]))
    print("ready", flush=True)
    for line in sys.stdin:
        command, path = line.split()
        load = partial(worker.load, stop=sys.stdin.readline)
        ended = (load if command == "load" else worker.get)(path)
        print(json.dumps({"ended": Counter(ended), "events": worker.events}), flush=True)
        worker.events.clear()


if __name__ == "__main__":
    main()
