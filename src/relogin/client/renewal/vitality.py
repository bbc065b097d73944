"""When each session was last seen alive, and who is asking about it now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import ResponseInfo

__all__ = ["Question", "Vitality"]

# A server may name realms without end. What is forgotten is asked about once more.
_MOST_REALMS = 64


@dataclass(eq=False, slots=True)
class Question(Flight):
    """Whether a session lives: asked by one request, for all that wait for the answer."""

    answer: ResponseInfo | None = None
    """The refusal, if it was one."""


class Vitality:
    """What is known of the sessions of one principal. Its lock is held for dictionary work only."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[Key, tuple[int, float]] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget who is asking: after a fork, nobody here is."""
        self._lock = threading.Lock()
        self._asking: dict[Key, Question] = {}

    def seen(self, credential: Credential) -> None:
        """Remember that a server has accepted a session just now."""
        if len(self._seen) >= _MOST_REALMS:
            self._seen.clear()
        self._seen[credential.key] = credential.generation, self._clock()

    def last_seen(self, credential: Credential) -> float:
        """Return when a session was last seen alive, on the cache's clock; or long ago."""
        generation, moment = self._seen.get(credential.key, (0, -inf))
        return moment if generation == credential.generation else -inf

    def join(self, mine: Question) -> Question:
        """Find who asks about a session: another request, or `mine`."""
        with self._lock:
            asked = self._asking.get(mine.key)
            if asked is None or asked.status is not Status.RUNNING or self._is_late(asked):
                asked = self._asking[mine.key] = mine
            return asked

    def _is_late(self, asked: Question) -> bool:
        return self._clock() >= asked.deadline
