"""Waiting in a task of asyncio or trio, as `relogin.client.driver.drive` does in a thread.

Tasks of several loops and threads can share one cache, so a renewal wakes each waiting task through
the task's own loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import closing, suppress
from math import inf
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from relogin.client.driver.drive import Stepping
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Pause, Wait
from relogin.client.renewal.flight import Status

__all__ = ["drive", "elsewhere", "settle", "stand_by"]

_RUNNING = Status.RUNNING  # before Python 3.12, each look at a member of an enum is slow

T = TypeVar("T")
Do = TypeVar("Do")


async def drive(flow: Generator[Do, Any, T], do: Callable[[Do], Awaitable[object]]) -> T:
    """Run a flow to its end; execute each command with `do`."""
    with closing(flow):
        steps = Stepping(flow)
        try:
            for command in steps:
                with steps:
                    steps.done = await do(command)
        except Exception:  # whatever the flow raises, a cancellation takes its place
            await settle()
            raise
        await settle()
        return steps.result


async def settle() -> None:
    """Let this task see a cancellation that came while it asked the store, before a flow ends.

    Else it would come in whatever the task awaits next, and `asyncio.timeout` would not know it.
    """
    if _is_in_asyncio() and asyncio.current_task().cancelling():  # type: ignore[union-attr]
        await asyncio.sleep(0)


def stand_by(cache: CredentialCache, command: Wait | Pause | Ask) -> Awaitable[object]:
    """Execute a command without HTTP in this task: wait, pause, or ask the store.

    It only chooses what to await: a thousand tasks may wait, and each would keep its frame.
    """
    if isinstance(command, Ask):
        return _asked(command, cache.policy.login_timeout)
    if isinstance(command, Pause):
        return anyio.sleep(command.seconds)
    return _wait_in_asyncio(cache, command) if _is_in_asyncio() else _wait_in_trio(cache, command)


async def elsewhere(call: Callable[..., object], *arguments: object) -> object:
    """Call in a thread what may block, so that the event loop does not.

    A cancelled task does not wait for it. The thread has a limiter of its own: all threads of the
    default limiter may be waiting for the result of this one.
    """
    return await anyio.to_thread.run_sync(
        call, *arguments, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
    )


async def _asked(command: Ask, seconds: float) -> object:
    # A cancelled leader must still end its lease, for which other processes wait.
    asking = _asking(command, seconds)
    if command.even_if_cancelled and _is_in_asyncio():
        return await _to_its_end(asking)
    return await asking


async def _asking(command: Ask, seconds: float) -> object:
    with anyio.fail_after(seconds, shield=command.even_if_cancelled):
        if inspect.iscoroutinefunction(command.call):
            answer: object = await command.call(*command.arguments)
            return answer
        return await elsewhere(command.call, *command.arguments)


async def _to_its_end(call: Coroutine[Any, Any, object]) -> object:
    """Await a call to its end although this task of asyncio is cancelled; then cancel it again.

    No shield of anyio keeps out `Task.cancel`, which the timeouts of asyncio use. The flow needs
    the result: a leader must know of its lease to end it.
    """
    this: Any = asyncio.current_task()
    asked, reason = asyncio.create_task(call), None
    with anyio.CancelScope(shield=True):
        while not asked.done():
            try:
                await asyncio.wait({asked})
            except asyncio.CancelledError as cancelled:
                reason = cancelled.args
    if reason is not None:
        this.uncancel()  # or a timeout would count one cancellation twice
        this.cancel(*reason)
    return asked.result()


def _is_in_asyncio() -> bool:
    """Tell whether this task is of asyncio; if trio runs as a guest of asyncio, its tasks are not.

    To ask trio first would raise an exception in each task of asyncio, which is slow.
    """
    try:
        return asyncio.current_task() is not None
    except RuntimeError:  # no loop of asyncio runs in this thread
        return False


async def _wait_in_trio(cache: CredentialCache, command: Wait) -> None:
    import trio

    soon, ended = trio.lowlevel.current_trio_token().run_sync_soon, trio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # trio has ended, and its tasks with it
            soon(ended.set)

    if cache.watch(command.flight, wake):
        try:
            with anyio.move_on_after(command.seconds):
                await ended.wait()
        finally:
            cache.unwatch(command.flight, wake)


async def _wait_in_asyncio(cache: CredentialCache, command: Wait) -> None:
    loop, flight = asyncio.get_running_loop(), command.flight
    gate = flight.gates.get(loop)
    if gate is None:
        gate = _Gate(loop)
        if not cache.watch(flight, gate.open):
            return
        flight.gates[loop] = gate
    elif flight.status is not _RUNNING:
        return
    mine = gate.enter(command.seconds)
    try:
        await mine
    finally:
        if gate.leave(mine):
            del flight.gates[loop]
            cache.unwatch(flight, gate.open)


# In seconds. A task may wait this much too long, so that those that came together share a timer.
_LENIENCE = 0.01


class _Gate:
    """Where all tasks of one asyncio loop wait for one flight: a thousand may wait at once.

    Each has a future of its own, because cancelling a task cancels what it waits for. They share
    what the flight calls at its end, and the timer of the task that gives up next.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[asyncio.Future[None], float] = {}
        self._timer: asyncio.Handle | None = None
        self._due = inf  # when the timer ends: loops of Qt make timers that cannot tell

    def enter(self, seconds: float) -> asyncio.Future[None]:
        """Return what to await until the gate is opened, but not longer than this."""
        until, mine = self._loop.time() + seconds, self._loop.create_future()
        self._waiting[mine] = until
        if until < self._due - _LENIENCE:
            self._wake_at(until)
        return mine

    def leave(self, mine: asyncio.Future[None]) -> bool:
        """Wait no longer; tell whether no task waits here any more."""
        del self._waiting[mine]
        if self._waiting:
            return False
        self._wake_at(inf)
        return True

    def open(self) -> None:
        """Let all go on; any thread may call this."""
        with suppress(RuntimeError):  # no loop runs in this thread
            if asyncio.get_running_loop() is self._loop:
                self._let_go(inf)
                return
        with suppress(RuntimeError):  # the loop is closed, and its tasks with it
            self._loop.call_soon_threadsafe(self._let_go, inf)

    def _let_go(self, latest: float) -> None:
        for future, until in self._waiting.items():
            if until <= latest and not future.done():
                future.set_result(None)

    def _wake_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = moment
        self._timer = None if moment == inf else self._loop.call_at(moment, self._wake)

    def _wake(self) -> None:
        """Let those go whose time is over, and wait for the next."""
        latest = self._loop.time() + _LENIENCE
        self._let_go(latest)
        later = (until for until in self._waiting.values() if until > latest)
        self._wake_at(min(later, default=inf))
