"""What processes settle among themselves: leases, fences, versions, refusals, refresh tokens."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from relogin import Grant
from relogin.client.stores.record import Block, Period, Record, Version
from tests.client.stores.records import GRANT, NOW, leased, put, renewed


def test_only_one_gets_the_lease() -> None:
    assert leased(Record()).acquire(None, 30, NOW + 29.9) is None


def test_a_lease_ends_at_its_deadline() -> None:
    assert leased(Record()).acquire(None, 30, NOW + 30) is not None


def test_a_lease_ends_when_the_grant_is_put() -> None:
    record = renewed()
    assert record.acquire(record.of_grant, 30, NOW) is not None


def test_two_leases_given_out_at_one_moment_are_told_apart() -> None:
    assert leased(Record()) != leased(Record())


def test_whoever_renews_an_older_version_than_there_is_gets_no_lease() -> None:
    old = renewed()
    assert renewed(old).acquire(old.of_grant, 30, NOW) is None


def test_whoever_renews_a_version_that_the_store_has_lost_gets_the_lease() -> None:
    assert Record().acquire(renewed().of_grant, 30, NOW) is not None


def test_a_slow_holder_cannot_put_when_its_lease_was_taken_over() -> None:
    slow = leased(Record())
    taken_over = leased(slow, NOW + 31)
    assert taken_over.put(slow.of_lease, GRANT, "Session", NOW + 32) is None


def test_a_slow_holder_can_put_while_nobody_has_taken_over() -> None:
    slow = leased(Record())
    assert slow.put(slow.of_lease, GRANT, "Session", NOW + 3600) is not None


def test_a_lost_store_gives_out_no_fence_that_was_given_out_before() -> None:
    before = leased(Record(), NOW)
    assert leased(Record(), NOW + 0.001).fence > before.fence


# A store that has lost its last changes, or all, and whose clock was set back


def test_a_grant_is_new_to_whoever_has_one_of_a_larger_number_that_the_store_has_lost() -> None:
    lost, stored = renewed(now=NOW + 7200), renewed()
    assert stored.version < lost.version
    assert stored.newer(lost.of_grant)
    assert lost.newer(stored.of_grant)


def test_of_two_grants_with_one_number_each_is_new_to_whoever_has_the_other() -> None:
    one, other = renewed(), renewed()
    assert one.version == other.version
    assert one.newer(other.of_grant)
    assert other.newer(one.of_grant)


def test_a_grant_that_the_store_has_brought_back_is_not_new_to_whoever_knows_it() -> None:
    before = renewed()
    after = renewed(before)
    assert not before.newer(after.of_grant, after.past)
    assert before.acquire(after.of_grant, 30, NOW, past=after.past) is not None


def test_nobody_can_put_under_a_lease_that_has_the_same_number_as_his_own() -> None:
    lost, given_again = leased(Record()), leased(Record())
    assert given_again.fence == lost.fence
    assert given_again.put(lost.of_lease, GRANT, "Session", NOW) is None
    assert given_again.release(lost.of_lease, None, unused=True) is None


def test_a_grant_names_those_before_it_and_what_its_holder_knows_of_but_not_for_ever() -> None:
    record, names = renewed(), list[str]()
    for _ in range(12):
        names.insert(0, record.put_by)
        record = renewed(record)
    assert record.past == tuple(names[:8])
    lease = leased(record)
    done = lease.put(lease.of_lease, GRANT, "Session", NOW, past=("lost", *record.past))
    assert done is not None
    assert done.past == (record.put_by, "lost", *names[:6])


def test_a_holder_that_has_missed_many_grants_names_those_of_the_store_and_its_own_last() -> None:
    record, names = renewed(), list[str]()
    for _ in range(20):
        names.insert(0, record.put_by)
        record = renewed(record)
    lease = leased(record)
    done = lease.put(lease.of_lease, GRANT, "Session", NOW, past=tuple(names[10:]))
    assert done is not None
    assert done.past == (record.put_by, names[10], *names[:6])


def test_a_holder_that_knows_the_grant_which_the_store_brought_back_names_those_after_it() -> None:
    record, names = renewed(), list[str]()
    early = record
    for _ in range(12):
        names.insert(0, record.put_by)
        record = renewed(record)
    lease = leased(early)
    done = lease.put(lease.of_lease, GRANT, "Session", NOW, past=(record.put_by, *names))
    assert done is not None
    assert done.past == (early.put_by, record.put_by, *names[:6])


def test_a_grant_that_is_put_twice_does_not_name_itself() -> None:
    record = renewed()
    assert put(record).past == ()


def test_a_grant_that_the_store_has_lost_is_brought_back_by_whoever_knows_that_it_is_later() -> (
    None
):
    first = renewed()
    second = renewed(first)
    lost = Grant(token="t2", expires_in=60.0)
    back = first.with_lost(second.of_grant, lost, (second.put_by, first.put_by))
    assert (back.of_grant, back.past) == (second.of_grant, (first.put_by,))
    assert back.to_use(NOW) == Grant(token="t2")
    assert Record.loads(back.dumps()) == back
    assert back.acquire(second.of_grant, 30, NOW) is not None


def test_a_grant_that_no_store_has_had_gets_a_name_of_its_own() -> None:
    first = renewed()
    one, other = (first.with_lost(None, GRANT, (first.put_by,)) for _ in range(2))
    assert one.dropped  # no other process can use it
    assert Record.loads(one.dumps()) == one
    assert len({first.put_by, one.put_by, other.put_by}) == 3


def test_no_grant_is_brought_back_in_place_of_the_same_or_of_one_that_is_not_known_to_be_over() -> (
    None
):
    first = renewed()
    second = renewed(first)
    assert second.with_lost(second.of_grant, GRANT, (second.put_by, first.put_by)) is second
    assert second.with_lost(first.of_grant, GRANT, (first.put_by,)) is second
    assert first.with_lost(Version(second.version, ""), GRANT, (first.put_by,)) is first


def test_a_grant_has_ended_if_it_was_dropped_or_forgotten_or_a_later_one_was() -> None:
    first = renewed()
    second = renewed(first)
    dropped = second.acquire(second.of_grant, 30, NOW, drop=True)
    assert dropped is not None
    for over in (dropped, second.forget(NOW)):
        assert over.has_ended(first.of_grant)
        assert over.has_ended(second.of_grant)
    assert not second.has_ended(first.of_grant)  # there is a newer one to use
    assert not dropped.has_ended(renewed().of_grant)  # the store has lost it
    assert not Record().has_ended(first.of_grant)


# Records of earlier releases, which name no grant: where one of them writes, the numbers count


def by_an_earlier_release(record: Record) -> Record:
    written = json.loads(record.dumps())
    return Record.loads(json.dumps({n: written[n] for n in written if n not in {"put_by", "past"}}))


def test_a_grant_of_an_earlier_release_is_new_by_its_number() -> None:
    first = renewed()
    second = by_an_earlier_release(renewed(first))
    assert second.newer(None)
    assert second.newer(first.of_grant)
    assert not by_an_earlier_release(first).newer(second.of_grant)
    assert renewed(second).newer(second.of_grant)


def test_a_grant_stays_the_same_when_an_earlier_release_has_changed_its_cookies() -> None:
    record = renewed()
    changed = by_an_earlier_release(record)
    assert not changed.newer(record.of_grant)
    assert changed.acquire(record.of_grant, 30, NOW) is not None
    assert changed.roll(record.of_grant, {"sid": "2"}) is not None


def test_a_lease_stays_the_same_when_an_earlier_release_has_changed_the_record() -> None:
    lease = leased(renewed())
    assert by_an_earlier_release(lease).put(lease.of_lease, GRANT, "Session", NOW) is not None


def test_a_grant_has_ended_by_its_number_if_an_earlier_release_has_dropped_it() -> None:
    first = renewed()
    second = renewed(first)
    dropped = by_an_earlier_release(replace(second, dropped=True))
    assert dropped.has_ended(first.of_grant)
    assert dropped.has_ended(second.of_grant)
    assert not dropped.has_ended(renewed(second).of_grant)


# Clocks, failures, refresh tokens


def test_a_clock_that_was_set_back_far_ends_a_lease() -> None:
    assert leased(Record()).acquire(None, 30, NOW - 3600) is not None


def test_a_clock_that_was_set_back_a_little_does_not() -> None:
    assert leased(Record()).acquire(None, 30, NOW - 0.5) is None


def test_the_lease_of_a_dead_grant_keeps_others_from_using_that() -> None:
    record = renewed()
    assert record.alive()
    lease = record.acquire(record.of_grant, 30, NOW, drop=True)
    assert lease is not None
    assert not lease.alive()
    assert lease.grant == GRANT


def test_a_lease_that_is_given_back_is_there_for_the_next() -> None:
    lease = leased(Record())
    released = lease.release(lease.of_lease, None, unused=True)
    assert released is not None
    assert released.acquire(None, 30, NOW) is not None


def test_nobody_gives_back_another_s_lease() -> None:
    slow = leased(Record())
    assert leased(slow, NOW + 31).release(slow.of_lease, None, unused=True) is None


def test_a_lease_is_given_back_once() -> None:
    lease = renewed()
    assert lease.release(lease.of_lease, None, unused=True) is None


def refused(now: float = NOW) -> Record:
    lease = leased(Record(), now)
    released = lease.release(lease.of_lease, Block("refused", Period(now, 60), 3), unused=True)
    assert released is not None
    return released


def test_a_failure_keeps_everybody_from_logging_in_for_its_time() -> None:
    assert refused().acquire(None, 30, NOW + 59) is None
    assert refused().acquire(None, 30, NOW + 60) is not None


def test_the_next_login_knows_how_many_failed() -> None:
    lease = leased(refused(), NOW + 60)
    assert lease.block is not None
    assert lease.block.failures == 3


def test_a_success_ends_what_a_failure_began() -> None:
    assert renewed(refused(), now=NOW + 60).block is None


def test_who_takes_over_from_a_holder_that_died_gets_no_refresh_token() -> None:
    first = leased(renewed())
    assert first.grant is not None
    assert first.grant.refresh == "r3fresh-1"
    second = leased(first, NOW + 31)
    assert second.grant is not None
    assert second.grant.refresh is None


def test_who_follows_a_holder_that_failed_gets_the_refresh_token_again() -> None:
    first = leased(renewed())
    failed = first.release(first.of_lease, None, unused=True)
    assert failed is not None
    assert leased(failed).grant == GRANT


def test_who_follows_a_holder_that_failed_after_its_refresh_gets_the_newest_refresh_token() -> None:
    newest = Grant(token="newest", refresh="r9")
    for before in (renewed(), Record()):
        first = leased(before)
        failed = first.release(first.of_lease, None, unused=False, newest=newest)
        assert failed is not None
        assert failed.alive() == before.alive()
        assert failed.version == before.version
        second = leased(failed).grant
        assert second is not None
        assert second.refresh == "r9"


def test_who_follows_a_holder_that_was_interrupted_gets_no_refresh_token() -> None:
    first = leased(renewed())
    failed = first.release(first.of_lease, None, unused=False)
    assert failed is not None
    second = leased(failed).grant
    assert second is not None
    assert second.refresh is None


def test_a_refresh_token_is_there_until_it_is_replaced_or_may_have_been_used() -> None:
    record = renewed()
    first = leased(record)
    assert (Record().refreshable, record.refreshable, first.refreshable) == (False, True, True)
    assert not leased(first, NOW + 31).refreshable
    assert not put(first, Grant(token="t")).refreshable


def test_a_rolled_cookie_is_taken_over_for_the_same_version() -> None:
    record = renewed()
    rolled = record.roll(record.of_grant, {"sid": "2"})
    assert rolled is not None
    assert rolled.grant is not None
    assert (rolled.version, rolled.grant.cookies) == (record.version, {"sid": "2"})


def test_a_cookie_that_did_not_change_is_not_written() -> None:
    record = renewed()
    assert record.roll(record.of_grant, {"sid": "1"}) is None


def test_a_rolled_cookie_of_an_older_version_comes_too_late() -> None:
    old = renewed()
    assert renewed(old).roll(old.of_grant, {"sid": "2"}) is None


def test_a_rolled_cookie_does_not_bring_a_dead_grant_back() -> None:
    record = renewed()
    lease = record.acquire(record.of_grant, 30, NOW, drop=True)
    assert lease is not None
    assert lease.roll(record.of_grant, {"sid": "2"}) is None


def test_a_session_that_is_forgotten_is_not_brought_back_by_a_login_that_began_before() -> None:
    lease = leased(renewed(refused(), now=NOW + 60), NOW + 60)
    forgotten = lease.forget(NOW + 60)
    assert not forgotten.alive()
    assert forgotten.block is None
    assert forgotten.put(lease.of_lease, GRANT, "Session", NOW + 60) is None


def test_a_session_that_is_forgotten_can_be_renewed_at_once() -> None:
    record = renewed()
    assert record.forget(NOW).acquire(record.of_grant, 30, NOW) is not None


def test_the_expiry_is_counted_from_when_the_grant_is_read() -> None:
    grant = renewed().to_use(NOW + 40)
    assert grant is not None
    assert grant.expires_in == pytest.approx(60)


def test_a_session_that_should_have_ended_may_live_and_nothing_is_said_of_its_end() -> None:
    grant = renewed().to_use(NOW + 101)
    assert grant is not None
    assert grant.expires_in is None


def test_of_a_session_without_expiry_none_is_said() -> None:
    grant = renewed(grant=Grant(token="t")).to_use(NOW)
    assert grant == Grant(token="t")


def test_a_dead_grant_is_not_for_use() -> None:
    assert Record().to_use(NOW) is None


def test_nothing_secret_shows() -> None:
    assert repr(renewed()) == "<Record version 1000000, fence 1000000>"
