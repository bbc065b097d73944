"""Renewal on the client's side; the adapters are in `reauth.client.requests` and its neighbours."""

from __future__ import annotations

from reauth.client.outcomes import Outcome, outcome

__all__ = ["Outcome", "outcome"]
