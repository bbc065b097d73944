"""Clients that are broken on purpose, each so that a law is broken: the judge must find it.

    python -m tests.trouble.sabotage                  # all of them, half a minute each
    python -m tests.trouble.sabotage hangs dies       # some of them

Prints what was found; ends with how many laws were not seen to break. Some laws break only if the
right things happen, so a law that did not break is given two more runs, with other seeds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

from relogin.client.driver import drive
from relogin.client.renewal import cache, log_in
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.stores.record import Record
from relogin.client.terms.outcomes import Outcome

__all__ = ["SABOTAGES", "Sabotage"]

Put = Callable[[Any, str, Any], object]


class Sabotage(NamedTuple):
    """How to break the client of a process, with something like `setattr`, and what comes of it."""

    do: Callable[[Put], None]
    law: str


# What a session is shared with


def _spend_twice(put: Put, put_grant: Any = Record.put) -> None:
    def keep_the_first(record: Record, lease: Any, grant: Any, *more: Any) -> Any:
        if record.grant is not None and record.grant.refresh is not None:
            grant = replace(grant, refresh=record.grant.refresh)
        return put_grant(record, lease, grant, *more)

    put(Record, "put", keep_the_first)


def _overlook_others(put: Put) -> None:
    put(Record, "newer", lambda record, than, past: False)


def _mix_servers(put: Put) -> None:
    def any_credential(cache: Any, origin: str, url: str) -> Any:
        realms = list(cache._credentials.values())
        return next(iter(random.choice(realms).values()), None) if realms else None

    put(CredentialCache, "for_request", any_credential)


def _sign_for_strangers(put: Put, send: Any = HTTPAdapter.send) -> None:
    def signed(adapter: Any, request: Any, **more: Any) -> Any:
        request.headers.setdefault("Authorization", 'Session token="t"')
        return send(adapter, request, **more)

    put(HTTPAdapter, "send", signed)


# What is sent, and what comes back


def _send_again(put: Put, send: Any = HTTPAdapter.send) -> None:
    def twice(adapter: Any, request: Any, **more: Any) -> Any:
        response = send(adapter, request, **more)
        if response.status_code == 200 and request.method == "PUT":
            response.close()
            response = send(adapter, request, **more)
        return response

    put(HTTPAdapter, "send", twice)


def _send_nothing(put: Put, send: Any = HTTPAdapter.send) -> None:
    def empty(adapter: Any, request: Any, **more: Any) -> Any:
        if isinstance(request.body, bytes) and random.randrange(10) == 0:
            request.body, request.headers["Content-Length"] = b"", "0"
        return send(adapter, request, **more)

    put(HTTPAdapter, "send", empty)


def _swap_answers(put: Put, send: Any = HTTPAdapter.send) -> None:
    kept: list[Any] = []

    def swapped(adapter: Any, request: Any, **more: Any) -> Any:
        response = send(adapter, request, **more)
        if response.status_code == 200 and "/token" not in request.url:
            _ = response.content
            kept.append(response)
            if random.randrange(10) == 0:
                return kept[0]
        return response

    put(HTTPAdapter, "send", swapped)


# How it ends


def _hang(put: Put) -> None:
    put(drive, "wait", lambda *given: threading.Event().wait())


def _take_long(put: Put) -> None:
    put(drive, "wait", lambda *given: time.sleep(42.0))


def _hang_in_a_child(put: Put) -> None:
    def hang(*given: object) -> None:
        threading.Event().wait()

    os.register_at_fork(after_in_child=lambda: put(CredentialCache, "for_request", hang))


def _fail_oddly(put: Put) -> None:
    def fail(*given: object, **more: object) -> None:
        raise KeyError("x")

    put(CredentialCache, "asked", fail)


# What a login does


def _with_each_login(put: Put, do: Callable[[Any, str], Any]) -> None:
    granted = vars(log_in)["granted"]
    put(log_in, "granted", lambda grant, url: do(granted(grant, url), url))


def _have_no_budget(put: Put) -> None:
    put(CredentialCache, "_why_not", lambda *given: None)
    _with_each_login(put, lambda grant, url: replace(grant, token=f"{grant.token}x"))


def _give_up(put: Put) -> None:
    def for_an_hour(cause: BaseException, attempt: int, now: float) -> Blocked:
        return Blocked(Outcome.UNAVAILABLE, cause, now + 3600.0, attempt)

    def fail(grant: Any, url: str) -> Any:
        if random.randrange(2) == 0:
            raise OSError("an outage")
        return grant

    put(cache, "outage", for_an_hour)
    _with_each_login(put, fail)


def _die(put: Put) -> None:
    def die(grant: Any, url: str) -> Any:
        if random.randrange(4) == 0:
            os._exit(3)
        return grant

    _with_each_login(put, die)


def _leave_threads(put: Put) -> None:
    def leave(grant: Any, url: str) -> Any:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return grant

    _with_each_login(put, leave)


def _leave_connections(put: Put) -> None:
    kept = []

    def leave(grant: Any, url: str) -> Any:
        at = urlsplit(url)
        kept.append(socket.create_connection((at.hostname, at.port), timeout=5))
        return grant

    _with_each_login(put, leave)


def _leave_tasks(put: Put) -> None:
    kept = []

    def leave(grant: Any, url: str) -> Any:
        with contextlib.suppress(RuntimeError):  # a thread of requests
            kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(3600.0)))
        return grant

    _with_each_login(put, leave)


SABOTAGES = {
    "spends-twice": Sabotage(_spend_twice, "a refresh token was used twice"),
    "overlooks-others": Sabotage(_overlook_others, "a login that nothing explains"),
    "has-no-budget": Sabotage(_have_no_budget, "more than 10 logins in 30 s"),
    "mixes-servers": Sabotage(_mix_servers, "a credential reached a server that it is not for"),
    "signs-for-strangers": Sabotage(_sign_for_strangers, "a credential reached another origin"),
    "sends-again": Sabotage(_send_again, "a request was applied twice and its caller not told"),
    "sends-nothing": Sabotage(
        _send_nothing, "a body was applied that is another one than was sent"
    ),
    "swaps-answers": Sabotage(_swap_answers, "a 200 to another body than the one sent"),
    "hangs": Sabotage(_hang, "a request never ended"),
    "takes-long": Sabotage(_take_long, "a request took longer than 40 s"),
    "hangs-in-a-child": Sabotage(_hang_in_a_child, "a child of a fork never ended"),
    "fails-oddly": Sabotage(_fail_oddly, "an error of no kind that its library raises"),
    "gives-up": Sabotage(_give_up, "a request was not served after all had recovered"),
    "dies": Sabotage(_die, "a process died that nobody had killed"),
    "leaves-threads": Sabotage(_leave_threads, "threads were left"),
    "leaves-connections": Sabotage(_leave_connections, "connections were left"),
    "leaves-tasks": Sabotage(_leave_tasks, "tasks were left"),
}


_MOST_RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *SABOTAGES], metavar="name")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default="sqlite")
    given = parser.parse_args()
    missed = 0
    for name in given.names or SABOTAGES:
        missed += not any(_is_found(name, given, given.seed + more) for more in range(_MOST_RUNS))
    sys.exit(missed)


def _is_found(name: str, given: argparse.Namespace, seed: int) -> bool:
    """Do it, print which laws were broken, and tell whether the right one is among them."""
    from tests.trouble.__main__ import trouble

    options: dict[str, Any] = {
        "pause": 0.05,
        "recovery": 6.0,
        "patience": 60.0 if name == "takes-long" else 10.0,
    }
    ended = trouble(given.seconds, seed, given.store, sabotage=name, **options)
    broken, law = ended.judgement.broken, SABOTAGES[name].law
    others = {other: count for other, count in broken.items() if other != law}
    print(f"{name}: {broken[law]} x {law}; also {others}", flush=True)
    return bool(broken[law])


if __name__ == "__main__":
    main()
