"""A renewal without a network, beside the simplest peer: `python -m tests.benchmarks.renewal`.

A transport answers from memory and the login is free, so what is timed is the library,
`SessionAuth` and nothing else. Each row is a ratio within one interleaved run, of the shortest
times, in the processor's own seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import requests
from requests.adapters import BaseAdapter
from singleflight_auth import AsyncSingleFlightAuth, RequestsSingleFlightAuth, SingleFlightAuth

from relogin.client.httpx import SessionAuth as HttpxSessionAuth
from relogin.client.requests import SessionAuth
from tests.benchmarks.rows import Row, shown

__all__ = ["PIECES", "pieces", "rows"]

ORIGIN = "https://api.example.com"
URL = f"{ORIGIN}/orders"
EXPIRED = 'Session realm="x", error="session_expired"'


class Account:
    """One living token, a login that costs nothing, and what a server says of a token.

    If it `takes_a_while`, others run before an awaited login ends, so that they wait for it.
    """

    def __init__(self, *, takes_a_while: bool = False) -> None:
        self.number = 0
        self.held = "t0"
        self.takes_a_while = takes_a_while

    @property
    def living(self) -> str:
        return f"t{self.number}"

    def die(self) -> None:
        self.number += 1

    def log_in(self, _: object = None) -> str:
        self.held = self.living
        return self.held

    async def log_in_async(self, _: object = None) -> str:
        if self.takes_a_while:
            await asyncio.sleep(0)
        return self.log_in()

    def accepts(self, authorization: str) -> bool:
        return authorization.rstrip('"').endswith(self.living)


class MemoryAdapter(BaseAdapter):
    """Answers requests from memory, through urllib3's own response."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self.account = account
        self._build = requests.adapters.HTTPAdapter().build_response

    def send(self, request: Any, *_: Any, **more: Any) -> requests.Response:
        import io

        from urllib3 import HTTPResponse

        if self.account.accepts(request.headers.get("Authorization", "")):
            raw = HTTPResponse(io.BytesIO(b"hello"), status=200, preload_content=False)
        else:
            headers = {"WWW-Authenticate": EXPIRED}
            raw = HTTPResponse(io.BytesIO(b""), headers, status=401, preload_content=False)
        response = self._build(request, raw)
        response.connection = self  # type: ignore[assignment]  # any adapter will do
        return response

    def close(self) -> None:
        """Hold nothing."""


class MemoryTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers httpx from memory."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.account.accepts(request.headers.get("Authorization", "")):
            return httpx.Response(200, content=b"hello")
        return httpx.Response(401, headers={"WWW-Authenticate": EXPIRED})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return self.handle_request(request)


def with_requests(account: Account, auth: Any) -> Callable[[], int]:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", MemoryAdapter(account))
    session.auth = auth
    return lambda: session.get(URL).status_code


def with_httpx(account: Account, auth: Any) -> Callable[[], int]:
    client = httpx.Client(transport=MemoryTransport(account), auth=auth, trust_env=False)
    return lambda: client.get(URL).status_code


OPTIONS: dict[str, Any] = {"budget": (10**9, 1.0)}


def auths(account: Account, kind: str) -> dict[str, Any]:
    """Make ours, the peer's, and a fixed header, for one library."""
    ours, peer, fixed = {
        "requests": (SessionAuth, RequestsSingleFlightAuth, _fixed_requests),
        "httpx": (HttpxSessionAuth, SingleFlightAuth, _fixed_httpx),
    }[kind]
    return {
        "ours": ours(account.log_in, ORIGIN, **OPTIONS),
        "peer": peer(lambda: account.held, account.log_in),
        "fixed": fixed(account),
    }


def _fixed_requests(account: Account) -> Any:
    def sign(request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {account.held}"
        return request

    return sign


def _fixed_httpx(account: Account) -> Any:
    return _fixed_requests(account)


_BLOCKS, _CALLS = 8, 25
"""Of a round. Of short blocks, some meet no other program, even on a busy machine."""


def lasting(pieces: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run the pieces in turn; return the shortest time of each, in µs a call."""
    shortest = dict.fromkeys(pieces, float("inf"))
    gc.disable()
    for _ in range(rounds):
        for _ in range(_BLOCKS):
            for name, piece in pieces.items():
                piece()  # the one before has filled the processor's caches with its own
                began = time.process_time()
                for _ in range(_CALLS):
                    piece()
                taken = (time.process_time() - began) / _CALLS * 1e6
                shortest[name] = min(shortest[name], taken)
        gc.collect()
    gc.enable()
    return shortest


PIECES = (
    ("requests", "renewed", "requests, 401 + renewal + replay", "peer", 1.25),
    ("httpx", "renewed", "httpx, 401 + renewal + replay", "peer", 1.30),
    ("requests", "living", "requests, living session", "fixed", 1.05),
    ("httpx", "living", "httpx, living session", "fixed", 1.05),
)


def pieces(kind: str, way: str) -> dict[str, Callable[[], object]]:
    """Return one request of each auth: with a session that lives, or has just died."""
    account, send = Account(), {"requests": with_requests, "httpx": with_httpx}[kind]
    sending = {name: send(account, auth) for name, auth in auths(account, kind).items()}
    for piece in sending.values():
        assert piece() == 200
    if way == "living":
        return dict(sending)

    def die_and_send(piece: Callable[[], int]) -> Callable[[], object]:
        def call() -> None:
            account.die()
            assert piece() == 200

        return call

    return {name: die_and_send(piece) for name, piece in sending.items() if name != "fixed"}


def _row(title: str, times: Mapping[str, float], to: str, goal: float) -> Row:
    detail = "µs: " + ", ".join(f"{name} {taken:.0f}" for name, taken in times.items())
    return shown(Row(title, times["ours"] / times[to], to, goal, detail))


def tasks(number: int, goal: float, rounds: int, *, wait: bool) -> Row:
    """Let so many tasks meet one dead session, and `wait` for its login; the time is a request's.

    If they need not wait, the first has logged in before the others have their answers.
    """
    account = Account(takes_a_while=wait)
    made = {
        "ours": HttpxSessionAuth(account.log_in_async, ORIGIN, **OPTIONS),
        "peer": AsyncSingleFlightAuth(lambda: account.held, account.log_in_async),
    }
    shortest = dict.fromkeys(made, float("inf"))

    async def measure() -> None:
        clients = {
            name: httpx.AsyncClient(transport=MemoryTransport(account), auth=auth, trust_env=False)
            for name, auth in made.items()
        }
        for _ in range(rounds):
            for name, client in clients.items():
                account.die()
                began = time.process_time()
                async with asyncio.TaskGroup() as group:
                    for _ in range(number):
                        group.create_task(client.get(URL))
                taken = (time.process_time() - began) / number * 1e6
                shortest[name] = min(shortest[name], taken)

    asyncio.run(measure())
    title = "tasks wait for one login" if wait else "tasks, one dead session"
    return _row(f"httpx, {number} {title}", shortest, "peer", goal)


def rows(rounds: int) -> list[Row]:
    """Measure everything."""
    found = [
        _row(title, lasting(pieces(kind, way), rounds), to, goal)
        for kind, way, title, to, goal in PIECES
    ]
    crowds = [(number, wait) for wait in (False, True) for number in (100, 1000, 3000)]
    return [*found, *(tasks(number, 1.2, 25_000 // number, wait=wait) for number, wait in crowds)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rows(parser.parse_args().rounds)
