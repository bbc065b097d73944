"""Running a flow: the result of each command, or its exception, goes back into the flow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from types import CoroutineType
from typing import Any, Generic, TypeVar

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask, Command, Pause, Wait

__all__ = ["Stepping", "drive", "stand_by", "wait"]

C = TypeVar("C")
T = TypeVar("T")


class Stepping(Generic[C, T]):
    """Runs a flow from command to command; the driver executes the commands.

    An exception of a command is thrown into the flow, which knows what to do. An exception between
    two commands closes the flow, so that no renewal is left without a leader::

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
        self._failed: BaseException | None = None
        self._flow = flow

    def __iter__(self) -> Iterator[C]:
        flow = self._flow
        try:
            command = next(flow)
            while True:
                yield command
                if self._failed is None:
                    command = flow.send(self.done)
                else:
                    command = flow.throw(self._taken())
        except StopIteration as end:
            self.result = end.value

    def _taken(self) -> Any:
        # In a frame of its own, because the traceback of the failure holds the driver's frame.
        failed, self._failed = self._failed, None
        return failed

    def __enter__(self) -> None:
        self.done = None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        self._failed = error
        return True  # the flow decides, whatever the exception is


def drive(flow: Generator[C, Any, T], do: Callable[[C], object]) -> T:
    """Run a flow to its end; execute each command with `do`.

    It does the same as `Stepping`, in one frame.
    """
    done: object = None
    failed: BaseException | None = None
    try:
        while True:
            command = flow.send(done) if failed is None else flow.throw(failed)
            try:
                done, failed = do(command), None
            except BaseException as error:  # noqa: BLE001 - the flow decides, whatever it is
                failed = error
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        failed = None  # its traceback holds this frame
        flow.close()


def stand_by(cache: CredentialCache, command: Command) -> object:
    """Execute a command without HTTP in this thread: wait, pause, or ask the store."""
    if isinstance(command, Ask):
        return _asked(command)
    if isinstance(command, Pause):
        time.sleep(command.seconds)
    elif isinstance(command, Wait):  # pragma: no branch - the drivers execute all others
        wait(cache, command)
    return None


def _asked(command: Ask) -> object:
    answer = command.call(*command.arguments)
    if isinstance(answer, CoroutineType):
        answer.close()
        raise TypeError("an asynchronous store needs an asynchronous client")
    return answer


def wait(cache: CredentialCache, command: Wait) -> None:
    """Block this thread until the flight has ended, or the time is over."""
    ended = threading.Event()
    if cache.watch(command.flight, ended.set):
        try:
            ended.wait(command.seconds)
        finally:
            cache.unwatch(command.flight, ended.set)
