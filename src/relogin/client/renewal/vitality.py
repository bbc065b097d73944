"""When each session was last seen alive, and who is asking about it now."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import inf

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Decision, ResponseInfo

__all__ = ["Question", "Vitality"]

# A server could name any number of realms. A forgotten session is checked again.
_MOST_REALMS = 64


@dataclass(slots=True, eq=False, repr=False)
class Question(Flight):
    """The check whether a session lives: one request asks, for all that wait."""

    answer: tuple[ResponseInfo, Decision] | None = None
    """The response and the decision about it, if the session was refused."""


class Vitality:
    """When sessions were last seen alive. Its lock is held for dictionary work only."""

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[int, float]] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all checks: after a fork, none is running here."""
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
        """Tell whether to renew a session before the next request.

        For a `precious` request, which is long or cannot be sent twice, renew it earlier by a
        quarter of its lifetime, or if it was not seen alive for a whole lifetime.
        """
        lifetime = credential.grant.expires_in or 0.0
        if credential.renew_at is not None:
            return now >= credential.renew_at - (lifetime / 4 if precious else 0.0)
        return precious and 0 < lifetime < now - self.last_seen(credential) < inf

    def join(self, mine: Question, now: float) -> Question:
        """Return the check to wait for: that of another request, or `mine` to lead."""
        with self._lock:
            asked = self._asking.get(mine.key)
            if asked is None or asked.status is not Status.RUNNING or now >= asked.deadline:
                asked = self._asking[mine.key] = mine
            return asked
