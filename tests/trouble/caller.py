"""One process of the fleet: threads or tasks that send numbered requests until told to stop.

Run as ``python -m tests.trouble.caller`` with a JSON object. It prints a line when a request begins
or ends and for each login, and at the end what it has left open. So whatever happens to the
process, the missing line shows it. A line on its standard input is a command: ``fork`` or ``stop``.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import os
import random
import sys
import threading
import time
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Any

from relogin import Grant
from relogin.client.events import Event
from relogin.client.terms.grant import Context
from tests.trouble.left import left_over
from tests.trouble.sabotage import SABOTAGES

__all__ = ["BUDGET", "LOGIN_TIMEOUT", "Caller", "Sending"]

LOGIN_TIMEOUT = 2.0  # in seconds
BUDGET = (10, 30.0)
TIMEOUT = (2.0, 5.0)  # in seconds: to connect, and for each answer
_LIBRARIES = {
    "requests": "over_requests:Threads",
    "httpx2": "over_httpx2:Tasks",
    "aiohttp": "over_aiohttp:Tasks",
    "google-auth": "peers:GoogleAuth",
    "singleflight-auth": "peers:SingleflightAuth",
}
_MOST_AFTER_A_FORK = 5


@dataclass
class Sending:
    """A request that was drawn: `kind` is how its body is given to the library."""

    number: str
    server: str
    method: str
    path: str
    kind: str
    body: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.number.encode() + self.body).hexdigest()

    def pieces(self) -> list[bytes]:
        return [self.body[start : start + 50_000] for start in range(0, len(self.body), 50_000)]

    def content(self, again: Any, once: Any) -> Any:
        """The body as its kind asks: what can be sent again, what cannot, octets, or nothing."""
        return {"again": again, "once": once, "octets": self.body}.get(self.kind)


class Caller:
    """What the callers of each library have in common: what they send, and what they say."""

    errors: tuple[type[Exception], ...]
    """What a caller of this library expects to be raised."""
    forks = True

    def __init__(self, facts: dict[str, Any]) -> None:
        self.urls: dict[str, str] = facts["urls"]
        self.name: str = facts["name"]
        self.store: str = facts["store"]
        self.many: int = facts["threads"]
        self.pause: float = facts["pause"]
        self.random = random.Random(facts["seed"])
        self.stopped = threading.Event()
        self.events: Counter[str] = Counter()
        self.tasks = 0
        self._logins = itertools.count()
        self._forks = itertools.count()
        self._has_ended = False

    def options(self, store: Any) -> dict[str, Any]:
        """The options of the `SessionAuth` of each library."""
        return {
            "store": store,
            "login_timeout": LOGIN_TIMEOUT,
            "budget": BUDGET,
            "on_event": self.hear,
        }

    @abstractmethod
    def run(self) -> None:
        """Send with so many threads or tasks until `stopped` is set."""

    @abstractmethod
    def run_after_fork(self) -> None:
        """Send a few requests in a child, with the auth object of its parent."""

    # What it prints

    def note(self, **said: Any) -> None:
        line = json.dumps(said | {"at": time.monotonic()}) + "\n"
        os.write(1, line.encode())  # shorter than 4096 octets: no other writer comes in between

    def hear(self, event: Event) -> None:
        self.events[event.kind.value] += 1

    def begins(self, sending: Sending) -> float:
        said = {"method": sending.method, "digest": sending.digest, "path": sending.path}
        self.note(begins=sending.number, server=sending.server, **said)
        return time.monotonic()

    def ends(self, sending: Sending, began: float, **said: Any) -> None:
        self._has_ended = True
        self.note(ends=sending.number, seconds=round(time.monotonic() - began, 3), **said)

    def fails(self, sending: Sending, began: float, error: Exception) -> None:
        known = {} if isinstance(error, self.errors) else {"unexpected": str(error)[:200]}
        self.ends(sending, began, error=type(error).__name__, **known)

    # What is sent

    def draw(self, number: str) -> Sending:
        server = self.random.choice(sorted(self.urls))
        kind, size = self.random.randrange(10), self.random.choice([0, 10, 5000, 200_000])
        if kind < 5:
            return Sending(number, server, "GET", "away" if kind == 4 else "orders", "none", b"")
        octets = self.random.randbytes(size) or b"x"
        if kind < 7:
            return Sending(number, server, "PUT", "orders", "octets", octets)
        how = "again" if kind < 9 else "once"
        return Sending(number, server, "POST", "orders", how, octets)

    def url(self, sending: Sending) -> str:
        return f"{self.urls[sending.server]}/{sending.path}/{sending.number}"

    # How it logs in

    def asks(self, context: Context) -> tuple[str, str, list[dict[str, str]]]:
        """Tell where a login goes, its number, and the forms to try one after the other."""
        server = next(name for name, url in self.urls.items() if context.url.startswith(url))
        number = self.next_login()
        self.note(logs_in=number, server=server, realm=context.realm)
        forms = [{"password": "pa55word"}]
        if context.previous is not None and context.previous.refresh is not None:
            # A refresh whose answer is lost may have used the token up: it is never tried again.
            forms.insert(0, {"refresh_token": context.previous.refresh})
        return f"{self.urls[server]}/token", number, forms

    def next_login(self) -> str:
        return f"{self.name}.{next(self._logins)}"

    def posts(self, number: str, form: dict[str, str]) -> None:
        self.note(posts=number, what=next(iter(form)))

    def lost(self, form: dict[str, str], error: Exception) -> bool:
        """Tell whether a form's refresh token may be used up, by what its request has ended in."""
        answered = hasattr(error, "response") and error.response is not None
        return "refresh_token" in form and not (answered or hasattr(error, "status"))

    def granted(self, number: str, answer: str) -> Grant:
        token, refresh, lifetime = answer.split()
        self.note(logged_in=number, session=token)
        return Grant(token=token, refresh=refresh, expires_in=float(lifetime) or None)

    # What it is told

    def obey(self) -> None:
        """Do what is said on standard input until that is over."""
        running = threading.Thread(target=self.run)
        running.start()
        for line in sys.stdin:
            if line != "fork\n":
                break
            # Not while a first request imports: a child waits for ever for a lock of its parent's.
            if self.forks and self._has_ended:
                self._fork()
        self.stopped.set()
        running.join()

    def _fork(self) -> None:
        number = next(self._forks)
        child = os.fork()
        if child:
            threading.Thread(target=os.waitpid, args=(child, 0), daemon=True).start()
            return
        self.name += f".f{number}"
        self.many = 1
        try:
            self.run_after_fork()
        finally:
            os._exit(0)

    def numbers(self, thread: int) -> list[str]:
        """Name the few requests that are sent after a fork."""
        return [f"{self.name}.{thread}.{count}" for count in range(_MOST_AFTER_A_FORK)]


def main() -> None:
    facts = json.loads(sys.argv[1])
    if facts["sabotage"] is not None:
        SABOTAGES[facts["sabotage"]].do(setattr)
    room, _, kind = _LIBRARIES[facts["library"]].partition(":")
    caller: Caller = getattr(importlib.import_module(f"tests.trouble.{room}"), kind)(facts)
    caller.note(ready=facts["library"])
    caller.obey()
    caller.note(events=caller.events, left=left_over(caller.urls, caller.tasks))


if __name__ == "__main__":
    main()
