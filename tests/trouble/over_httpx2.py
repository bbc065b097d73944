"""Tasks of httpx2, which await their store if it is asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from relogin import Grant
from relogin.client import outcome
from relogin.client.httpx2 import SessionAuth
from relogin.client.terms.grant import Context
from tests.trouble.caller import TIMEOUT, Sending
from tests.trouble.opened import opened_async
from tests.trouble.over_tasks import Again, AsyncCaller, once

__all__ = ["Tasks"]


class Tasks(AsyncCaller):
    """An auth object in its own loop, for its store belongs to that."""

    errors = (httpx2.HTTPError,)
    forks = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with opened_async(self.store) as store:
            auth = SessionAuth(self.log_in, self.urls.values(), **self.options(store))
            connect, read = TIMEOUT
            timeout = httpx2.Timeout(read, connect=connect)
            async with httpx2.AsyncClient(
                auth=auth, timeout=timeout, follow_redirects=True, trust_env=False
            ) as client:
                yield client

    async def log_in(self, context: Context) -> Grant:
        (url, number, forms), lost = self.asks(context), False
        for form in forms:
            self.posts(number, form)
            try:
                answer = await context.http.post(url, data=form)
                answer.raise_for_status()
                return self.granted(number, answer.text)
            except (httpx2.HTTPError, ValueError) as error:  # an answer may be cut
                lost = lost or self.lost(form, error)
                if form is forms[-1]:
                    error.refresh_spent = lost  # type: ignore[union-attr]
                    raise
        raise AssertionError("there is no form")

    async def send(self, client: httpx2.AsyncClient, sending: Sending) -> dict[str, Any]:
        body = sending.content(Again(sending.pieces()), once(sending.pieces()))
        response = await client.request(sending.method, self.url(sending), content=body)
        return {
            "status": response.status_code,
            "echo": response.text[:64],
            "outcome": outcome(response).value,
        }
