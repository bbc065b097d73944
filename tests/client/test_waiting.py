"""Tasks that wait for a renewal: a thousand may do so at once, in several loops."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import pytest

from relogin.client.driver import tasks
from relogin.client.httpx import SessionAuth
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Wait
from relogin.client.renewal.credential import Key
from relogin.client.renewal.flight import Flight, Status

KEY = Key("https://api.example.com:443", "")


@pytest.fixture
def cache() -> CredentialCache:
    return SessionAuth(lambda _: "token", "https://api.example.com")._cache


@pytest.fixture
def flight() -> Flight:
    return Flight(KEY, 60.0)


def test_tasks_of_one_loop_are_woken_by_one_call(cache: CredentialCache, flight: Flight) -> None:
    async def meet() -> None:
        waiting = [asyncio.create_task(wait(cache, flight)) for _ in range(100)]
        await asyncio.sleep(0)
        assert len(flight.wakers) == 1
        cache.end(flight, Status.GRANTED)
        await asyncio.gather(*waiting)

    async def main() -> None:
        await meet()
        loop: Any = asyncio.get_running_loop()
        assert all(timer.cancelled() for timer in loop._scheduled)

    asyncio.run(main())
    assert not flight.wakers
    assert not flight.gates


def test_a_cancelled_task_leaves_the_others_waiting(cache: CredentialCache, flight: Flight) -> None:
    async def meet() -> None:
        first, second = (asyncio.create_task(wait(cache, flight)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        assert not second.done()
        cache.end(flight, Status.GRANTED)
        await second

    asyncio.run(meet())


def test_a_task_that_is_cancelled_as_it_is_woken_disturbs_nobody(
    cache: CredentialCache, flight: Flight
) -> None:
    async def meet() -> None:
        first, second = (asyncio.create_task(wait(cache, flight)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        cache.end(flight, Status.GRANTED)
        await second
        assert first.cancelled()

    asyncio.run(meet())


@pytest.mark.parametrize("order", [(0.02, 0.2, 60.0), (60.0, 0.2, 0.02), (0.2, 0.02, 60.0)])
def test_each_task_gives_up_at_its_own_time(
    cache: CredentialCache, flight: Flight, order: tuple[float, ...]
) -> None:
    async def meet() -> list[float]:
        began, ended = time.monotonic(), []

        async def one(seconds: float) -> None:
            await wait(cache, flight, seconds)
            ended.append(seconds)
            assert time.monotonic() - began >= min(seconds, 0.2) - 0.02

        async with asyncio.TaskGroup() as group:
            for seconds in order:
                group.create_task(one(seconds))
            while len(ended) < 2:
                await asyncio.sleep(0.01)
            cache.end(flight, Status.GRANTED)
        return ended

    assert asyncio.run(meet()) == [0.02, 0.2, 60.0]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_nobody_waits_for_what_has_ended(
    cache: CredentialCache, flight: Flight, backend: str
) -> None:
    async def late() -> None:
        cache.end(flight, Status.GRANTED)
        with anyio.fail_after(10):
            await wait(cache, flight)

    anyio.run(late, backend=backend)


def test_who_comes_while_the_others_are_being_woken_does_not_wait(
    cache: CredentialCache, flight: Flight
) -> None:
    async def meet() -> None:
        waiting = asyncio.create_task(wait(cache, flight))
        await asyncio.sleep(0)
        cache.end(flight, Status.GRANTED)
        await asyncio.wait_for(wait(cache, flight), 10)
        await waiting

    asyncio.run(meet())


class PlainHandles(asyncio.SelectorEventLoop):
    """A loop whose timers are plain handles without a time, like those of qasync."""

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        handle = asyncio.Handle(callback, args, self, context)
        super().call_at(when, _call, handle)
        return handle


def _call(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def test_the_timers_of_a_loop_need_not_tell_their_time(
    cache: CredentialCache, flight: Flight
) -> None:
    async def meet() -> None:
        others = [asyncio.create_task(wait(cache, flight)) for _ in range(2)]
        await asyncio.wait_for(wait(cache, flight, 0.01), 10)
        assert not any(other.done() for other in others)
        cache.end(flight, Status.GRANTED)
        await asyncio.gather(*others)

    with asyncio.Runner(loop_factory=PlainHandles) as runner:
        runner.run(meet())
    assert not flight.gates


async def wait(cache: CredentialCache, flight: Flight, seconds: float = 60.0) -> None:
    await tasks.stand_by(cache, Wait(flight, seconds))
