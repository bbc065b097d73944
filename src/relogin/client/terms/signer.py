"""Signing each request by itself: for schemes whose answer depends on what is sent."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Outgoing", "Signer"]

_target = re.compile(r"[^:]*+://[^/?#]*+([^#]*+)").match


@dataclass(slots=True, repr=False)
class Outgoing:
    """A request on its way out, as a `Signer` sees it: `method`, `url`, `headers` and content.

    `headers` are read in any case; they are those that the library has written by now.

    >>> Outgoing("GET", "https://api.example.com/orders?id=1#top", {}).target
    '/orders?id=1'
    """

    method: str
    url: str
    headers: Mapping[str, str]
    read: Callable[[], Iterable[bytes] | None] = lambda: ()

    @property
    def target(self) -> str:
        """The request-target as it goes on the wire: path and query (RFC 9112 §3.2.1)."""
        found = _target(self.url)
        path = "" if found is None else found[1]
        return path if path.startswith("/") else f"/{path}"

    def content(self) -> Iterable[bytes] | None:
        """Read the content once, piece by piece, before it is sent.

        A file is read and put back to where it was. `None` where nothing can be read twice: a
        generator, a pipe, an asynchronous body. Without content there are no pieces.
        """
        return self.read()


class Signer(ABC):
    """Signs the requests of one grant, each by itself; shared between threads and tasks."""

    @abstractmethod
    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        """Return the header fields that sign this transmission; `None` where that cannot be done.

        It is called for each transmission, also for the second one after a 401. A request that
        cannot be signed is sent unsigned.
        """

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:  # noqa: B027
        """Look at the header fields of an accepted request and of its answer; most need not.

        Raise `relogin.LoginUnavailable` for an answer that is not the server's.
        """

    def join(self, current: Signer) -> None:  # noqa: B027
        """Share what it has with the signer in use so far for the same account; most need not.

        It is called where a challenge is answered with a new grant, though the old one may live.
        """
