"""Tasks of aiohttp, which call their store in a thread."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from relogin import Grant
from relogin.client import outcome
from relogin.client.aiohttp import SessionAuth
from relogin.client.terms.grant import Context
from tests.trouble.caller import TIMEOUT, Sending
from tests.trouble.opened import open_store, survives_a_fork
from tests.trouble.over_tasks import AsyncCaller, once

__all__ = ["Tasks"]


class Tasks(AsyncCaller):
    """One auth object, in whichever loop it is used."""

    errors = (aiohttp.ClientError, TimeoutError)

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts)
        self.auth = self.open_auth()

    def open_auth(self) -> SessionAuth:
        options = self.options(open_store(self.store))
        return SessionAuth(self.log_in, self.urls.values(), **options)

    def run_after_fork(self) -> None:
        if not survives_a_fork(self.store):
            self.auth = self.open_auth()
        super().run_after_fork()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[aiohttp.ClientSession]:
        connect, read = TIMEOUT
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=read)
        async with aiohttp.ClientSession(middlewares=[self.auth], timeout=timeout) as client:
            yield client

    async def log_in(self, context: Context) -> Grant:
        (url, number, forms), lost = self.asks(context), False
        for form in forms:
            self.posts(number, form)
            try:
                async with context.http.post(url, data=form) as answer:
                    answer.raise_for_status()
                    return self.granted(number, await answer.text())
            except (aiohttp.ClientError, TimeoutError) as error:
                lost = lost or self.lost(form, error)
                if form is forms[-1]:
                    error.refresh_spent = lost  # type: ignore[union-attr]
                    raise
        raise AssertionError("there is no form")

    async def send(self, client: aiohttp.ClientSession, sending: Sending) -> dict[str, Any]:
        body = sending.content(io.BytesIO(sending.body), once(sending.pieces()))
        async with client.request(sending.method, self.url(sending), data=body) as response:
            text = await response.text()
            return {
                "status": response.status,
                "echo": text[:64],
                "outcome": outcome(response).value,
            }
