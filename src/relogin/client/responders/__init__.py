"""What knows a scheme by name: one file for each, and the protocol that they keep.

`SessionAuth(login, url, responders=[…])` answers with responders of your own.
"""

from __future__ import annotations

from relogin.client.carry import Authorization
from relogin.client.responders.bearer import BEARER, like_bearer
from relogin.client.responders.session import SESSION
from relogin.client.terms.responder import Action, Responder
from relogin.client.terms.signer import Outgoing, Signer

__all__ = ["BEARER", "SESSION", "Action", "Outgoing", "Responder", "Signer", "with_scheme_of"]


def with_scheme_of(carry: object, responders: tuple[Responder, ...]) -> tuple[Responder, ...]:
    """Put first what answers the scheme that a token travels under, if nothing does yet."""
    known = {responder.scheme.lower() for responder in responders}
    if not isinstance(carry, Authorization) or carry.scheme.lower() in known:
        return responders
    return (like_bearer(carry.scheme, carry.write), *responders)
