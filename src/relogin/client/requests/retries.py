"""Detecting adapters that keep a dead session from being renewed.

One retries a 401 by itself, below the auth, with the dead session. By default it then raises
`RetryError`, and the auth never sees the 401. Another does not set `response.connection`.
"""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakSet

from requests import Response

from relogin import client
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = ["RetriesUnauthorized", "warn_of_no_connection", "warn_of_retries"]


class RetriesUnauthorized(UserWarning):
    """An adapter was made with `Retry(status_forcelist=[401])`: leave the 401 out."""


_warned: WeakSet[Any] = WeakSet()


def warn_of_retries(adapter: object) -> None:
    """Warn once about an adapter that retries a request after a 401."""
    retried = getattr(getattr(adapter, "max_retries", None), "status_forcelist", None) or ()
    if UNAUTHORIZED not in retried or adapter in _warned:
        return
    _warned.add(adapter)
    warnings.warn(
        "this adapter's Retry(status_forcelist=[401]) sends a refused request again with the same "
        "dead session, before relogin can renew it: take 401 out of the list",
        RetriesUnauthorized,
        stacklevel=2,
    )


def warn_of_no_connection(cache: CredentialCache, response: Response) -> None:
    """Warn once about a 401 that cannot be answered, because it names no adapter.

    Custom adapters forget to, and mocks that replace `HTTPAdapter.send`.
    """
    if response.status_code == UNAUTHORIZED and ("", "connection") not in cache.warned:
        cache.warned.add(("", "connection"))
        client.events.warn(
            "401: nothing was done, because the response does not name the adapter that sent the "
            "request. Let its send set response.connection, as requests' HTTPAdapter does"
        )
