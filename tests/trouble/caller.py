"""One process of the fleet: threads that send numbered requests until they are told to stop.

Run as ``python -m tests.trouble.caller`` with a JSON object; it logs each request when it begins
and when it ends, so that whatever happens to the process, what is missing shows.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from relogin import Grant
from relogin.client import outcome
from relogin.client.events import Event
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.client.store_worker import credentials, open_store

__all__: list[str] = []

LOGIN_TIMEOUT = 2.0
TIMEOUT = (2.0, 5.0)  # in seconds: to connect, and for each answer


class Caller:
    """A session for so many threads; `auth` is ours or a peer's."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.url: str = facts["url"]
        self.name: str = facts["name"]
        self.threads: int = facts["threads"]
        self.pause: float = facts["pause"]
        self.random = random.Random(facts["seed"])
        self.stopped = threading.Event()
        self.events: Counter[str] = Counter()
        self._log = os.open(facts["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.session = self._open(facts)
        self.session.trust_env = False
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=self.threads))

    def _open(self, facts: dict[str, Any]) -> requests.Session:
        if facts["auth"] == "google-auth":
            return _with_google_auth(self.url)
        session = requests.Session()
        session.auth = SessionAuth(
            self.log_in,
            self.url,
            store=open_store(facts["store"]),
            login_timeout=LOGIN_TIMEOUT,
            budget=(500, 30.0),
            on_event=self.hear,
        )
        return session

    def hear(self, event: Event) -> None:
        self.events[event.kind.value] += 1

    def log_in(self, context: Context) -> Grant:
        form = credentials(context)
        if "refresh_token" in form:
            # A refresh whose answer is lost may have used the token up: it is never tried again.
            with contextlib.suppress(requests.RequestException):
                return self._granted(context.http.post(f"{self.url}/token", data=form))
        return self._granted(context.http.post(f"{self.url}/token", data={"password": "pa55word"}))

    def _granted(self, answer: requests.Response) -> Grant:
        answer.raise_for_status()
        token, _, refresh = answer.text.partition(" ")
        return Grant(token=token, refresh=refresh)

    def note(self, **said: Any) -> None:
        os.write(self._log, json.dumps(said).encode() + b"\n")

    def run(self) -> None:
        threads = [threading.Thread(target=self._many, args=(n,)) for n in range(self.threads)]
        for thread in threads:
            thread.start()
        sys.stdin.readline()
        self.stopped.set()
        for thread in threads:
            thread.join()

    def _many(self, thread: int) -> None:
        count = 0
        while not self.stopped.is_set():
            self._one(f"{self.name}.{thread}.{count}")
            count += 1
            time.sleep(self.pause)

    def _one(self, number: str) -> None:
        method, path, body, digest = self._draw()
        began = time.monotonic()
        self.note(begins=number, at=time.time(), digest=digest, path=path)
        try:
            response = self.session.request(
                method, f"{self.url}/{path}/{number}", data=body, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            said: dict[str, Any] = {"error": type(error).__name__}
        else:
            said = {"status": response.status_code, "echo": response.text[:64]}
            said["outcome"] = outcome(response).value
        self.note(ends=number, seconds=round(time.monotonic() - began, 3), **said)

    def _draw(self) -> tuple[str, str, Any, str]:
        kind, size = self.random.randrange(10), self.random.choice([0, 10, 5000, 200_000])
        if kind < 4:
            return "GET", "orders", None, hashlib.sha256().hexdigest()
        if kind == 4:
            return "GET", "away", None, ""
        octets = self.random.randbytes(size) or b"x"
        digest = hashlib.sha256(octets).hexdigest()
        if kind < 7:
            return "PUT", "orders", octets, digest
        if kind < 9:
            return "POST", "orders", io.BytesIO(octets), digest
        return "POST", "orders", _pieces(octets), digest


def _pieces(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), 50_000):
        yield octets[start : start + 50_000]


def _with_google_auth(url: str) -> requests.Session:
    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession

    class Password(Credentials):
        def refresh(self, request: Any) -> None:
            answer = requests.post(f"{url}/token", data={"password": "pa55word"}, timeout=5)
            self.token = answer.text.partition(" ")[0]

        def apply(self, headers: dict[str, str], token: str | None = None) -> None:
            headers["authorization"] = f'Session token="{self.token}"'

    session: requests.Session = AuthorizedSession(Password())  # type: ignore[no-untyped-call]
    return session


def _left_over() -> dict[str, int]:
    return {
        "threads": threading.active_count(),
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }


def main() -> None:
    caller = Caller(json.loads(sys.argv[1]))
    print("ready", flush=True)
    caller.run()
    caller.session.close()
    print(json.dumps({"events": caller.events, "left": _left_over()}), flush=True)


if __name__ == "__main__":
    main()
