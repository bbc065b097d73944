"""A login that can be pickled: it knows where to ask, and holds no password."""

from __future__ import annotations

from relogin import Grant
from relogin.client.terms.grant import Context

__all__ = ["PicklableLogin"]


class PicklableLogin:
    """Logs in to a `Server` by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, context: Context) -> Grant:
        return Grant(token=context.http.post(f"{self.url}/login").text)
