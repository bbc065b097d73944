"""A server with one session at a time, and clients of it: what the specification's tests ask."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
import requests

import relogin
import relogin.client.httpx
import relogin.client.requests
from tests.client.server import Answer, Request

EXPIRED = 'Session realm="orders", error="session_expired"'


def refusal(*challenges: str, status: int = 401) -> Answer:
    return Answer(status, tuple(("WWW-Authenticate", line) for line in challenges))


class Orders:
    """One session at a time: a login ends the one before; others get `refused`."""

    def __init__(self) -> None:
        self.alive = 0
        self.refused = refusal(EXPIRED)
        self.accepted = Answer()
        self.seen: list[Any] = []

    def __call__(self, sent: Request) -> Answer:
        ours = sent.token == f"t{self.alive}" or f"sid=t{self.alive}" in sent.headers.get(
            "Cookie", ""
        )
        return self.accepted if self.alive and ours else self.refused

    def login(self, context: Any) -> relogin.Grant | str | None:
        self.seen.append(context)
        self.alive += 1
        return f"t{self.alive}"

    @property
    def logins(self) -> int:
        return len(self.seen)


class HttpxClient(httpx.Client):
    """A client of httpx that is asked as a session of requests is."""

    auth_kind = relogin.client.httpx.SessionAuth

    def __init__(self) -> None:
        super().__init__(trust_env=False, follow_redirects=True, timeout=10)

    def request(self, *args: Any, data: Any = None, **kwargs: Any) -> httpx.Response:
        return super().request(*args, **kwargs | {"content": data})


class RequestsSession(requests.Session):
    """A session of requests that nothing of this machine disturbs."""

    auth_kind = relogin.client.requests.SessionAuth

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False


Client: TypeAlias = Any
"""A client of either library."""
Opening: TypeAlias = Callable[..., Client]


def open_client(
    kind: type[HttpxClient | RequestsSession],
    login: Callable[[Any], Any],
    origin: str | None = None,
    **options: Any,
) -> Client:
    client: Client = kind()
    client.auth = kind.auth_kind(login, origin, **options)
    return client


def cookie_login(orders: Orders) -> Callable[[Any], relogin.Grant]:
    return lambda context: relogin.Grant(cookies={"sid": str(orders.login(context))})


def lasts(seconds: str, *more: tuple[str, str]) -> Answer:
    return Answer(headers=(("Authentication-Info", seconds), *more))


def later(client: Client, seconds: float) -> None:
    """Let the time pass for the client alone."""
    client.auth._cache.clock = lambda: time.monotonic() + seconds
