"""When each session was last seen alive, and who is asking about it now."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import inf

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Decision, ResponseInfo

__all__ = ["Question", "Vitality"]

# A server may name realms without end. What is forgotten is asked about once more.
_MOST_REALMS = 64


@dataclass(eq=False, slots=True)
class Question(Flight):
    """Whether a session lives: asked by one request, for all that wait for the answer."""

    answer: tuple[ResponseInfo, Decision] | None = None
    """The refusal and what it asks for, if it was one."""


class Vitality:
    """What is known of the sessions of one principal. Its lock is held for dictionary work only."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[int, float]] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget who is asking: after a fork, nobody here is."""
        self._lock = threading.Lock()
        self._asking: dict[Key, Question] = {}

    def seen(self, credential: Credential, now: float) -> None:
        """Remember that a server has accepted a session at this moment of the cache's clock."""
        if len(self._seen) >= _MOST_REALMS:
            self._seen.clear()
        self._seen[credential.key] = credential.generation, now

    def last_seen(self, credential: Credential) -> float:
        """Return when a session was last seen alive, or long ago."""
        generation, moment = self._seen.get(credential.key, (0, -inf))
        return moment if generation == credential.generation else -inf

    def is_due(self, credential: Credential, now: float, *, precious: bool) -> bool:
        """Tell whether a session is to be renewed before the next request.

        One whose request is `precious`, because it is long or cannot be sent twice, is renewed
        earlier by a quarter of its lifetime; and after a whole one in which nobody saw it alive.
        """
        lifetime = credential.grant.expires_in or 0.0
        if credential.renew_at is not None:
            return now >= credential.renew_at - (lifetime / 4 if precious else 0.0)
        return precious and 0 < lifetime < now - self.last_seen(credential) < inf

    def join(self, mine: Question, now: float) -> Question:
        """Find who asks about a session: another request, or `mine`."""
        with self._lock:
            asked = self._asking.get(mine.key)
            if asked is None or asked.status is not Status.RUNNING or now >= asked.deadline:
                asked = self._asking[mine.key] = mine
            return asked
