"""Stepping a flow: what comes of a command, also what interrupts it, goes back into the flow."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.flow import Ask, Command, Pause, Wait

__all__ = ["Stepping", "drive", "stand_by", "wait"]

C = TypeVar("C")
T = TypeVar("T")


class Stepping(Generic[C, T]):
    """Takes a flow from each command to the next, however its driver does them.

    An exception of a command is thrown into the flow, which alone knows what it means; one that
    comes between two commands closes it, so that no renewal is left without a leader::

        with closing(flow):
            steps = Stepping(flow)
            for command in steps:
                with steps:
                    steps.done = do(command)  # or await it, or yield it
            return steps.result
    """

    result: T
    """What the flow returned."""

    def __init__(self, flow: Generator[C, Any, T]) -> None:
        self.done: object = None
        self._flow = flow
        self._go_on: Callable[[], C] = partial(next, flow)

    def __iter__(self) -> Iterator[C]:
        return self

    def __next__(self) -> C:
        self.done, go_on = None, self._go_on
        del self._go_on
        try:
            return go_on()
        except StopIteration as end:
            self.result = end.value
            raise
        finally:
            del go_on  # it may hold the very exception whose traceback holds this frame

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: object, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None:
            self._go_on = partial(self._flow.send, self.done)
        else:
            self._go_on = partial(self._flow.throw, error)
        return True  # whatever it is, the flow decides


def drive(flow: Generator[C, Any, T], do: Callable[[C], object]) -> T:
    """Run a flow to its end, doing each command with `do`."""
    with closing(flow):
        steps = Stepping(flow)
        for command in steps:
            with steps:
                steps.done = do(command)
        return steps.result


def stand_by(cache: CredentialCache, command: Command) -> object:
    """Do in this thread what needs no HTTP: wait for a flight or a moment, ask the store."""
    if isinstance(command, Ask):
        return _asked(command)
    if isinstance(command, Pause):
        time.sleep(command.seconds)
    elif isinstance(command, Wait):  # pragma: no branch - the drivers do all others
        wait(cache, command)
    return None


def _asked(command: Ask) -> object:
    answer = command.call(*command.arguments)
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("an asynchronous store needs an asynchronous client")
    return answer


def wait(cache: CredentialCache, command: Wait) -> None:
    """Block this thread until the flight that it waits for has ended, or the time is over."""
    ended = threading.Event()
    if cache.watch(command.flight, ended.set):
        try:
            ended.wait(command.seconds)
        finally:
            cache.unwatch(command.flight, ended.set)
