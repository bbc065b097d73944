"""One renewal in progress: who waits for it, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from relogin.client.renewal.credential import Key
from relogin.client.renewal.protection_spaces import Blocked, ProtectionSpace
from relogin.client.renewal.scopes import Demands
from relogin.client.terms.grant import Grant
from relogin.client.terms.progress import Progress

if TYPE_CHECKING:
    from relogin.client.stores.record import Version

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


class Flight:
    """One renewal: led by one request, joined by all others that meet the same dead session."""

    is_open: bool = True
    """Whether it may have a leader, or waiters that were not woken yet."""
    attempt: int = 1
    previous: Grant | None = None
    version: Version | None = None
    """The version to renew, if it is of a store."""
    lease: Version | None = None
    """The store's lease, while this renewal holds it."""
    demands: Demands | None = None
    """The scopes that its realm has demanded."""
    scope: tuple[str, ...] = ()
    """The scopes that its login must ask for, because challenges demand them."""
    led: bool = False
    """Whether a login was called."""
    began: float | None = None
    """When it took its place in the budget, if it has one."""
    progress: Progress | None = None
    """What its login has done, once there is one."""
    status: Status = Status.RUNNING
    blocked: Blocked | None = None

    def __init__(self, key: Key, deadline: float = 0.0) -> None:
        self.key = key
        self.deadline = deadline
        self.wakers: dict[Callable[[], object], None] = {}
        """What to call when it ends. A dict, because thousands may wait."""
        self.gates: dict[object, Any] = {}
        """Where the tasks of a loop wait for it, by loop; only tasks of that loop look here."""

    def may_end(self, latest: Flight | None) -> bool:
        """Tell whether the grant of this renewal serves the one that has overtaken it, too.

        A later renewal gives way as long as it waits for its turn: while a store is slow, one
        renewal after another overtakes the one before.
        """
        waits = latest is not None and not latest.led
        return waits and self.began is not None and self.status is Status.RUNNING

    @property
    def newest(self) -> Grant | None:
        """What its login had obtained before it failed."""
        return None if self.progress is None else self.progress.newest

    def has_spent(self, *, own_client: bool) -> bool:
        """Tell whether its login may have used the refresh token, perhaps with an `own_client`."""
        return self.progress is not None and self.progress.may_have_posted(own_client)

    def was_cancelled(self, space: ProtectionSpace, *, leads: bool, own_client: bool) -> None:
        """Take it out of the budget again if its login has sent nothing.

        If it still `leads`, keep no refresh token that it may have used.
        """
        done = self.progress
        space.refund(self.began, sent=done is not None and done.may_have_sent(own_client))
        if leads:
            self.leave_refresh_token(space, own_client=own_client)

    def leave_refresh_token(self, space: ProtectionSpace, *, own_client: bool) -> None:
        """Leave the refresh token to the next login, unless this one may have used it."""
        self.keep_refresh_token(space, spent=self.has_spent(own_client=own_client))

    def keep_refresh_token(self, space: ProtectionSpace, *, spent: bool) -> None:
        """After a failed login, keep the newest refresh token, or none if the last is `spent`."""
        space.keep_refresh_token(self.newest, spent=spent)
