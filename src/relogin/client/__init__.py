"""What was done about a response. `SessionAuth` is in `relogin.client.requests` and the like."""

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
