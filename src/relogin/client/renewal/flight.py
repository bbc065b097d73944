"""One renewal in progress: who waits for it, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from relogin.client.renewal.credential import Key
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.terms.grant import Grant

__all__ = ["Flight", "Status"]


class Status(Enum):
    """How a renewal ended, or that it is running."""

    RUNNING = auto()
    GRANTED = auto()
    DECLINED = auto()
    FAILED = auto()
    ABANDONED = auto()
    FORGOTTEN = auto()
    """The cache was reset meanwhile; the result is discarded."""


@dataclass(eq=False, slots=True)
class Flight:
    """One renewal: led by one request, joined by all others that meet the same dead session."""

    key: Key
    deadline: float
    attempt: int = 1
    previous: Grant | None = None
    version: int = 0
    """The version to renew, if there is a store."""
    fence: int | None = None
    """The fencing token of the store's lease, while this renewal holds it."""
    scope: tuple[str, ...] = ()
    """The scopes that its login must ask for, because challenges demand them."""
    led: bool = False
    """Whether a login was called."""
    status: Status = Status.RUNNING
    blocked: Blocked | None = None
    wakers: dict[Callable[[], object], None] = field(default_factory=dict)
    """What to call when it ends. A dict, because thousands may wait."""
    gates: dict[object, Any] = field(default_factory=dict)
    """Where the tasks of an event loop wait for it, by loop; only tasks of that loop look here."""
