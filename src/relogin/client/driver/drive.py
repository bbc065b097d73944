"""Stepping a flow: what comes of a command, also what interrupts it, goes back into the flow."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.flow import Ask, Command, Pause, Wait

__all__ = ["drive", "stand_by", "wait"]

T = TypeVar("T")


def drive(flow: Generator[Command, Any, T], do: Callable[[Command], object]) -> T:
    """Run a flow to its end, doing each command with `do`.

    An exception of a command is thrown into the flow, which alone knows what it means; one that
    comes between two commands closes it, so that no renewal is left without a leader.
    """
    try:
        command = next(flow)
        while True:
            try:
                done = do(command)
            except BaseException as error:  # noqa: BLE001 - the flow decides, and re-raises
                command = flow.throw(error)
            else:
                command = flow.send(done)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        flow.close()


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
