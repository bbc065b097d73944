"""Step-up by scopes: which scopes `insufficient_scope` demands, and which no login can get.

A resource server sends it with a 403 (RFC 6750 §3.1), some with a 401. The scopes in its challenge
are untrusted: they are read within bounds, and a set that was refused once causes no second login.
RFC 9110 §15.5.4 allows you to repeat the request "with new or different credentials", whatever its
method.
"""

from __future__ import annotations

from collections.abc import Iterable

from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Grant
from relogin.client.terms.scopes import scope_tokens
from relogin.wire.model import Challenge

__all__ = ["FORBIDDEN", "INSUFFICIENT_SCOPE", "Demands", "demanded", "signals_more"]

FORBIDDEN = 403
INSUFFICIENT_SCOPE = "insufficient_scope"

# Limits of one challenge, of all scopes held, and of the sets remembered, for so many seconds.
_MOST_CHARACTERS, _MOST_DEMANDED, _MOST_HELD = 2048, 32, 64
_MOST_SETS, _SECONDS = 16, 900.0


def demanded(challenge: Challenge) -> frozenset[str]:
    """Read the scopes that a challenge demands; none if it names none or too many."""
    scope = challenge.get("scope") or ""
    if len(scope) > _MOST_CHARACTERS:
        return frozenset()
    try:
        tokens = scope_tokens(scope)
    except ValueError:
        return frozenset()
    return frozenset(tokens) if len(tokens) <= _MOST_DEMANDED else frozenset()


def signals_more(answer: Answer) -> str | None:
    """Tell whether a response demands scopes; it is used as a signal."""
    challenge = answer.headers.get("WWW-Authenticate") or ""
    if answer.status == FORBIDDEN and INSUFFICIENT_SCOPE in challenge:
        return INSUFFICIENT_SCOPE
    return None


class Demands:
    """The scopes that one protection space demanded. Times are on the cache's clock."""

    granted: frozenset[str] = frozenset()
    """Scopes that were demanded and granted: the next login asks for them too."""

    def __init__(self) -> None:
        self.asked: dict[frozenset[str], float] = {}
        self.refused: dict[frozenset[str], float] = {}

    def is_hopeless(self, scope: frozenset[str], asked_for: Iterable[str], now: float) -> bool:
        """Tell whether no login can satisfy a demand.

        `asked_for` are the scopes that the login of the refused credential has asked for.
        """
        self._forget(now)
        if scope.issubset(asked_for):
            self.refuse(scope, now)
        if scope in self.refused or len(self.granted | scope) > _MOST_HELD:
            return True
        return scope not in self.asked and len(self.asked) >= _MOST_SETS

    def ask(self, scope: frozenset[str], previous: Grant | None, now: float) -> tuple[str, ...]:
        """Return the scopes that a login has to ask for; without a demand, those granted before."""
        if not scope:
            return tuple(sorted(self.granted))
        self.asked[scope] = now
        held = () if previous is None else tuple(previous.scope)
        return tuple(dict.fromkeys((*held, *sorted(self.granted | scope))))

    def grant(self, scope: frozenset[str], grant: Grant) -> None:
        """Remember which demanded scopes were granted; a grant without scopes has them all."""
        self.granted |= scope.intersection(grant.scope) if grant.scope else scope

    def refuse(self, scope: frozenset[str], now: float) -> None:
        """Remember that no login can satisfy a demand."""
        self.refused[scope] = now
        self.granted -= scope

    def _forget(self, now: float) -> None:
        for remembered in (self.asked, self.refused):
            for scope, since in list(remembered.items()):
                if now - since > _SECONDS:
                    remembered.pop(scope, None)
