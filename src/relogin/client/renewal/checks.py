"""The check whether a session lives."""

from __future__ import annotations

from relogin.client.renewal.flight import Flight
from relogin.client.renewal.policy import Decision, ResponseInfo

__all__ = ["PendingCheck"]


class PendingCheck(Flight):
    """The check whether a session lives: one request asks, for all that wait."""

    answer: tuple[ResponseInfo, Decision] | None = None
    """The response and the decision about it, if the session was refused."""
