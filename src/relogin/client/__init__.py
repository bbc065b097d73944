"""What was done about a response. `SessionAuth` is in `relogin.client.requests` and the like."""

from __future__ import annotations

from relogin.client.terms.outcomes import Outcome, detail, outcome

__all__ = ["Outcome", "detail", "outcome"]
