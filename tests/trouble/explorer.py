"""Every order of events in a small world, each state visited once.

    python -m tests.trouble.explorer --processes 3 --deaths 2 --crashes 1 --expiries 1

A generator cannot be copied, so a state is reached by playing its moves again from the beginning.
Two states are the same if everything in them is: what the flow's generators hold is compared too.
Which process is which makes no difference; and a step that no other process can see, nor hinder, is
made at once (`World.moves`).
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import secrets
import sys
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import Enum
from functools import cache
from inspect import get_annotations
from itertools import chain, count
from types import FunctionType, GeneratorType, MethodType
from typing import Any
from unittest.mock import patch

from relogin.client.renewal.policy import Policy
from tests.trouble.bounds import Bounds
from tests.trouble.world import LawBroken, Move, Request, World

__all__ = ["Explored", "explore", "main", "nothing_random"]


@dataclass
class Explored:
    """How much was tried, and the shortest way to a broken law that was found."""

    states: int = 0
    ends: int = 0
    broken: str | None = None
    moves: tuple[Move, ...] = ()

    def __str__(self) -> str:
        text = f"{self.states} states, {self.ends} of them ends"
        if self.broken is not None:
            text += f"\n{self.broken}:\n" + "\n".join(f"  {m.what} {m.whom}" for m in self.moves)
        return text


def explore(bounds: Bounds, most: int = sys.maxsize) -> Explored:
    """Visit every state within bounds, or so many; stop at the first law that is broken."""
    explored, known = Explored(), set[int]()
    with nothing_random():
        pending: list[tuple[Move, ...]] = [()]
        while pending and explored.states < most:
            moves = pending.pop()
            try:
                _visit(bounds, moves, known, pending, explored)
            except LawBroken as broken:
                explored.broken = str(broken)
                break
    return explored


def _visit(
    bounds: Bounds,
    moves: tuple[Move, ...],
    known: set[int],
    pending: list[tuple[Move, ...]],
    explored: Explored,
) -> None:
    """Play some moves again, then go on by first moves until a state is known already."""
    explored.moves = moves
    world = World(bounds)
    for move in moves:
        world.make(move)
    while True:
        state = hash(_same(world))
        if state in known:
            return
        known.add(state)
        explored.states += 1
        possible = world.moves()
        if not possible:
            explored.ends += 1
            world.check_end()
            return
        pending += [(*moves, move) for move in possible[1:]]
        moves = (*moves, possible[0])
        explored.moves = moves
        world.make(possible[0])


@contextmanager
def nothing_random() -> Iterator[None]:
    """Let the moves alone decide what happens, and be silent about it."""
    leases = count()
    with (
        patch.object(logging.getLogger("relogin.client"), "disabled", new=True),
        patch.object(random, "uniform", lambda low, high: low),
        patch.object(secrets, "token_hex", lambda octets: f"lease{next(leases)};"),
    ):
        yield


class _Seen(dict[int, int]):
    """The objects that were met, and the `leases`, each of which is renamed when it is met."""

    def __init__(self, *known: object) -> None:
        super().__init__((id(one), number) for number, one in enumerate(known))
        self.leases: dict[str, str] = {}

    def renamed(self, text: str) -> str:
        return _LEASE.sub(self._name, text)

    def _name(self, lease: re.Match[str]) -> str:
        return self.leases.setdefault(lease[0], f"#{len(self.leases)}")


_LEASE = re.compile("lease[0-9]+;")


def _same(world: World) -> Hashable:
    shared, seen = [world, world.clock, world.store, world.server], _Seen(world, world.clock)
    of_all = [_comparable(one, seen) for one in shared[2:]]
    processes = sorted(_alone(process, shared) for process in world.processes)
    leases = [[seen.renamed(lease) for lease in met] for _, met in processes]
    counts = (world.deaths, world.crashes, world.expiries)
    mishaps = (world.cancels, world.failures, world.losses)
    of_store = (world.resets, world.reverts, world.setbacks)
    of_each = [process for process, _ in processes]
    return (counts, mishaps, of_store, world.clock.now, *of_all, *of_each, str(leases))


def _alone(process: list[Request], shared: list[Any]) -> tuple[int, list[str]]:
    """Tell what a process is, apart from which leases it has met: those are the second part."""
    seen = _Seen(*shared)
    return hash(_comparable(process, seen)), list(seen.leases)


def _comparable(value: Any, seen: _Seen) -> Hashable:
    """Turn a value into one that compares equal wherever the value makes no difference."""
    if isinstance(value, str):
        return seen.renamed(value)
    if value is None or isinstance(value, bool | int | float | bytes | Enum):
        return value
    if id(value) in seen:
        return ("again", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, Mapping):
        return tuple((_comparable(k, seen), _comparable(v, seen)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return tuple(_comparable(one, seen) for one in value)
    if isinstance(value, set | frozenset):
        return tuple(sorted(map(str, value)))
    if isinstance(value, GeneratorType):
        return _generator(value, seen)
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value))
    return (type(value).__name__, *(_comparable(part, seen) for part in _parts(value)))


def _generator(value: GeneratorType[Any, Any, Any], seen: _Seen) -> Hashable:
    frame = value.gi_frame
    if frame is None:
        return ("ended", value.__qualname__)
    within = _comparable(value.gi_yieldfrom, seen)
    return (value.__qualname__, frame.f_lasti, _comparable(frame.f_locals, seen), within)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Policy):  # the same for all, and it never changes
        return
    if isinstance(value, FunctionType | MethodType):
        yield value.__qualname__
        yield from (cell.cell_contents for cell in getattr(value, "__closure__", None) or ())
    elif names := _attributes(value):
        yield from (getattr(value, name, None) for name in names)
    else:  # a lock, a counter: what shows of it
        yield repr(value) if "count" in type(value).__name__ else None


def _attributes(value: Any) -> list[str]:
    """Return the names of what an object holds, also of what its class alone has so far."""
    kind: Any = type(value)  # mypy takes no class for hashable
    return sorted(_named(kind).union(getattr(value, "__dict__", ())))


@cache
def _named(kind: type) -> frozenset[str]:
    named = ((*getattr(one, "__slots__", ()), *get_annotations(one)) for one in kind.__mro__)
    return frozenset(chain.from_iterable(named))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in asdict(Bounds()).items():
        # A bool is an int, but "--stored False" would be read as true.
        flag = (
            {"action": argparse.BooleanOptionalAction} if isinstance(usual, bool) else {"type": int}
        )
        parser.add_argument(f"--{name}", default=usual, **flag)
    parser.add_argument("--most", type=int, default=sys.maxsize, help="states to visit at most")
    given = vars(parser.parse_args(arguments))
    most, began = given.pop("most"), time.monotonic()
    explored = explore(Bounds(**given), most)
    print(f"{explored}\n{time.monotonic() - began:.1f} s")
    sys.exit(explored.broken is not None)


if __name__ == "__main__":
    main()
