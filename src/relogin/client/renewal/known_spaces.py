"""What is remembered about the protection spaces of one principal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flights import Flights
from relogin.client.renewal.policy import Policy
from relogin.client.renewal.protection_spaces import ProtectionSpace
from relogin.client.renewal.scopes import Demands

__all__ = ["KnownSpaces"]

# A server could name any number of realms; a principal has few.
_MOST_REALMS = 16

_NONE: Mapping[Any, Any] = {}


class KnownSpaces(Flights):
    """The protection spaces, by origin, and what responses have said about each."""

    def __init__(self, policy: Policy, clock: Callable[[], float]) -> None:
        super().__init__(policy, clock)
        self._spaces: dict[str, dict[Key, ProtectionSpace]] = {}
        self._any_persistent = False  # whether any 401 has ever persisted after a login
        self._moments = count(1)

    def space(self, key: Key) -> ProtectionSpace | None:
        """Return what is remembered about a realm, if anything."""
        return self._spaces.get(key.origin, {}).get(key)

    def _space(self, key: Key) -> ProtectionSpace:
        """Return what is remembered about a realm, or a new entry; an idle one makes room for it.

        If there is no room because all realms are in use, the new entry is not kept.
        """
        spaces = self._spaces.setdefault(key.origin, {})
        known = spaces.get(key)
        if known is not None:
            return known
        if len(spaces) >= _MOST_REALMS:
            window, now, flying = self.policy.budget_window, self.clock(), self._flights
            idle = (k for k in spaces if k not in flying and spaces[k].is_at_rest(window, now))
            oldest = next(idle, None)
            if oldest is None:
                return ProtectionSpace(is_kept=False)
            del spaces[oldest]
            self._put(oldest, None)
        spaces[key] = space = ProtectionSpace()
        return space

    def note_persistent(self, credential: Credential, method: str, url: str) -> None:
        """Remember that a 401 without an error code persisted after the login of this session."""
        with self._lock:
            space = self.space(credential.key)
            if space is not None:
                self._any_persistent = True
                space.note_persistent(credential.generation, method, url, self.clock())

    def has_persisted(self, credential: Credential, method: str, url: str, *, bare: bool) -> bool:
        """Tell whether a 401 without an error code, or a `bare` one, is not about the session."""
        space = self.space(credential.key)
        if space is None:
            return False
        outlasted = space.has_persisted(credential.generation, method, url, self.clock())
        return outlasted or (bare and space.challenges)

    def seen(self, credential: Credential) -> bool:
        """Remember that a server accepted a session; tell whether to call `note_accepted`."""
        credential.life.seen = self.clock()
        if not self._any_persistent:  # as with most servers
            return False
        key = credential.key
        space = self._spaces.get(key.origin, _NONE).get(key)
        return space is not None and bool(space.persistent)

    def note_accepted(self, credential: Credential, method: str, url: str) -> None:
        """Remember that a request is accepted whose 401 may have persisted after a login."""
        with self._lock:
            space = self.space(credential.key)
            if space is not None:
                space.note_accepted(method, url)

    def asked(self, key: Key, url: str, *, challenged: bool = True) -> None:
        """Remember that the server asked for this realm at `url`.

        `challenged`: the server challenges dead sessions; a bare 401 is about something else.
        """
        spaces = self._spaces.get(key.origin, _NONE)
        space = spaces.get(key)
        known = space is not None and space.latest_url == url and space.challenges >= challenged
        if known and len(spaces) == 1:  # nothing changes
            return
        with self._lock:
            spaces = self._spaces.get(key.origin, _NONE)
            space = spaces.get(key)
            if space is not None:
                space.reaches(url, next(self._moments), contested=len(spaces) > 1)
                space.challenges |= challenged

    def demands(self, key: Key) -> Demands:
        """Return what is remembered of the scopes that a realm demands."""
        with self._lock:
            space = self._space(key)
            if space.demands is None:
                space.demands = Demands()
            return space.demands

    def accepted(self, credential: Credential) -> None:
        """Remember that the server has accepted this account."""
        space = self.space(credential.key)
        if space is not None:
            space.accepted = True

    def leave_behind(self, key: Key, *past: str) -> None:
        """Remember the names of grants that are over: they are not taken from the store again."""
        with self._lock:
            self._space(key).leave_behind(past)

    def _forget_refresh_tokens(self) -> None:
        for spaces in self._spaces.values():
            for space in spaces.values():
                space.forget_refresh_token()
