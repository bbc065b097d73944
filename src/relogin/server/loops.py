"""The two event loops that ASGI applications run in: asyncio's, and trio's (hypercorn has both)."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["in_thread", "within"]


def _under_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


async def in_thread(call: Callable[..., Any], *given: object) -> Any:
    """Call what may wait in a thread, so that the loop goes on."""
    if _under_trio():
        import trio

        return await trio.to_thread.run_sync(call, *given)
    import asyncio  # whoever gets here has loaded it

    return await asyncio.to_thread(call, *given)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` where what is done inside takes longer."""
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
