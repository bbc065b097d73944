"""What is done to a fleet and its servers on purpose, drawn from a seed."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from tests.trouble.clock import Clock
from tests.trouble.explained import Strike
from tests.trouble.fleet import Fleet
from tests.trouble.servers import Server
from tests.trouble.stores import Fault, Store

__all__ = ["Faults"]

# In seconds: less and more than a lease lasts, and than the clock may be set back unnoticed.
_STEPS = (-7200, -40, -2, 2, 40, 7200)


class Faults:
    """Each call of `strike` does one thing; `count` says how often each was done."""

    def __init__(
        self, fleet: Fleet, servers: list[Server], store: Store, clock: Clock | None, seed: int
    ) -> None:
        self.count: Counter[str] = Counter()
        self.strikes: list[Strike] = []
        self.failed: list[str] = []
        self._random = random.Random(seed)
        self._fleet = fleet
        self._servers = servers
        self._clock = clock
        common: list[tuple[str, Callable[[], None]]] = [("death", self.death)] * 6
        common += [("kill", self._kill), ("stop", self._stop), ("fork", self._fork)]
        if clock is not None:
            common.append(("step of the clock", self._step))
        self._all = [Fault(name, do) for name, do in common] + store.faults

    def strike(self) -> None:
        """Do one thing."""
        fault, began = self._random.choice(self._all), time.monotonic()
        self.count[fault.name] += 1
        try:
            fault.do()
        except Exception as error:  # noqa: BLE001 - an hour is not lost for it, and it is told
            self.failed.append(f"{fault.name}: {type(error).__name__}: {error}")
        self.strikes.append(Strike(fault.name, began, time.monotonic(), fault.away))

    def pause(self) -> float:
        """Draw how many seconds pass until the next one."""
        return self._random.uniform(0.1, 1.0)

    def death(self) -> None:
        """End every session of a server."""
        self._random.choice(self._servers).death()

    def _kill(self) -> None:
        self._fleet.kill(self._random)

    def _stop(self) -> None:  # often for longer than a lease lasts
        self._fleet.stop_for(self._random, self._random.uniform(0.5, 5.0))

    def _fork(self) -> None:
        self._fleet.fork(self._random)

    def _step(self) -> None:
        assert self._clock is not None
        self._clock.step(self._random.choice(_STEPS))
