"""The two ways of niquests: a session is called, or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import niquests
from niquests.adapters import AsyncHTTPAdapter, HTTPAdapter

from relogin.client.niquests import AsyncUploadAdapter, UploadAdapter

__all__ = ["BOTH", "WAYS", "Both", "Called", "get_in_a_task", "get_in_a_thread"]


def get_in_a_thread(auth: Any, url: str, **words: Any) -> Any:
    with niquests.Session() as session:
        session.trust_env = False
        session.auth = auth
        return session.request(words.pop("method", "GET"), url, **words)


async def get_in_a_task(auth: Any, url: str, **words: Any) -> Any:
    async with niquests.AsyncSession() as session:
        session.trust_env = False
        session.auth = auth
        return await session.request(words.pop("method", "GET"), url, **words)


WAYS: dict[str, Callable[..., Any]] = {
    "called": get_in_a_thread,
    "awaited": lambda auth, url, **words: asyncio.run(get_in_a_task(auth, url, **words)),
}


class Called:
    """A `Session` for several requests of one thread."""

    kind: Any = niquests.Session
    adapter: Any = UploadAdapter
    plain: Any = HTTPAdapter
    name = "called"

    def __init__(self, auth: Any, **options: Any) -> None:
        self._auth = auth
        self._options = options

    def run(self, main: Callable[[Callable[..., Awaitable[Any]], Any], Awaitable[Any]]) -> Any:
        """Run a coroutine function with `send(method, url, **options)` and the session."""
        return asyncio.run(self._run(main))

    async def _run(self, main: Any) -> Any:
        with self.kind(**self._options) as session:
            self.begin(session)

            async def send(method: str, url: str, **options: Any) -> Any:
                return session.request(method, url, **options)

            return await main(send, session)

    def begin(self, session: Any) -> None:
        session.trust_env = False
        session.auth = self._auth


class _Awaited(Called):
    kind = niquests.AsyncSession
    adapter = AsyncUploadAdapter
    plain = AsyncHTTPAdapter
    name = "awaited"

    async def _run(self, main: Any) -> Any:
        async with self.kind(**self._options) as session:
            self.begin(session)
            return await main(session.request, session)


Both = type[Called]
BOTH = {each.name: each for each in (Called, _Awaited)}
