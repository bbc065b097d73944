"""One order of events at random, in a world too large to try them all.

The explorer visits every order for two or three requests and one kind of trouble. A walk takes one
order for many requests, and all kinds at once.
"""

from __future__ import annotations

from random import Random

from tests.trouble.bounds import Bounds
from tests.trouble.world import LawBroken, Move, World

__all__ = ["walk"]

_MOST_MOVES = 3000
_EXPIRY = Move("expiry")
# How often all may poll for a lease in vain before time runs on; else the clock stands still.
_MOST_POLLS = 60


def walk(bounds: Bounds, seed: int) -> None:
    """Make moves at random until every request has ended; raise `LawBroken` if one breaks a law."""
    world, random, polls = World(bounds), Random(seed), 0
    for _ in range(_MOST_MOVES):
        possible = world.moves()
        if not possible:
            world.check_end()
            return
        if possible == [_EXPIRY] and not _may_wait(world):
            raise LawBroken("all wait, and nobody is at work")
        polls = polls + 1 if _only_polls(world, possible) else 0
        late = polls > _MOST_POLLS
        world.make(_EXPIRY if late else random.choice(possible))
        polls = 0 if late else polls
    raise LawBroken("the requests do not end")


def _may_wait(world: World) -> bool:
    """Tell whether a lease or a renewal may have lost its owner."""
    of_processes = world.crashes + world.failures + world.losses
    return bool(of_processes + world.resets + world.reverts + world.setbacks)


def _only_polls(world: World, possible: list[Move]) -> bool:
    doings = [world.requests[move.whom].doing for move in possible if move.what == "go"]
    return all(doing == "pause" or doing.startswith("ask ") for doing in doings)
