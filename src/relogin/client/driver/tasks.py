"""Waiting in a task of asyncio or trio, as `relogin.client.driver.drive` does in a thread.

Tasks of several loops and threads can share one cache, so a renewal wakes each waiting task through
the task's own loop.
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
    """Run a flow to its end; execute each command with `do`."""
    with closing(flow):
        steps = Stepping(flow)
        for command in steps:
            with steps:
                steps.done = await do(command)
        return steps.result


async def stand_by(cache: CredentialCache, command: Wait | Pause | Ask) -> object:
    """Execute a command without HTTP in this task: wait, pause, or ask the store."""
    if isinstance(command, Ask):
        return await _asked(command, cache.policy.login_timeout)
    if isinstance(command, Wait):
        await _wait(cache, command)
    else:
        await anyio.sleep(command.seconds)
    return None


async def elsewhere(call: Callable[..., object], *arguments: object) -> object:
    """Call in a thread what may block, so that the event loop does not.

    A cancelled task does not wait for it. The thread has a limiter of its own: all threads of the
    default limiter may be waiting for the result of this one.
    """
    return await anyio.to_thread.run_sync(
        call, *arguments, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
    )


async def _asked(command: Ask, seconds: float) -> object:
    # Shielded: a cancelled leader must still end its lease, for which other processes wait.
    with anyio.fail_after(seconds, shield=True):
        if inspect.iscoroutinefunction(command.call):
            answer: object = await command.call(*command.arguments)
            return answer
        return await elsewhere(command.call, *command.arguments)


async def _wait(cache: CredentialCache, command: Wait) -> None:
    waiting = _waiting()
    if cache.watch(command.flight, waiting.wake):
        try:
            await waiting.wait(command.seconds)
        finally:
            cache.unwatch(command.flight, waiting.wake)


def _waiting() -> _InTrio | _InAsyncio:
    trio = sys.modules.get("trio")
    if trio is not None:  # first: if trio runs as a guest of asyncio, both are running
        with suppress(RuntimeError, AttributeError):  # another thread may be importing it
            return _InTrio(trio.lowlevel.current_trio_token().run_sync_soon)
    return _InAsyncio()


class _InTrio:
    """Lets a trio task wait until any thread or loop wakes it."""

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._soon = soon
        self._ended = anyio.Event()

    def wake(self) -> None:
        with suppress(RuntimeError):  # trio has ended, and its tasks with it
            self._soon(self._ended.set)

    async def wait(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._ended.wait()


class _InAsyncio:
    """The same for asyncio, with only a future: a thousand tasks may wait at once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()

    def wake(self) -> None:
        with suppress(RuntimeError):  # no loop runs in this thread
            if asyncio.get_running_loop() is self._loop:
                self._end()
                return
        with suppress(RuntimeError):  # the loop is closed, and its tasks with it
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    async def wait(self, seconds: float) -> None:
        late = self._loop.call_later(seconds, self._end)
        try:
            await self._ended
        finally:
            late.cancel()
