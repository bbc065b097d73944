"""Step-up by scopes: what an `insufficient_scope` demands, and what it demands in vain.

A resource server says so with a 403 (RFC 6750 §3.1), some with a 401. The scopes in its challenge
are untrusted: they are read within bounds, and no set of them leads to a second login that would
only bring what has been refused. RFC 9110 §15.5.4 allows to repeat the request "with new or
different credentials", whatever its method.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relogin.client.terms.answer import Answer
from relogin.client.terms.grant import Grant
from relogin.client.terms.scopes import scope_tokens
from relogin.wire.model import Challenge

__all__ = ["FORBIDDEN", "INSUFFICIENT_SCOPE", "Demands", "demanded", "signals_more"]

FORBIDDEN = 403
INSUFFICIENT_SCOPE = "insufficient_scope"

# Of one challenge; of all that are asked for at once; of sets that are remembered, for how long.
_MOST_CHARACTERS, _MOST_DEMANDED, _MOST_HELD = 2048, 32, 64
_MOST_SETS, _SECONDS = 16, 900.0


def demanded(challenge: Challenge) -> frozenset[str]:
    """Read the scopes that a challenge demands; none where it names none, or is out of bounds."""
    scope = challenge.get("scope") or ""
    if len(scope) > _MOST_CHARACTERS:
        return frozenset()
    try:
        tokens = scope_tokens(scope)
    except ValueError:
        return frozenset()
    return frozenset(tokens) if len(tokens) <= _MOST_DEMANDED else frozenset()


def signals_more(answer: Answer) -> str | None:
    """Tell whether an answer demands scopes, as the signals of a driver do."""
    challenge = answer.headers.get("WWW-Authenticate") or ""
    if answer.status == FORBIDDEN and INSUFFICIENT_SCOPE in challenge:
        return INSUFFICIENT_SCOPE
    return None


@dataclass(slots=True, repr=False)
class Demands:
    """What was demanded in one protection space. Times are the cache's; each change is one step."""

    granted: frozenset[str] = frozenset()
    """What was demanded and then granted: the next login is asked for it too."""
    asked: dict[frozenset[str], float] = field(default_factory=dict)
    refused: dict[frozenset[str], float] = field(default_factory=dict)

    def stand(self, scope: frozenset[str], asked_for: Iterable[str], now: float) -> bool:
        """Tell whether a demand stays as it is: no login does anything about it.

        `asked_for` is what the login of the very credential that was refused was asked for.
        """
        self._forget(now)
        if scope.issubset(asked_for):
            self.refuse(scope, now)
        if scope in self.refused or len(self.granted | scope) > _MOST_HELD:
            return True
        return scope not in self.asked and len(self.asked) >= _MOST_SETS

    def ask(self, scope: frozenset[str], previous: Grant | None, now: float) -> tuple[str, ...]:
        """Say what a login shall ask for: nothing of its own accord but what was granted before."""
        if not scope:
            return tuple(sorted(self.granted))
        self.asked[scope] = now
        held = () if previous is None else tuple(previous.scope)
        return tuple(dict.fromkeys((*held, *sorted(self.granted | scope))))

    def grant(self, scope: frozenset[str], grant: Grant) -> None:
        """Remember what was granted of a demand; a grant that tells no scopes has it all."""
        self.granted |= scope.intersection(grant.scope) if grant.scope else scope

    def refuse(self, scope: frozenset[str], now: float) -> None:
        """Remember that a demand stays although a login was asked for it, or cannot be."""
        self.refused[scope] = now
        self.granted -= scope

    def _forget(self, now: float) -> None:
        for remembered in (self.asked, self.refused):
            for scope, since in list(remembered.items()):
                if now - since > _SECONDS:
                    remembered.pop(scope, None)
