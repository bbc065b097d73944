"""Standing by in a task, of asyncio or of trio, as `relogin.client.driver.drive` does in a thread.

One cache may be shared by tasks of several loops and by threads, so a renewal wakes each who waits
for it through that one's own loop.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, suppress
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from relogin.client.driver.drive import Stepping
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.flow import Ask, Pause, Wait

__all__ = ["drive", "elsewhere", "stand_by"]

T = TypeVar("T")
Do = TypeVar("Do")


async def drive(flow: Generator[Do, Any, T], do: Callable[[Do], Awaitable[object]]) -> T:
    """Run a flow to its end, doing each command with `do`."""
    with closing(flow):
        steps = Stepping(flow)
        for command in steps:
            with steps:
                steps.done = await do(command)
        return steps.result


async def stand_by(cache: CredentialCache, command: Wait | Pause | Ask) -> object:
    """Do in this task what needs no HTTP: wait for a flight or a moment, ask the store."""
    if isinstance(command, Ask):
        return await _asked(command, cache.policy.login_timeout)
    if isinstance(command, Wait):
        await _wait(cache, command)
    else:
        await anyio.sleep(command.seconds)
    return None


async def elsewhere(call: Callable[..., object], *arguments: object) -> object:
    """Call in a thread what may block, so that the loop goes on.

    A task that is cancelled does not wait for it. The thread is of a limit of its own: all those of
    the common one may be waiting for what this one is about to bring.
    """
    return await anyio.to_thread.run_sync(
        call, *arguments, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
    )


async def _asked(command: Ask, seconds: float) -> object:
    # Shielded, because a cancelled leader gives its lease back, or other processes wait for it.
    with anyio.fail_after(seconds, shield=True):
        if inspect.iscoroutinefunction(command.call):
            answer: object = await command.call(*command.arguments)
            return answer
        return await elsewhere(command.call, *command.arguments)


async def _wait(cache: CredentialCache, command: Wait) -> None:
    ended = anyio.Event()
    wake = _waker(ended)
    if cache.watch(command.flight, wake):
        try:
            with anyio.move_on_after(command.seconds):
                await ended.wait()
        finally:
            cache.unwatch(command.flight, wake)


def _waker(ended: anyio.Event) -> Callable[[], None]:
    """Return what ends a wait of this task, and may be called in any thread or loop."""
    soon = _soon()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is gone, and whoever waited in it
            soon(ended.set)

    return wake


def _soon() -> Callable[[Callable[[], None]], object]:
    """Find what calls a function in the loop of this task."""
    trio = sys.modules.get("trio")
    if trio is not None:  # asked first: it may be a guest of asyncio, and then both are running
        with suppress(RuntimeError):
            soon: Callable[[Callable[[], None]], object]
            soon = trio.lowlevel.current_trio_token().run_sync_soon
            return soon
    return asyncio.get_running_loop().call_soon_threadsafe
