"""The grants in use, and their changes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relogin.client import renewal
from relogin.client.renewal.credential import Credential, Key, carried, renew_at
from relogin.client.renewal.policy import Policy
from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Carried, Responder
from relogin.wire.model import Challenge

if TYPE_CHECKING:
    from relogin.client.renewal.default_spaces import DefaultSpaces
    from relogin.client.stores.record import Version

__all__ = ["Grants"]

_NONE: Mapping[Any, Any] = {}


class Grants:
    """The grants of one principal, by protection space."""

    def __init__(self, policy: Policy, clock: Callable[[], float]) -> None:
        self.policy = policy
        self.clock = clock
        self._generations = itertools.count(1)
        # By origin, and never changed in place: requests read it without the lock.
        self._credentials: dict[str, Mapping[Key, Credential]] = {}
        # By origin, the grants and the store's entries that they agree with.
        self._agreed: dict[str, tuple[object, object]] = {}
        self._lock = threading.Lock()
        self.defaults: DefaultSpaces | None = None
        """Where to log in before the first request, if that is wanted."""
        if policy.preemptive is not None:
            self.defaults = renewal.default_spaces.DefaultSpaces(policy, policy.preemptive)

    def by_default(self, origin: str) -> Credential | None:
        """Return a grant for a request that is not known to lie in any realm, if there is one."""
        realms = self._credentials.get(origin)
        if not realms or self.defaults is None:
            return None
        newest = max(realms.values(), key=lambda credential: credential.generation)
        return realms.get(self.defaults.at(origin), newest)

    def realm_of(self, key: Key) -> str:
        """Return the realm of a protection space, as the server names it."""
        return key.realm if self.defaults is None else self.defaults.realm_of(key)

    def newer(self, key: Key, than: Credential | None) -> Credential | None:
        """Return the grant for `key` if it comes from a later login than `than`."""
        realms = self._credentials.get(key.origin)
        credential = None if realms is None else realms.get(key)
        if credential is None or (than is not None and credential.generation <= than.generation):
            return None
        return credential

    def current(self, credential: Credential) -> Credential:
        """Return a grant with all changes that its server has made since.

        A copy that was signed for one request is returned unchanged.
        """
        if credential.signed_url is not None:
            return credential
        found = self._credentials.get(credential.key.origin, {}).get(credential.key)
        return (
            found if found is not None and found.generation == credential.generation else credential
        )

    def agrees_with(self, origin: str, entries: object) -> bool:
        """Tell whether both the store and the grants are unchanged since they last agreed.

        The grants of an origin are never changed in place: a change makes a new mapping.
        """
        held, known = self._agreed.get(origin, (None, None))
        return held is self._credentials.get(origin) and known == entries

    def agree_with(self, origin: str, entries: Mapping[str, object]) -> None:
        """Remember that the grants agree with these entries: requests need not parse them."""
        # A copy: a store may hand out the mapping that it goes on changing.
        self._agreed[origin] = self._credentials.get(origin), dict(entries)

    def roll(
        self,
        credential: Credential,
        cookies: Mapping[str, str],
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        """Update the cookies and header fields of a grant, if it is still the current one."""
        self._change(credential, lambda now: now.rolled(cookies, headers))

    def carry_as(self, credential: Credential, responder: Responder) -> None:
        """Send a grant as another scheme does, from now on."""
        headers, query = self.carried(credential.grant, responder)

        def change(now: Credential) -> Credential:
            return replace(now, responder=responder, headers=headers, query=query)

        self._change(credential, change)

    def extend(self, credential: Credential, expires_in: float) -> None:
        """Update how many seconds the session still lives, as its server just said."""
        moment = renew_at(self.clock(), expires_in)
        self._change(credential, lambda now: replace(now, renew_at=moment))

    def keep(self, credential: Credential) -> None:
        """No longer renew this grant ahead of time; wait until its server asks."""
        self._change(credential, lambda now: replace(now, renew_at=None))

    def postpone(self, credential: Credential) -> None:
        """Renew this grant in a second at the earliest: another process is renewing it."""
        moment = self.clock() + 1.0
        self._change(credential, lambda now: replace(now, renew_at=moment))

    def drop(self, credential: Credential) -> None:
        """Forget a grant that its server no longer accepts, unless there is a newer one."""
        self._change(credential, lambda _: None)

    def _change(
        self, credential: Credential, change: Callable[[Credential], Credential | None]
    ) -> None:
        with self._lock:
            now = self._credentials.get(credential.key.origin, {}).get(credential.key)
            if now is not None and now.generation == credential.generation:
                self._put(credential.key, change(now))

    def _put(self, key: Key, credential: Credential | None) -> Credential | None:
        """Put a grant in place of the present one, which is returned."""
        changed = dict(self._credentials.get(key.origin, _NONE))
        old = changed.get(key)
        if credential is None:
            changed.pop(key, None)
        else:
            changed[key] = credential
        self._credentials[key.origin] = changed
        return old

    def _held(self) -> list[Credential]:
        return [one for realms in self._credentials.values() for one in realms.values()]

    def made(
        self,
        key: Key,
        responder: Responder,
        grant: Grant,
        challenge: Challenge | None = None,
        *,
        version: Version | None = None,
        shared: bool = False,
        asked_for: tuple[str, ...] = (),
    ) -> Credential:
        """Make a credential from a grant; it is not in use yet."""
        headers, query = carried(grant, self.policy.carry or responder, self.policy.rolls)
        expires_in = grant.expires_in
        return Credential(
            key=key,
            grant=grant,
            generation=next(self._generations),
            responder=responder,
            headers=headers,
            query=query,
            cookies=dict(grant.cookies),  # type: ignore[arg-type]  # `granted` has made a mapping
            signer=None if responder.signer is None else responder.signer(grant, challenge),
            renew_at=None if expires_in is None else renew_at(self.clock(), expires_in),
            version=version,
            shared=shared,
            asked_for=asked_for,
        )

    def carried(self, grant: Grant, responder: Responder) -> Carried:
        """Return what a grant adds to a request; raise `InvalidGrant` if it cannot be sent."""
        return carried(grant, self.policy.carry or responder, self.policy.rolls)
