"""Keep an HTTP client logged in.

`SessionAuth` is in the module of your HTTP library: `relogin.client.requests`, `httpx`, `httpx2`,
`aiohttp` or `niquests`. Ready-made logins are in `logins`, and stores, which share one session
between processes, in `stores`. `signals` recognise a dead session that is not reported with a 401.

This module tells you what was done about a response: `outcome` and `detail`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relogin.client.terms.outcomes import Outcome, detail, outcome
from relogin.lazy import lazy_modules

if TYPE_CHECKING:
    from relogin.client import carry, events, signals, stores
else:
    # Most clients pass neither signals, a store nor `carry=`, and hear of no event before a 401.
    __getattr__ = lazy_modules(__name__, "carry", "events", "signals", "stores")

__all__ = ["Outcome", "carry", "detail", "events", "outcome", "signals", "stores"]
