"""One renewal under way: who waits for it, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from relogin.client.renewal.credential import Key
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.terms.grant import Grant

__all__ = ["Flight", "Status"]


class Status(Enum):
    """How a renewal ended, or that it has not."""

    RUNNING = auto()
    GRANTED = auto()
    DECLINED = auto()
    FAILED = auto()
    ABANDONED = auto()
    FORGOTTEN = auto()
    """The cache was reset meanwhile: whatever it brings belongs to what is forgotten."""


@dataclass(eq=False, slots=True)
class Flight:
    """One renewal: led by one request, joined by all others that meet the same dead session."""

    key: Key
    deadline: float
    attempt: int = 1
    previous: Grant | None = None
    version: int = 0
    """The version that is renewed, where there is a store."""
    fence: int | None = None
    """The number of the store's lease, while this renewal holds it."""
    scope: tuple[str, ...] = ()
    """The scopes that its login is asked for because challenges demand them."""
    led: bool = False
    """Whether it has come to a login."""
    status: Status = Status.RUNNING
    blocked: Blocked | None = None
    wakers: dict[Callable[[], object], None] = field(default_factory=dict)
    """What to call when it ends, for whoever waits; a dict, for they may be thousands."""
