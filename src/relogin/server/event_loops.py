"""The two event loops that ASGI applications run in: asyncio's, and trio's (hypercorn has both)."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

__all__ = ["Start", "cancellable", "in_thread", "sleep", "within"]

Start: TypeAlias = Callable[[Callable[[], Awaitable[None]]], None]


def _under_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


async def in_thread(call: Callable[..., Any], *given: object) -> Any:
    """Call a blocking function in a thread, so that the loop goes on."""
    if _under_trio():
        import trio

        return await trio.to_thread.run_sync(call, *given)
    import asyncio  # whoever gets here has loaded it

    return await asyncio.to_thread(call, *given)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` if the block takes longer."""
    if _under_trio():
        import trio

        with trio.move_on_after(seconds) as limit:
            yield
        if limit.cancelled_caught:
            raise TimeoutError
    else:
        import asyncio

        async with asyncio.timeout(seconds):
            yield


async def sleep(seconds: float) -> None:
    """Wait, and let the loop go on."""
    if _under_trio():
        import trio

        await trio.sleep(seconds)
    else:
        import asyncio

        await asyncio.sleep(seconds)


def cancellable() -> AbstractAsyncContextManager[Start]:
    """Return a block that yields a function to start a watch beside it; the watch ends the block.

    The watch must not raise. If the block ends first, the watch is cancelled.
    """
    return _with_trio() if _under_trio() else _with_asyncio()


@asynccontextmanager
async def _with_asyncio() -> AsyncIterator[Start]:
    import asyncio

    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(None)
    watches: list[asyncio.Task[None]] = []

    async def run(watch: Callable[[], Awaitable[None]]) -> None:
        await watch()
        limit.reschedule(loop.time())

    def start(watch: Callable[[], Awaitable[None]]) -> None:
        watches.append(loop.create_task(run(watch)))

    try:
        async with limit:
            yield start
    except TimeoutError:
        if not limit.expired():
            raise
    finally:
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


@asynccontextmanager
async def _with_trio() -> AsyncIterator[Start]:
    import trio

    block, beside = trio.CancelScope(), trio.CancelScope()

    async def run(watch: Callable[[], Awaitable[None]]) -> None:
        with beside:
            await watch()
            block.cancel()

    def start(watch: Callable[[], Awaitable[None]]) -> None:
        trio.lowlevel.spawn_system_task(run, watch)

    try:
        with block:
            yield start
    finally:
        beside.cancel()
