"""Stepping a flow: what comes of a command, also what interrupts it, goes back into the flow."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from reauth.client.flow import Command

__all__ = ["drive"]

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
