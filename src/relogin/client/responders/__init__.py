"""What knows a scheme by name: one file for each, and the protocol that they keep."""

from __future__ import annotations

from relogin.client.responders.bearer import BEARER
from relogin.client.responders.session import SESSION
from relogin.client.terms.responder import Action, Responder

__all__ = ["BEARER", "SESSION", "Action", "Responder"]
