"""What the tests of signals in httpx have in common."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from relogin.client.httpx import SessionAuth
from tests.client.httpx_drivers import Caller, Driver
from tests.client.server import Server

JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html")
LOST = b'{"success": false, "message": "please log in"}'
LONG = b"<form><input name=user><input name=password></form>" + random.Random(7).randbytes(300_000)


def refuse_with(
    server: Server,
    code: int,
    *headers: tuple[str, str],
    body: Callable[[], Any] = lambda: b"refused",
) -> None:
    """Have a dead session answered like this, and without a challenge."""
    server.challenges = lambda error: ()
    server.refusal_status, server.refusal_headers, server.refusal_body = code, headers, body


def opened(driver: Driver, server: Server, *signals: Any, **options: Any) -> Caller:
    login = options.pop("login", None) or driver.login(server)
    words = {name: options.pop(name) for name in ["replay_any_method"] if name in options}
    return driver.open(auth=SessionAuth(login, server.url, signals=signals, **words), **options)
