"""What a login has done so far, as far as its client shows it: needed if the login fails."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from relogin.client.terms.grant import Grant

__all__ = ["CALLS", "Progress", "progress_here"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
G = TypeVar("G", bound="Grant | None")


class Progress:
    """What the requests of one login have done. `sends` is called before `answered`."""

    watched: bool = False
    """Whether somebody sees what the login sends."""
    opened: bool = False
    """Whether the login has asked for `context.http`."""
    sent: bool = False
    """Whether a request may have reached a server."""
    posted: bool = False
    """Whether a request that is not safe may have: it may have used a refresh token."""
    accepted: bool = False
    """Whether a server has accepted such a request."""
    newest: Grant | None = None
    """What a ready-made login has obtained, although the login that called it may still fail."""

    def __init__(self, *, spends: bool = False) -> None:
        self.spends = spends
        """Whether the login may use up a refresh token: then no request is sent twice."""

    def sends(self, method: str) -> None:
        """Remember that a request is about to reach a server."""
        self.sent = True
        self.posted |= method not in _SAFE

    def answered(self, method: str, status: int) -> None:
        """Remember the response to a request."""
        self.accepted |= method not in _SAFE and 200 <= status < 300

    def unknown(self) -> None:
        """Assume that everything was sent: nobody sees what this login sends."""
        self.sent = self.posted = True

    def may_have_sent(self, own_client: bool) -> bool:
        """Tell whether anything may have reached a server; logins may have an `own_client`."""
        return self.sent or (own_client and not self.opened)

    def may_have_posted(self, own_client: bool) -> bool:
        """Tell whether requests that are not safe may have reached a server."""
        return self.posted or not self.watched or (own_client and not self.opened)

    def keep(self, grant: G) -> G:
        """Remember a grant with a refresh token; return it."""
        if grant is not None and grant.token and grant.refresh:
            self.newest = grant
        return grant


CALLS: ContextVar[tuple[Any, ...]] = ContextVar("relogin: the logins in progress", default=())
"""What runs here, the innermost last: each a `logging_in` of `relogin.client.driver.reentry`."""


def progress_here() -> Progress | None:
    """Return the progress of the login that runs here, for the client that it gets."""
    calls = CALLS.get()
    return calls[-1].progress if calls else None
