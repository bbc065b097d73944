"""The session that a login gets as `context.http`: it takes the route of the refused request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util import Retry

from relogin.client.driver.environment import FromEnvironment
from relogin.client.driver.plain_session import PlainSession
from relogin.client.logins.sending.connections import close_idle
from relogin.client.requests.body import rewind
from relogin.client.requests.broken import is_broken, pool_that_keeps_one
from relogin.client.terms.progress import progress_here

__all__ = ["EnvironmentSession", "LoginSession", "Route"]


class Route:
    """How a request was sent: its adapter, its URL, and its options.

    Use it in no other `process`: in a child of a fork, the adapter has the connections of the
    parent, which would read the child's responses.
    """

    def __init__(
        self, adapter: BaseAdapter, url: str, sending: dict[str, Any], process: int
    ) -> None:
        self.adapter = adapter
        self.url = url
        self.sending = sending
        self.process = process


class LoginSession(PlainSession):
    """A session that shares the connections of the refused request."""

    def __init__(self, route: Route | None, timeout: float) -> None:
        super().__init__(timeout)
        self._progress = progress = progress_here()
        self.sends_again: bool = progress is None or not progress.spends
        """Whether a request may be sent again over a new connection; a login may forbid it."""
        self._shared: BaseAdapter | None = None
        if route is not None:
            self._shared = route.adapter
            url = urlsplit(route.url)
            self.mount(f"{url.scheme}://{url.netloc.rpartition('@')[2]}/", route.adapter)
            self.proxies: dict[str, str] = dict(route.sending.get("proxies") or {})
            self.verify: Any = route.sending.get("verify", True)
            self.cert: Any = route.sending.get("cert")

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request; if a kept connection was closed, again on a new one."""
        if self._progress is None:
            return self._send(request, **kwargs)
        self._progress.sends(request.method or "")
        response = self._send(request, **kwargs)
        self._progress.answered(request.method or "", response.status_code)
        return response

    def _send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        adapter = self.get_adapter(request.url or "")
        pool = pool_that_keeps_one(adapter, request, kwargs) if self.sends_again else None
        try:
            return super().send(request, **kwargs)
        except requests.ConnectionError as error:
            if pool is None or not (is_broken(error) and rewind(request)):
                raise
        close_idle(pool)
        return super().send(request, **kwargs)

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return the adapter; without retries if the login must not send twice."""
        adapter = super().get_adapter(url)
        return adapter if self.sends_again else _without_retries(adapter)

    def close(self) -> None:
        """Close the adapters of this session only; the shared one stays open for others."""
        for adapter in self.adapters.values():
            if adapter is not self._shared:
                adapter.close()


class EnvironmentSession(FromEnvironment, LoginSession):
    """A login's session before any response has shown the route: the environment does."""


def _without_retries(adapter: BaseAdapter) -> BaseAdapter:
    """Return an adapter with the same connections, but without the user's `Retry`."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    once = object.__new__(type(adapter))  # not copied, to keep the connections
    once.__dict__.update(adapter.__dict__)
    once.max_retries = Retry(0, read=False)
    return once
