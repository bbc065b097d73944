"""The two ways of niquests: a session is called, or awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import niquests

__all__ = ["WAYS", "get_in_a_task", "get_in_a_thread"]


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
