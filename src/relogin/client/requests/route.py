"""The session a login gets as `context.http`: the way the refused request took, and no more."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.util import Retry

from relogin.client.driver.plain_session import PlainSession
from relogin.client.logins.request import SPENDS
from relogin.client.requests.body import rewind
from relogin.client.requests.broken import is_broken, keeps_a_connection

__all__ = ["LoginSession", "Route"]


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """How a request travelled: its adapter, its URL, and what it was sent with.

    It leads nowhere in a child of a fork: the adapter's connections are the parent's, who would
    read what the child is answered.
    """

    adapter: BaseAdapter
    url: str
    sending: dict[str, Any]
    process: int = field(default_factory=os.getpid)

    @property
    def is_open(self) -> bool:
        """Whether it may be taken in this process."""
        return self.process == os.getpid()


class LoginSession(PlainSession):
    """A session over the connections of the request that it serves."""

    def __init__(self, route: Route | None, timeout: float) -> None:
        super().__init__(timeout)
        self.sends_again = not SPENDS.get()
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
        """Send a request, once more on a new connection where a kept one turns out to be closed."""
        adapter = self.get_adapter(request.url or "")
        kept = self.sends_again and keeps_a_connection(adapter, request, kwargs)
        try:
            return super().send(request, **kwargs)
        except requests.ConnectionError as error:
            if not (kept and is_broken(error) and rewind(request)):
                raise
        adapter.close()  # which ends what it keeps, and nothing under way; it can still be used
        return super().send(request, **kwargs)

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return what a request goes through; it tries nothing again that a login has forbidden."""
        adapter = super().get_adapter(url)
        return adapter if self.sends_again else _without_retries(adapter)

    def close(self) -> None:
        """Close what is this session's own; the adapter it shares goes on serving others."""
        for adapter in self.adapters.values():
            if adapter is not self._shared:
                adapter.close()


def _without_retries(adapter: BaseAdapter) -> BaseAdapter:
    """Return an adapter with the same connections, whose user's `Retry` does not count."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    once = object.__new__(type(adapter))  # not a copy, which would have connections of its own
    once.__dict__.update(adapter.__dict__)
    once.max_retries = Retry(0, read=False)
    return once
