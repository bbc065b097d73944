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
        return self._looking("merge_environment_settings", *args, **kwargs)

    def rebuild_proxies(self, *args: Any, **kwargs: Any) -> Any:
        """Return the proxies of a request that follows a redirect."""
        return self._looking("rebuild_proxies", *args, **kwargs)

    def _looking(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self.trust_env = True
        try:
            return getattr(super(), name)(*args, **kwargs)
        finally:
            self.trust_env = False
