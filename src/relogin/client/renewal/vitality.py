"""Whether a session is due to be renewed, and who is asking now whether it lives."""

from __future__ import annotations

import threading
from math import inf

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Decision, ResponseInfo

__all__ = ["Question", "Vitality"]


class Question(Flight):
    """The check whether a session lives: one request asks, for all that wait."""

    answer: tuple[ResponseInfo, Decision] | None = None
    """The response and the decision about it, if the session was refused."""


class Vitality:
    """The checks in progress. Its lock is held for dictionary work only."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all checks: after a fork, none is running here."""
        self._lock = threading.Lock()
        self._asking: dict[Key, Question] = {}

    def is_due(self, credential: Credential, now: float, *, precious: bool) -> bool:
        """Tell whether to renew a session before the next request.

        For a `precious` request, which is long or cannot be sent twice, renew it earlier by a
        quarter of its lifetime, or if it was not seen alive for a whole lifetime.
        """
        lifetime = credential.grant.expires_in or 0.0
        if credential.renew_at is not None:
            return now >= credential.renew_at - (lifetime / 4 if precious else 0.0)
        return precious and 0 < lifetime < now - credential.life.seen < inf

    def join(self, mine: Question, now: float) -> Question:
        """Return the check to wait for: that of another request, or `mine` to lead."""
        with self._lock:
            asked = self._asking.get(mine.key)
            if asked is None or asked.status is not Status.RUNNING or now >= asked.deadline:
                asked = self._asking[mine.key] = mine
            return asked
