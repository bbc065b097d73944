"""The token challenges of container registries: Bearer, with scopes that a request needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relogin.client.responders.bearer import BEARER
from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Action
from relogin.schemes.registry import RegistryChallenge, accesses
from relogin.wire.model import Challenge

__all__ = ["REGISTRY"]


def _choose(challenges: Sequence[Challenge]) -> Challenge | None:
    return next((one for one in challenges if one.realm is not None), None)


def _covers(grant: Grant, challenge: Challenge) -> bool:
    """Tell whether a token was requested with every scope that a challenge needs."""
    needed = RegistryChallenge.from_challenge(challenge).scope
    return needed <= accesses(" ".join(grant.scope))


REGISTRY = replace(
    BEARER,
    actions={**BEARER.actions, "insufficient_scope": Action.RENEW},
    choose=_choose,
    covers=_covers,
)
"""Answers container registries. If a token lacks a scope, a new one is requested that has it."""
