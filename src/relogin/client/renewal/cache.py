"""What all requests of one principal share: the grants, and the renewals in progress.

One lock, held for dictionary work only: never across a wait, a callback or any I/O. It is a thread
lock for coroutines too, because one cache can serve several event loops and threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from weakref import WeakSet

from relogin.client.renewal.credential import Credential, Key
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.known_spaces import KnownSpaces
from relogin.client.renewal.logouts import PendingLogouts
from relogin.client.renewal.policy import Decision, Policy
from relogin.client.renewal.protection_spaces import Blocked, ProtectionSpace, outage
from relogin.client.terms.grant import Grant
from relogin.client.terms.outcomes import Outcome

__all__ = ["CredentialCache"]

_GRANTED = Status.GRANTED  # before Python 3.12, each look at a member of an enum is slow

_caches: WeakSet[CredentialCache] = WeakSet()


class CredentialCache(KnownSpaces):
    """The shared state, independent of requests, responses and threads."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(policy, clock)
        self._refused: dict[str, Blocked] = {}
        self._consulted: set[str] = set()
        self.logouts: PendingLogouts = PendingLogouts(policy, self._lock)
        self.warned: set[tuple[str, str]] = set()
        self.store_away_until: float = clock()
        self.store_silent_until: float = clock()
        self.own_client: bool = False  # whether a login has used another than `context.http`
        self.process: int = os.getpid()
        _caches.add(self)

    def _begin_in_child(self) -> None:
        """Leave to the parent of a fork its renewals, its refresh tokens and its logouts."""
        # Other threads of the parent do not exist here: their locks and renewals would never end.
        self._lock = threading.Lock()
        with self._lock:
            self._flights, self._checks = {}, {}
            self.logouts.begin_anew(next(self._generations), self._lock)
            self._forget_refresh_tokens()
        self.process = os.getpid()  # last: until then, other threads wait

    # The grants

    def for_request(self, origin: str, url: object) -> Credential | None:
        """Choose the grant to send without a challenge: that of the realm that `url` lies in.

        `url` is a str, or an object of a library that gives one.
        Of several realms, choose the one challenged at the deepest path (RFC 7617 §2.2); if that is
        the same, the one challenged last, because a server may rename its realm.
        """
        if self._lock.locked():  # perhaps by a thread of the parent, if this is a worker of uWSGI
            self._notice_fork()
        realms = self._credentials.get(origin)
        if not realms:
            return None
        if len(realms) == 1:
            return next(iter(realms.values()))
        with self._lock:
            spaces = self._spaces.get(origin, {})
            depth = {key: spaces[key].depth(str(url)) for key in realms if key in spaces}
        key = max(depth, key=depth.__getitem__, default=None)
        return realms[key] if key is not None and depth[key][0] else None

    def ready(self, origin: str, credential: Credential | None, *, precious: bool = False) -> bool:
        """Tell whether a request can be sent at once, with nothing to ask or renew before."""
        if self.policy.store is not None and not self.informed(origin, credential):
            return False
        if credential is None:
            return self.defaults is None or origin not in self.policy.origins
        if credential.renew_at is None and not precious:
            return True
        return not credential.is_due(self.clock(), precious=precious)

    def informed(self, origin: str, credential: Credential | None) -> bool:
        """Tell whether the store need not be asked before a request."""
        if self.policy.store is None or origin not in self.policy.origins:
            return True
        if self.policy.fresh == "always":
            return False
        return credential is not None or origin in self._consulted

    def consulted(self, origin: str) -> None:
        """Remember that the store was asked at the start; from now on only after a 401."""
        self._consulted.add(origin)

    def hold(self, credential: Credential, after: Credential | None) -> None:
        """Keep a credential that came without a renewal, unless one is newer than `after`."""
        current = self._credentials.get(credential.key.origin, {}).get(credential.key)
        before = None if current is None or credential.shared else current.signer
        if before is not None and credential.signer is not None:
            credential.signer.join(before)
        with self._lock:
            if self.newer(credential.key, after) is None:
                self._hold(credential)

    def refuse(self, key: Key, cause: BaseException) -> Blocked:
        """Remember that the server refused this account: no login is tried before `reset`."""
        with self._lock:
            blocked = self._refused[key.origin] = Blocked(Outcome.REFUSED, cause)
            self._put(key, None)
        return blocked

    def refusal(self, key: Key) -> Blocked | None:
        """Return why this account was refused, if it was."""
        return self._refused.get(key.origin)

    def reset(self) -> None:
        """Forget every grant and every refusal; the next challenge causes a login."""
        self._notice_fork()
        with self._lock:
            flights = self._forget_grants()
            self._spaces.clear()
            self._refused.clear()
            self._consulted.clear()
        for flight in flights:
            self.end(flight, Status.FORGOTTEN)

    def let_go(self) -> list[Credential]:
        """Forget every grant; return those to log out."""
        self._notice_fork()
        with self._lock:
            held = self._held()
            flights = self._forget_grants()
            if self.logouts.ends_authorization:
                self._forget_refresh_tokens()
        for flight in flights:
            self.end(flight, Status.FORGOTTEN)
        return self.logouts.all(held)

    def _forget_grants(self) -> list[Flight]:
        flights = list(self._flights.values())
        self._flights.clear()
        self._credentials.clear()
        self._agreed.clear()  # which hold the tokens as the store has them
        return flights

    def orphan(self, decision: Decision, grant: Grant) -> None:
        """Log out a grant that came too late: there is another one, or none is wanted."""
        own = self.made(decision.key, decision.responder, grant)
        self.logouts.orphaned(own, self._held())

    # The renewals

    def join(self, mine: Flight, dead: Credential | None) -> Credential | Flight | Blocked:
        """Return a newer grant, a flight to wait for, `mine` to lead, or why no login is tried."""
        self._notice_fork()
        now, key = self.clock(), mine.key
        with self._lock:
            found = self._under_way(key, dead, now)
            if found is not None:
                mine.is_open = False
                return found
            space = self._space(key)
            blocked = self._why_not(key.origin, space, now)
            if blocked is not None:
                return blocked
            mine.deadline = now + self.policy.flight_timeout
            if (overtaken := self._flights.get(key)) is not None:
                overtaken.leave_refresh_token(space, own_client=self.own_client)
            mine.previous = space.latest
            if space.blocked is not None:
                mine.attempt = space.attempt()
            mine.demands, mine.version = space.demands, None if dead is None else dead.version
            mine.began = now
            space.logins.append(now)
            self._flights[key] = mine
        return mine

    def _why_not(self, origin: str, space: ProtectionSpace, now: float) -> Blocked | None:
        blocked = self._refused.get(origin)
        if blocked is None and space.blocked is not None:
            blocked = space.pausing(now)
        if blocked is not None:
            return blocked
        if space.is_kept and space.is_within(self.policy.budget, self.policy.budget_window, now):
            return None
        return Blocked(Outcome.OVER_BUDGET)

    def granted(
        self, flight: Flight, decision: Decision, grant: Grant, url: str, *, shared: bool = False
    ) -> Credential | None:
        """End a renewal with its grant; return `None` if a later renewal has overtaken it.

        `shared` says that the grant is in the store, with the version of the flight.
        """
        credential = self.made(
            flight.key,
            decision.responder,
            grant,
            decision.challenge,
            version=flight.version,
            shared=shared,
            asked_for=flight.scope,
        )
        return credential if self.settle(flight, credential, url) else None

    def settle(self, flight: Flight, credential: Credential, url: str) -> bool:
        """End a renewal with a credential; return `False` if a later login has overtaken it."""
        with self._lock:
            latest = self._flights.get(flight.key)
            if latest is not flight and not flight.may_end(latest):
                return False
            space, contested = self._hold(credential), len(self._spaces[flight.key.origin]) > 1
            space.reaches(url, next(self._moments), contested=contested)
            wakers = self._ended(flight, _GRANTED)
        self._wake(flight, wakers)
        if latest is not None and latest is not flight:
            self.end(latest, Status.GRANTED)
        return True

    def prolong(self, flight: Flight) -> None:
        """Prevent the takeover of a renewal that had to wait; its login counts from now on."""
        super().prolong(flight)
        with self._lock:
            flight.began = self._space(flight.key).postpone(flight.began, self.clock())

    def refund(self, flight: Flight) -> None:
        """Do not count a renewal in the budget: it was not needed because a session died."""
        with self._lock:
            self._space(flight.key).refund(flight.began)

    def _hold(self, credential: Credential) -> ProtectionSpace:
        key = credential.key
        space = self._space(key)
        space.latest, space.blocked = credential.grant, None
        space.version = credential.version if credential.shared else None
        if self._refused:
            self._refused.pop(key.origin, None)
        if space.is_kept:
            old = self._put(key, credential)
            if credential.responder.grant_from is None:  # a grant from a challenge ends by itself
                self.logouts.replaced(old, credential)
        return space

    def failed(self, flight: Flight, cause: BaseException, *, refused: bool) -> None:
        """End a renewal with its failure: final if the login was refused, else for a pause."""
        final = Blocked(Outcome.REFUSED, cause)
        blocked = final if refused else outage(cause, flight.attempt, self.clock())
        with self._lock:
            if self._flights.get(flight.key) is flight:
                spent = _spends(cause, flight)
                flight.keep_refresh_token(self._spaces[flight.key.origin][flight.key], spent=spent)
        self.block(flight, blocked)

    def block(self, flight: Flight, blocked: Blocked) -> None:
        """End a renewal because no login is tried now. A refusal counts for the whole origin."""
        with self._lock:
            if flight.status is Status.RUNNING:
                flight.blocked = blocked
            if self._flights.get(flight.key) is flight:
                self._block(flight.key, blocked)
        self.end(flight, Status.FAILED)

    def _cancelled(self, flight: Flight, *, leads: bool) -> None:
        space = self.space(flight.key)
        if space is not None:
            flight.was_cancelled(space, leads=leads, own_client=self.own_client)

    def _block(self, key: Key, blocked: Blocked) -> None:
        if blocked.outcome is Outcome.REFUSED:
            self._refused[key.origin] = blocked
        else:
            self._spaces[key.origin][key].blocked = blocked


def _spends(cause: BaseException, flight: Flight) -> bool:
    from relogin.client.logins.sending.spent_token import spends_refresh_token  # few logins fail

    return spends_refresh_token(cause, flight.progress)


def _after_fork_in_child() -> None:
    for cache in list(_caches):
        cache._begin_in_child()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
