"""One interface for requests and httpx, for what is the same in both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.requests import SessionAuth
from tests.client.httpx_drivers import Driver, drive

__all__ = ["EITHER", "Either", "an_either"]

EITHER = ("requests", "httpx", "httpx-async")


class Either:
    """A library, and how to call its client like a `requests.Session`."""

    def __init__(self, session: requests.Session, driver: Driver | None) -> None:
        self.driver = driver
        self._session = session

    def auth(self, login: Any, url: Any = None, **options: Any) -> Any:
        """Make this library's `SessionAuth`."""
        return (SessionAuth if self.driver is None else HttpxAuth)(login, url, **options)

    def client(self, auth: Any) -> Any:
        """Open a client that has this auth and follows redirects."""
        if self.driver is not None:
            return self.driver.open(auth=auth, follow_redirects=True)
        self._session.auth = auth
        return self._session

    def attach(self, login: Any, url: Any = None, **options: Any) -> Any:
        """Open a client with a `SessionAuth` of its own."""
        return self.client(self.auth(login, url, **options))

    def log_out(self, auth: Any) -> None:
        """Log out, in a task where this client is of tasks."""
        if self.driver is not None and self.driver.is_async:
            self.driver.run(auth.alogout)
        else:
            auth.logout()

    @contextmanager
    def block(self, auth: Any) -> Iterator[None]:
        """Enter an auth and leave it, in tasks where this client is of tasks."""
        awaited = self.driver is not None and self.driver.is_async
        self._called(auth.__aenter__ if awaited else auth.__enter__)
        try:
            yield
        finally:
            self._called(auth.__aexit__ if awaited else auth.__exit__, None, None, None)

    def _called(self, function: Any, *arguments: Any) -> None:
        if self.driver is None:
            function(*arguments)
        else:
            self.driver.run(function, *arguments)


@contextmanager
def an_either(name: str) -> Iterator[Either]:
    """Begin a library, and end what it left open."""
    with requests.Session() as session:
        session.trust_env = False
        if name == "requests":
            yield Either(session, None)
            return
        with drive("asyncio" if name == "httpx-async" else "sync") as driver:
            yield Either(session, driver)
