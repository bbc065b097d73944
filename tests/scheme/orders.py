"""A server with one session at a time, and clients of it: what the specification's tests ask."""

import time
from collections.abc import Callable
from typing import Any

import requests

import reauth
from reauth.client.requests import SessionAuth
from tests.scheme.server import Reply, Sent, refusal

EXPIRED = 'Session realm="orders", error="session_expired"'


class Orders:
    """One session at a time: a login ends the one before; others are told `refused`."""

    def __init__(self) -> None:
        self.alive = 0
        self.refused = refusal(EXPIRED)
        self.accepted = Reply()
        self.seen: list[Any] = []

    def __call__(self, sent: Sent) -> Reply:
        ours = sent.token == f"t{self.alive}" or f"sid=t{self.alive}" in sent.fields.get(
            "Cookie", ""
        )
        return self.accepted if self.alive and ours else self.refused

    def login(self, context: Any) -> reauth.Grant | str | None:
        self.seen.append(context)
        self.alive += 1
        return f"t{self.alive}"

    @property
    def logins(self) -> int:
        return len(self.seen)


def session_for(login: Callable[[Any], Any], origin: str, **words: Any) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = SessionAuth(login, origin, **words)
    return session


def cookie_login(orders: Orders) -> Callable[[Any], reauth.Grant]:
    return lambda context: reauth.Grant(cookies={"sid": str(orders.login(context))})


def lasts(seconds: str, *more: tuple[str, str]) -> Reply:
    return Reply(fields=(("Authentication-Info", seconds), *more))


def later(client: requests.Session, seconds: float) -> None:
    """Let the time pass for the client alone."""
    assert isinstance(client.auth, SessionAuth)
    client.auth._book.clock = lambda: time.monotonic() + seconds
