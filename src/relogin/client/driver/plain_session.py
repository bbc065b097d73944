"""A session of requests for a login, which hangs no longer than the login may take."""

from __future__ import annotations

from typing import Any

from requests import Response, Session

__all__ = ["PlainSession", "Session"]


class PlainSession(Session):
    """A session without cookies, auth, netrc and proxies of its surroundings.

    Every request has a time-out: a login that hangs would hold up all who wait for it.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        self._timeout = timeout

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """Send a request, within the login's time-out unless another one is given."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().request(*args, **kwargs)
