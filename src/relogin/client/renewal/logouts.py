"""The sessions to log out: which, when, and each only once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from weakref import WeakKeyDictionary

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.policy import Policy

__all__ = ["PendingLogouts"]


class PendingLogouts:
    """The sessions to log out with `logout=`: those that live, and that nobody else can use.

    A session that was replaced while alive waits until the last request that carries it has its
    response. Sessions in a store belong to all processes that share it, and sessions from before a
    fork belong to the parent.
    """

    def __init__(self, policy: Policy, lock: threading.Lock) -> None:
        self.ends_authorization: bool = getattr(policy.logout, "ends_authorization", False)
        """Whether a logout also ends the sessions that were refreshed from the one it ends."""
        self.wanted: bool = policy.logout is not None
        """Whether any session is to be logged out."""
        self.counts: bool = self.wanted and policy.logout_replaced and policy.store is None
        """Whether it has to know which requests carry which session."""
        self.begin_anew(1, lock)

    def begin_anew(self, generation: int, lock: threading.Lock) -> None:
        """Start anew in a child process, whose own logins start at this generation."""
        self._lock = lock  # the cache's
        self._own_from = generation
        self._leaving: list[Credential] = []
        self._users: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._dead: dict[Key, int] = {}

    def carries(self, user: object, credential: Credential | None) -> None:
        """Remember which session a request carries, until it has its response or is gone."""
        if self.counts and credential is not None:
            with self._lock:
                self._users[user] = credential.generation

    def answered(self, user: object) -> bool:
        """Forget a request that has its response; tell whether there is any session to log out."""
        if self.counts:
            with self._lock:
                self._users.pop(user, None)
        return bool(self._leaving)

    def died(self, credential: Credential | None) -> None:
        """Remember that a server called a session dead: there is nothing to log out."""
        if self.wanted and credential is not None:
            with self._lock:
                latest = self._dead.get(credential.key, 0)
                self._dead[credential.key] = max(latest, credential.generation)

    def replaced(self, old: Credential | None, new: Credential | None) -> None:
        """Add a session that another one has replaced while it was alive; the lock is held."""
        if self.counts and old is not None:
            self._add(old, [] if new is None else [new])

    def orphaned(self, credential: Credential, held: Collection[Credential]) -> None:
        """Add a session that was never used, because its login came too late."""
        if self.wanted:
            with self._lock:
                self._add(credential, held)

    def _add(self, credential: Credential, held: Collection[Credential]) -> None:
        if held and self._goes_on(credential):
            return  # perhaps in one of those
        # A login may return the present session: keep that one.
        if self._is_to_end(credential) and not any(_is_same(credential, one) for one in held):
            self._leaving.append(credential)

    def _is_to_end(self, credential: Credential) -> bool:
        own = credential.shared or credential.generation >= self._own_from
        lives = credential.generation > self._dead.get(credential.key, 0)
        return own and (lives or self._goes_on(credential))

    def _goes_on(self, credential: Credential) -> bool:
        """Tell whether its refresh token, or one that came of it, outlives a session."""
        return self.ends_authorization and credential.grant.refresh is not None

    @property
    def waiting(self) -> bool:
        """Whether there is any session to log out."""
        return bool(self._leaving)

    def next(self) -> Credential | None:
        """Take a session that no request carries any more; each is returned once."""
        with self._lock:
            used = set(self._users.values())
            for credential in self._leaving:
                if credential.generation not in used:
                    self._leaving.remove(credential)
                    return credential
        return None

    def put_back(self, credential: Credential) -> None:
        """Keep a session whose logout was interrupted, for the next logout."""
        with self._lock:
            self._leaving.append(credential)

    def all(self, held: Iterable[Credential]) -> list[Credential]:
        """Take all sessions to log out, with those that are held."""
        with self._lock:
            leaving, self._leaving = self._leaving, []
        return [*leaving, *filter(self._is_to_end, held)]


def _is_same(one: Credential, other: Credential) -> bool:
    return (one.headers, one.query, one.cookies) == (other.headers, other.query, other.cookies)
