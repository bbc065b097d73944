"""One request of a login, whatever library sends it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

__all__ = ["MOST_OCTETS", "ONCE", "SENT_ONCE", "Pause", "Request"]

ONCE = "relogin.once"
"""The extension of an httpx request that must not be sent twice, for a transport of ours."""
SENT_ONCE: ContextVar[bool | None] = ContextVar("relogin: the request is sent once", default=None)
"""The same for a request of aiohttp, which has no place for it."""

MOST_OCTETS = 512 * 1024
"""How much is read of one response to a login, after decoding."""


class Request:
    """A request that a login sends. It contains secrets; its repr shows none.

    `once` says that it may use up a secret, so it is never sent again.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        *,
        once: bool = False,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.content = content
        self.once = once


class Pause:
    """A login waits so many seconds, but no longer than the time that it has."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
