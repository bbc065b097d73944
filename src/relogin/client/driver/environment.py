"""Proxies and certificates of the environment, for a login before the first request."""

from __future__ import annotations

from typing import Any

__all__ = ["FromEnvironment"]


class FromEnvironment:
    """A session of requests or niquests with the proxies and certificates of the environment.

    Before the first response, those of the session that sends the request are not known; most
    sessions use the environment's. A login never uses netrc, so `trust_env` is false otherwise.
    """

    trust_env: bool

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        """Return the options of a request: its own, and those of the environment."""
        self.trust_env = True
        try:
            above: Any = super()
            return above.merge_environment_settings(*args, **kwargs)
        finally:
            self.trust_env = False
