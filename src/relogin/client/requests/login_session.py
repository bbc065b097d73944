"""The session that a login gets as `context.http`: it takes the route of the refused request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import SSLError
from urllib3.util import Retry

from relogin.client.driver.login_settings import LoginSettings, Sent, settings_for_check
from relogin.client.driver.plain_session import PlainSession
from relogin.client.logins.sending.connections import close_idle
from relogin.client.requests.body import rewind
from relogin.client.requests.broken import is_broken, pool_that_keeps_one
from relogin.client.requests.route import Route
from relogin.client.terms.progress import progress_here
from relogin.errors import LoginUnavailable

__all__ = ["LoginSession", "NotVerified", "settings_for_check"]


class NotVerified(LoginUnavailable, SSLError):
    """The login's server has no valid certificate, and ``verify=False`` was meant for another."""


class LoginSession(LoginSettings, PlainSession):  # type: ignore[misc]  # it takes any arguments
    """A session that shares the connections of the refused request."""

    def __init__(self, route: Route | None, timeout: float) -> None:
        super().__init__(timeout)
        self._progress = progress = progress_here()
        self.sends_again: bool = progress is None or not progress.spends
        """Whether a request may be sent again over a new connection; a login may forbid it."""
        self._shared: BaseAdapter | None = None
        self.take_over(None if route is None else Sent(route.url, route.sending))
        if route is not None:
            self._shared = route.adapter
            url = urlsplit(route.url)
            self.mount(f"{url.scheme}://{url.netloc.rpartition('@')[2]}/", route.adapter)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request; if a kept connection was closed, again on a new one."""
        kwargs = self.settled(request, kwargs)
        try:
            return self._seen(request, **kwargs)
        except SSLError as error:
            why = self.why_not(error, request)
            if why is None:
                raise
            raise NotVerified(why) from error

    def _seen(self, request: PreparedRequest, **kwargs: Any) -> Response:
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


def _without_retries(adapter: BaseAdapter) -> BaseAdapter:
    """Return an adapter with the same connections, but without the user's `Retry`."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    once = object.__new__(type(adapter))  # not copied, to keep the connections
    once.__dict__.update(adapter.__dict__)
    once.max_retries = Retry(0, read=False)
    return once
