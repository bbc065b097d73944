"""Detecting an adapter that retries a 401 by itself, below the auth, with the dead session.

By default it then raises `RetryError`, and the auth never sees the 401.
"""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakSet

from relogin.client.renewal.policy import UNAUTHORIZED

__all__ = ["RetriesUnauthorized", "warn_of_retries"]


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
