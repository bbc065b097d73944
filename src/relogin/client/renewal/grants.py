"""The grants in use: what each request is signed with, and what becomes of it meanwhile."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from relogin.client.renewal.credential import Credential, Key, carried, renew_at
from relogin.client.renewal.policy import Policy
from relogin.client.terms.grant import Grant
from relogin.client.terms.responder import Carried, Responder
from relogin.wire.model import Challenge

__all__ = ["Grants"]

_NONE: Mapping[str, str] = {}


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

    def newer(self, key: Key, than: Credential | None) -> Credential | None:
        """Return the grant for `key` if it comes from a later login than the one given."""
        credential = self._credentials.get(key.origin, {}).get(key)
        if credential is None or (than is not None and credential.generation <= than.generation):
            return None
        return credential

    def current(self, credential: Credential) -> Credential:
        """Return a grant with what its server has changed of it since.

        What was signed for one request stays as it is.
        """
        if credential.signed_url is not None:
            return credential
        found = self._credentials.get(credential.key.origin, {}).get(credential.key)
        return (
            found if found is not None and found.generation == credential.generation else credential
        )

    def agrees_with(self, origin: str, entries: object) -> bool:
        """Tell whether the store holds what was taken over from it, and nothing was changed since.

        The grants of an origin are never changed in place: new ones are another mapping.
        """
        held, known = self._agreed.get(origin, (None, None))
        return held is self._credentials.get(origin) and known == entries

    def agree_with(self, origin: str, entries: object) -> None:
        """Remember what the store holds: each request would read it anew otherwise."""
        self._agreed[origin] = self._credentials.get(origin), entries

    def roll(
        self,
        credential: Credential,
        cookies: Mapping[str, str],
        headers: Mapping[str, str] = _NONE,
    ) -> None:
        """Take over new values of what a grant owns, if it is still the current one."""
        self._change(credential, lambda now: now.rolled(cookies, headers))

    def extend(self, credential: Credential, expires_in: float) -> None:
        """Take over how many seconds the session still lives, as its server just said."""
        moment = renew_at(self.clock(), expires_in)
        self._change(credential, lambda now: replace(now, renew_at=moment))

    def keep(self, credential: Credential) -> None:
        """Renew a grant no more before its server asks for it."""
        self._change(credential, lambda now: replace(now, renew_at=None))

    def postpone(self, credential: Credential) -> None:
        """Renew a grant in a second at the earliest: another process is about to."""
        moment = self.clock() + 1.0
        self._change(credential, lambda now: replace(now, renew_at=moment))

    def drop(self, credential: Credential) -> None:
        """Forget a grant that its server no longer knows, unless there is a newer one."""
        self._change(credential, lambda _: None)

    def _change(
        self, credential: Credential, change: Callable[[Credential], Credential | None]
    ) -> None:
        with self._lock:
            now = self._credentials.get(credential.key.origin, {}).get(credential.key)
            if now is not None and now.generation == credential.generation:
                self._put(credential.key, change(now))

    def _put(self, key: Key, credential: Credential | None) -> None:
        others = {k: h for k, h in self._credentials.get(key.origin, {}).items() if k != key}
        self._credentials[key.origin] = (
            others if credential is None else {**others, key: credential}
        )

    def _held(self) -> list[Credential]:
        return [one for realms in self._credentials.values() for one in realms.values()]

    def made(
        self,
        key: Key,
        responder: Responder,
        grant: Grant,
        challenge: Challenge | None = None,
        *,
        version: int = 0,
        shared: bool = False,
        asked_for: tuple[str, ...] = (),
    ) -> Credential:
        """Make a credential of a grant, held by nobody yet."""
        headers, query = self.carried(grant, responder)
        return Credential(
            key=key,
            grant=grant,
            generation=next(self._generations),
            responder=responder,
            headers=headers,
            query=query,
            cookies=dict(grant.cookies),  # type: ignore[arg-type]  # `granted` has made a mapping
            signer=None if responder.signer is None else responder.signer(grant, challenge),
            renew_at=renew_at(self.clock(), grant.expires_in),
            version=version,
            shared=shared,
            asked_for=asked_for,
        )

    def carried(self, grant: Grant, responder: Responder) -> Carried:
        """Say what a grant puts on a request; raise `InvalidGrant` where it cannot be sent."""
        return carried(grant, self.policy.carry or responder, self.policy.rolls)
