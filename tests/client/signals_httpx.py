"""Clients of httpx that know signals: see `tests.client.signalling`."""

from __future__ import annotations

from typing import Any

from relogin.client.httpx import SessionAuth
from tests.client.httpx_drivers import Caller, Driver
from tests.client.server import Server


def opened(driver: Driver, server: Server, *signals: Any, **options: Any) -> Caller:
    login = options.pop("login", None) or driver.login(server)
    own = {name: options.pop(name) for name in ["replay_any_method"] if name in options}
    return driver.open(auth=SessionAuth(login, server.url, signals=signals, **own), **options)
