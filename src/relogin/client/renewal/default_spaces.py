"""The protection spaces of logins before the first request: no challenge has named their realm."""

from __future__ import annotations

from collections.abc import Callable

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.policy import Decision, Policy
from relogin.client.renewal.protection_spaces import ProtectionSpace
from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Responder
from relogin.reasons import SessionError

__all__ = ["DefaultSpaces"]

_UNSEEN = frozenset({None, SessionError.INVALID})


class DefaultSpaces:
    """One protection space for each origin, for the login before the first request.

    The first realm that the server names is taken for the realm of that login, because most servers
    have one: so its refresh token renews the session, and all requests find the new one.
    """

    def __init__(self, policy: Policy, responder: Responder) -> None:
        self.responder = responder
        """It signs requests until a challenge says how."""
        self._policy = policy
        self._realms: dict[str, str] = {}
        self._declined: dict[str, tuple[ProtectionSpace | None, Grant | None]] = {}
        self._begun: dict[str, Key] = {}

    def at(self, origin: str) -> Key:
        """Return the space of an origin."""
        begun = self._begun.get(origin)
        return begun or Key(origin, self._policy.realm or "", self._policy.account)

    def begun(self, key: Key, space: Callable[[Key], object]) -> None:
        """Take a space that another process has begun, and put into the store, for the default one.

        Two logins would compete otherwise: one after a challenge, and one before a request that
        comes while the first is under way.
        """
        if space(self.at(key.origin)) is None and self._begun.setdefault(key.origin, key) == key:
            self._realms[key.origin] = key.realm

    def wants_login(self, origin: str, space: ProtectionSpace | None) -> bool:
        """Tell whether a request to this origin, with this default space, waits for a login."""
        return origin in self._policy.origins and self._declined.get(origin) != _state(space)

    def note_declined(self, origin: str, space: ProtectionSpace | None) -> None:
        """Remember that the login declined; it is asked again after the next grant or `reset`."""
        self._declined[origin] = _state(space)

    def learns_from(self, decision: Decision, sent: Credential) -> bool:
        """Tell whether a challenge is the first to say how the token goes, and it went otherwise.

        A server that knows only another scheme sees no session, or one that it does not know.
        """
        responder, error = decision.responder, decision.error
        return (
            decision.challenge is not None
            and responder is not sent.responder is self.responder
            and responder.signer is None is self.responder.signer
            and error in _UNSEEN
            and not decision.stops
        )

    def realm_of(self, key: Key) -> str:
        """Return the realm as the server names it, or an empty one while it has named none."""
        return self._realms.get(key.origin, key.realm) if key == self.at(key.origin) else key.realm

    def of(self, decision: Decision, space: Callable[[Key], object]) -> Decision:
        """Move a decision to the default space if its challenge is the first to name the realm.

        `space` returns what is known about a space, if anything. A realm that had a login of its
        own, such as that of another process, keeps its space.
        """
        key, default = decision.key, self.at(decision.key.origin)
        if decision.answers_itself or space(key) is not None or space(default) is None:
            return decision
        if self._realms.setdefault(key.origin, key.realm) != key.realm:
            return decision
        return decision.moved_to(default)


def _state(space: ProtectionSpace | None) -> tuple[ProtectionSpace | None, Grant | None]:
    return space, None if space is None else space.latest
