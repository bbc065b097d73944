"""Signing each request, for schemes whose answer depends on the request."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from relogin.wire.model import Challenge

__all__ = ["Outgoing", "Signer"]

_target = re.compile(r"[^:]*+://[^/?#]*+([^#]*+)").match


@dataclass(slots=True, eq=False, repr=False)
class Outgoing:
    """A request to sign, as a `Signer` sees it: `method`, `url`, `headers` and content.

    `headers` are those that the library has written so far; names are case-insensitive.

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

        A file is read and then put back to its position. Returns `None` for content that cannot be
        read twice, such as a generator, a pipe or an asynchronous body, and no pieces if there is
        no content.
        """
        return self.read()


class Signer(ABC):
    """Signs each request of one grant. Threads and tasks share it.

    >>> class KeySigner(Signer):
    ...     def sign(self, request):
    ...         return {"X-Signature": f"{request.method} {request.target}"}  # a real one hashes it
    >>> KeySigner().sign(Outgoing("GET", "https://api.example.com/orders", {}))
    {'X-Signature': 'GET /orders'}
    """

    @abstractmethod
    def sign(self, request: Outgoing) -> Mapping[str, str] | None:
        """Return the header fields that sign this request; `None` if it cannot be signed.

        It is called each time the request is sent, so again after a 401. A request that cannot be
        signed is sent unsigned.
        """

    def learn(self, sent: Mapping[str, str], answered: Mapping[str, str]) -> None:  # noqa: B027
        """Learn from the header fields of an accepted request and its response. Optional.

        Raise `relogin.LoginUnavailable` if the response does not come from the server.
        """

    def refused(
        self,
        challenge: Challenge | None,  # noqa: ARG002 - by default nothing is learned
        answered: Mapping[str, str],  # noqa: ARG002
    ) -> bool | Signer | None:
        """Learn from a 401; return true to have the request signed and sent again. Optional.

        Or return another signer to sign only this request, with a nonce that is valid once.

        The challenge or the header fields of the 401 may say what was wrong with the signature,
        such as an old nonce or a wrong clock. If it is refused again, a login follows. If the error
        code rules out a login (`Action.STOP`), this method is asked once more.
        """
        return False

    def join(self, current: Signer) -> None:  # noqa: B027
        """Share state with the previous signer of the same account. Optional.

        It is called when a new grant answers a challenge although the old one may still be valid.
        """
