"""A session of requests for a login, with the timeout of the login."""

from __future__ import annotations

from typing import Any

from requests import Response, Session

__all__ = ["PlainSession", "Session"]


class PlainSession(Session):
    """A session without cookies and auth, and without netrc and proxies of the environment.

    Every request has a timeout: a login that hangs would block all requests that wait for it.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        self._timeout = timeout

    def request(self, *args: Any, **kwargs: Any) -> Response:
        """Send a request with the timeout of the login, unless you pass another one."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().request(*args, **kwargs)
