"""The laws of the cache, under any order of joining, ending, dropping, rolling and resetting."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from relogin import Grant
from relogin.client.renewal.flight import Flight, Status
from relogin.client.renewal.policy import Credential, Decision, Key
from relogin.client.renewal.protection_spaces import Blocked
from relogin.client.responders import SESSION, Action
from tests.client.steps import KEY, URL, Clock, a_cache

KEYS = [KEY, KEY._replace(realm="other"), KEY._replace(realm="")]


def decision(key: Key) -> Decision:
    return Decision(key, Action.RENEW, SESSION, None, None)


class Laws(RuleBasedStateMachine):
    """A cache that many requests use in any order."""

    flights = Bundle("flights")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.cache = a_cache(self.clock, budget=1000)
        self.current: dict[Key, Credential] = {}
        self.highest = 0
        self.led: list[Flight] = []
        self.woken: list[Flight] = []
        self.watched: list[Flight] = []

    @rule(target=flights, key=st.sampled_from(KEYS), dead=st.none() | grants)
    def join(self, key: Key, dead: Credential | None) -> Flight:
        mine = Flight(key)
        joined = self.cache.join(mine, dead if dead is not None and dead.key == key else None)
        if joined is mine:
            self.led.append(mine)
        elif isinstance(joined, Flight):
            assert joined.status is Status.RUNNING, "nobody waits for a renewal that has ended"
            assert self.clock.now < joined.deadline
            self.watch(joined)
        elif isinstance(joined, Credential):
            assert joined is self.current[key]
        else:
            assert isinstance(joined, Blocked)
        return mine

    def watch(self, flight: Flight) -> None:
        if self.cache.watch(flight, lambda: self.woken.append(flight)):
            self.watched.append(flight)

    @rule(target=grants, flight=flights, token=st.sampled_from(["a", "b"]))
    def granted(self, flight: Flight, token: str) -> Any:
        credential = self.cache.granted(flight, decision(flight.key), Grant(token=token), URL)
        if credential is None:
            return self.current.get(flight.key)
        assert credential.generation > self.highest, "generations only grow"
        assert flight in self.led
        self.highest, self.current[flight.key] = credential.generation, credential
        return credential

    @rule(target=grants, key=st.sampled_from(KEYS))
    def renew(self, key: Key) -> Any:
        """Take a renewal from its beginning to its end, which few random steps would do."""
        mine = self.join(key, self.current.get(key))
        return self.granted(mine, "c")

    @rule(flight=flights, status=st.sampled_from([Status.DECLINED, Status.ABANDONED]))
    def end(self, flight: Flight, status: Status) -> None:
        self.cache.end(flight, status)

    @rule(flight=flights, refused=st.booleans())
    def fail(self, flight: Flight, refused: bool) -> None:
        self.cache.failed(flight, ConnectionError(), refused=refused)

    @rule(credential=grants)
    def drop(self, credential: Credential | None) -> None:
        if credential is not None:
            self.cache.drop(credential)
            if credential.generation == self.generation(credential.key):
                del self.current[credential.key]

    @rule(credential=grants, value=st.sampled_from(["1", "2"]))
    def roll(self, credential: Credential | None, value: str) -> None:
        if credential is not None:
            before = self.cache.newer(credential.key, None)
            self.cache.roll(credential, {"sid": value})
            after = self.cache.newer(credential.key, None)
            assert self.generation(credential.key) == (after.generation if after else 0)
            if after is not None and after.generation == credential.generation:
                assert after.cookies["sid"] == value
                self.current[credential.key] = after
            else:
                assert after is before, "an older grant changes nothing"

    def generation(self, key: Key) -> int:
        credential = self.current.get(key)
        return credential.generation if credential is not None else 0

    @rule(seconds=st.sampled_from([0.5, 29.0, 31.0, 4000.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def reset(self) -> None:
        self.cache.reset()
        self.current.clear()

    @rule()
    def fork(self) -> None:
        self.cache._begin_in_child()

    @invariant()
    def at_most_one_current_renewal_a_key_and_that_one_runs(self) -> None:
        for key, flight in self.cache._flights.items():
            assert flight.key == key
            assert flight.status is Status.RUNNING

    @invariant()
    def the_newest_grant_is_held(self) -> None:
        for key in KEYS:
            credential = self.cache.newer(key, None)
            assert credential is self.current.get(key)
            if credential is not None:
                assert self.cache.newer(key, credential) is None

    @invariant()
    def whoever_watched_a_renewal_that_has_ended_was_woken(self) -> None:
        for flight in self.watched:
            assert flight.status is Status.RUNNING or flight in self.woken

    @invariant()
    def the_lock_is_free(self) -> None:
        assert not self.cache._lock.locked()


TestLaws = Laws.TestCase
TestLaws.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
