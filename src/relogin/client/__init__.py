"""Renewal in the client; the adapters are in `relogin.client.requests` and its neighbours."""

from __future__ import annotations

from relogin.client.terms.outcomes import Outcome, detail, outcome

__all__ = ["Outcome", "detail", "outcome"]
