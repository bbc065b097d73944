"""Processes that share a record in any order: fences grow, and no token is given out twice."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relogin import Grant
from relogin.client.stores.record import Block, Period, Record, Version
from tests.client.stores.records import NOW

PROCESSES = st.integers(0, 2)


class Sharers(RuleBasedStateMachine):
    """Three processes that renew one session, stop in the midst of it, come back late, or die."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.record = Record()
        self.holding: dict[int, Record] = {}
        self.grants: list[Version | None] = [None]
        self.fences: list[int] = []
        self.puts: list[int] = []
        self.tokens = 0
        self.handed: set[str] = set()

    @rule(seconds=st.sampled_from([0.1, 5.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(process=PROCESSES, behind=st.integers(0, 1), drop=st.booleans())
    def ask_for_the_lease(self, process: int, behind: int, drop: bool) -> None:
        than = self.grants[-1 - behind :][0]
        lease = self.record.acquire(than, 30, self.now, drop=drop)
        if lease is None:
            return
        assert not self.record.leased(self.now)
        assert not self.record.newer(than)
        assert not self.record.blocked(self.now)
        refresh = None if lease.grant is None else lease.grant.refresh
        if refresh is not None:
            assert refresh not in self.handed
            self.handed.add(refresh)
        self.fences.append(lease.fence)
        self.record = self.holding[process] = lease

    @precondition(lambda self: self.holding)
    @rule(process=PROCESSES)
    def log_in_and_put(self, process: int) -> None:
        lease = self.holding.pop(process, None)
        if lease is None:
            return
        self.tokens += 1
        grant = Grant(token=f"t{self.tokens}", refresh=f"r{self.tokens}")
        done = self.record.put(lease.of_lease, grant, "Session", self.now)
        assert (done is not None) == (lease.fence == self.record.fence)
        if done is not None:
            self.grants.append(done.of_grant)
            self.puts.append(done.version)
            self.record = done

    @precondition(lambda self: self.holding)
    @rule(process=PROCESSES, unused=st.booleans(), block=st.booleans())
    def release(self, process: int, unused: bool, block: bool) -> None:
        lease = self.holding.pop(process, None)
        if lease is None:
            return
        why = Block("unavailable", Period(self.now, 1.0), 1) if block else None
        done = self.record.release(lease.of_lease, why, unused=unused)
        if done is not None:
            self.record = done
            refresh = None if lease.grant is None else lease.grant.refresh
            if unused and refresh is not None:
                self.handed.discard(refresh)

    @rule(process=PROCESSES)
    def die(self, process: int) -> None:
        self.holding.pop(process, None)

    @rule(cookies=st.dictionaries(st.just("sid"), st.sampled_from("ab")))
    def roll(self, cookies: Mapping[str, str]) -> None:
        self.record = self.record.roll(self.record.of_grant, cookies) or self.record

    @rule()
    def forget(self) -> None:
        self.record = self.record.forget(self.now)
        self.grants.append(None)
        self.puts.append(self.record.version)
        self.fences.append(self.record.fence)

    @invariant()
    def every_fence_is_larger_than_those_before(self) -> None:
        assert self.fences == sorted(set(self.fences))

    @invariant()
    def versions_only_grow(self) -> None:
        assert self.puts == sorted(set(self.puts))

    @invariant()
    def it_survives_being_written(self) -> None:
        assert Record.loads(self.record.dumps()) == self.record

    @invariant()
    def somebody_can_renew_it_in_the_end(self) -> None:
        assert self.record.acquire(self.record.of_grant, 30, self.now + 61) is not None


TestSharers = Sharers.TestCase


TestSharers.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
