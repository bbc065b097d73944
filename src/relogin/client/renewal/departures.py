"""The sessions that are to be given back to their server: whose, when, and each of them once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.policy import Policy

__all__ = ["Departures"]


class Departures:
    """What `logout=` is about. A session is given back if it lives, and nobody else may use it.

    One that was replaced while it lived waits until the last request that carries it is answered.
    A store's sessions belong to all who share it; what a process had before it was forked belongs
    to its parent.
    """

    def __init__(self, policy: Policy) -> None:
        self._wanted = policy.logout is not None
        self._replaced = self._wanted and policy.logout_replaced and policy.store is None
        self.after_fork(1)

    def after_fork(self, generation: int) -> None:
        """Begin in a process whose own logins are counted from this generation on."""
        self._lock = threading.Lock()
        self._own_from = generation
        self._leaving: list[Credential] = []
        self._users: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._dead: dict[Key, int] = {}

    def carries(self, user: object, credential: Credential | None) -> None:
        """Remember what a request is sent with, until it is answered or gone."""
        if self._replaced and credential is not None:
            with self._lock:
                self._users[user] = credential.generation

    def answered(self, user: object) -> None:
        """Forget a request that has its answer."""
        if self._replaced:
            with self._lock:
                self._users.pop(user, None)

    def died(self, credential: Credential | None) -> None:
        """Remember that a server has called a session dead: there is nothing to give back."""
        if self._wanted and credential is not None:
            with self._lock:
                latest = self._dead.get(credential.key, 0)
                self._dead[credential.key] = max(latest, credential.generation)

    def replaced(self, old: Credential | None, new: Credential | None) -> None:
        """Let go of a session that lived when another one took its place."""
        if self._replaced and old is not None:
            self._add(old, [] if new is None else [new])

    def orphaned(self, credential: Credential, held: Iterable[Credential]) -> None:
        """Let go of a session that nobody ever used: its login came too late."""
        if self._wanted:
            self._add(credential, held)

    def _add(self, credential: Credential, held: Iterable[Credential]) -> None:
        # A login may return the session that there is: that one stays.
        if self._is_to_end(credential) and not any(_is_same(credential, one) for one in held):
            with self._lock:
                self._leaving.append(credential)

    def _is_to_end(self, credential: Credential) -> bool:
        own = credential.shared or credential.generation >= self._own_from
        return own and credential.generation > self._dead.get(credential.key, 0)

    @property
    def waiting(self) -> bool:
        """Whether there is anything to give back."""
        return bool(self._leaving)

    def next(self) -> Credential | None:
        """Take a session that no request carries any more; nobody else gets it."""
        with self._lock:
            used = set(self._users.values())
            for credential in self._leaving:
                if credential.generation not in used:
                    self._leaving.remove(credential)
                    return credential
        return None

    def put_back(self, credential: Credential) -> None:
        """Keep a session whose logout was interrupted for the next one."""
        with self._lock:
            self._leaving.append(credential)

    def all(self, held: Iterable[Credential]) -> list[Credential]:
        """Take what is to be given back of all the sessions there are."""
        with self._lock:
            leaving, self._leaving = self._leaving, []
        return [*leaving, *filter(self._is_to_end, held)]


def _is_same(one: Credential, other: Credential) -> bool:
    return (one.headers, one.query, one.cookies) == (other.headers, other.query, other.cookies)
