"""Responders answer one scheme each: one file for each, and their common class.

Pass your own with `SessionAuth(login, url, responders=[…])`.
"""

from __future__ import annotations

from relogin.client.responders.bearer import BEARER, like_bearer
from relogin.client.responders.session import SESSION
from relogin.client.terms.responder import Action, Responder
from relogin.client.terms.signer import Outgoing, Signer
from relogin.lazy import importing

__all__ = ["BEARER", "SESSION", "Action", "Outgoing", "Responder", "Signer", "with_scheme_of"]


def with_scheme_of(carry: object, responders: tuple[Responder, ...]) -> tuple[Responder, ...]:
    """Put first a responder for the scheme of `carry`, unless there is one already."""
    if carry is None:
        return responders
    with importing:
        from relogin.client.carry import Authorization  # needed only here

    known = {responder.scheme.lower() for responder in responders}
    if not isinstance(carry, Authorization) or carry.scheme.lower() in known:
        return responders
    return (like_bearer(carry.scheme, carry.write), *responders)
