"""What tasks of any library do: send until they must stop, all in one loop."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.trouble.caller import Caller, Sending

__all__ = ["Again", "AsyncCaller", "once"]


class AsyncCaller(Caller):
    """One client, that all tasks share."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Any]:
        """Open a client, for this loop, and what else belongs to it."""

    @abstractmethod
    async def send(self, client: Any, sending: Sending) -> dict[str, Any]:
        """Send a request, and tell how it ended."""

    def run(self) -> None:
        asyncio.run(self._all())

    def run_after_fork(self) -> None:
        asyncio.run(self._few())

    async def _all(self) -> None:
        async with self.opened() as client, asyncio.TaskGroup() as tasks:
            for number in range(self.many):
                tasks.create_task(self._many(client, number))
        await asyncio.sleep(0.1)  # for what is about to end
        self.tasks = len(asyncio.all_tasks()) - 1

    async def _few(self) -> None:
        async with self.opened() as client:
            for number in self.numbers(0):
                await self._one(client, self.draw(number))

    async def _many(self, client: Any, task: int) -> None:
        count = 0
        while not self.stopped.is_set():
            await self._one(client, self.draw(f"{self.name}.{task}.{count}"))
            count += 1
            await asyncio.sleep(self.pause)

    async def _one(self, client: Any, sending: Sending) -> None:
        began = self.begins(sending)
        try:
            said = await self.send(client, sending)
        except Exception as error:  # noqa: BLE001 - what it is, the judge is told
            self.fails(sending, began, error)
        else:
            self.ends(sending, began, **said)


class Again:
    """A body that can be read more than once."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def once(pieces: list[bytes]) -> AsyncIterator[bytes]:
    """Make a body that can be read once."""
    for piece in pieces:
        yield piece
