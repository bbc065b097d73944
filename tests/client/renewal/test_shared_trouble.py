"""Processes that share a store, when something goes wrong: a login, a process, the store itself."""

from __future__ import annotations

import pytest

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.renewal.commands import Ask
from relogin.client.renewal.shared import forget
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.record import Record
from relogin.client.terms.outcomes import Outcome
from tests.client.shared_steps import (
    GRANT,
    Process,
    Store,
    a_cache,
    adopted,
    log_in,
    request,
    sign,
    token,
)
from tests.client.steps import KEY, ORIGIN, Steps, Told, challenge, refused

# A holder that dies, or is slow


def test_a_holder_that_dies_is_replaced_after_its_deadline_once() -> None:
    store = Store()
    request(a_cache(store, login_timeout=20.0))
    one, other = request(a_cache(store)), request(a_cache(store))
    assert one.go_on(after=29.0).pauses
    assert one.go_on(after=1.0).leads
    assert one.flight.deadline == store.clock() + 30.0
    assert other.go_on().pauses
    one.send(GRANT)
    assert token(other.go_on().replay.credential) == "t1"


def test_a_renewal_that_a_slow_store_held_up_serves_the_one_that_overtook_it() -> None:
    store, told = Store(), Told()
    cache = a_cache(store, told)
    slow = Steps(cache, refused())  # it asks the store, and so does the next
    store.clock.now += 31.0
    later = Steps(cache, refused())
    credential = slow.throw(ConnectionError()).send(GRANT).replay.credential
    store.clock.now += 1.0  # it is asked again
    while isinstance(later.command, Ask):
        later.send(later.command.call(*later.command.arguments))
    assert later.replay.credential is credential
    assert told.kinds().count("started") == 1
    assert not store.record.leased(store.now)


def test_a_store_that_has_lost_all_and_was_set_back_costs_one_login_for_all() -> None:
    store = Store()
    one, other = a_cache(store), a_cache(store)
    died = log_in(one), adopted(other)
    store.record = Record()
    store.ahead -= 7200.0
    assert token(log_in(one, Grant(token="t2"), died[0])) == "t2"
    assert token(adopted(other, died[1])) == "t2"


def test_a_store_that_has_lost_a_grant_and_was_set_back_costs_no_login_at_the_next_death() -> None:
    store = Store()
    one, other = a_cache(store), a_cache(store)
    first = log_in(one)
    adopted(other)
    before = store.record
    lost = log_in(one, Grant(token="lost"), first)
    store.record = before
    store.ahead -= 7200.0
    log_in(other, Grant(token="t3"), first)
    assert token(adopted(one, lost)) == "t3"


def test_a_grant_that_a_process_knows_dead_is_not_taken_from_a_store_that_brings_it_back() -> None:
    store = Store()
    one, other = a_cache(store, fresh="always"), a_cache(store)
    first = log_in(one)
    before = store.record
    second, after = log_in(one, Grant(token="t2"), first), store.record
    store.record = Record()
    log_in(other, Grant(token="t3"))
    third = adopted(one, second)
    for brought_back in (before, after):
        store.record = brought_back
        assert token(sign(one).result) == "t3"
    assert request(one, third).leads


def test_a_login_that_had_to_wait_counts_from_when_it_began() -> None:
    store = Store()
    request(a_cache(store))
    cache = a_cache(store, budget=1)
    waited = request(cache).go_on(after=31.0)
    credential = waited.send(GRANT).replay.credential
    store.clock.now += 29.0
    assert request(cache, credential).outcome is Outcome.OVER_BUDGET
    store.clock.now += 1.0
    assert request(cache, credential).leads


def test_a_slow_holder_adopts_what_its_successor_obtained() -> None:
    store, told = Store(), Told()
    slow = request(a_cache(store, told))
    store.clock.now += 31.0
    log_in(a_cache(store), Grant(token="successor's"))
    slow.send(Grant(token="too-late"))
    assert token(slow.replay.credential) == "successor's"
    assert store.record.grant == Grant(token="successor's")
    assert told.kinds() == ["challenged", "started", "adopted", "finished", "replayed"]


def test_a_slow_holder_uses_its_own_while_its_successor_has_none() -> None:
    store = Store()
    slow = request(a_cache(store))
    store.clock.now += 31.0
    successor = request(a_cache(store))
    credential = slow.send(Grant(token="slow-one's")).replay.credential
    assert token(credential) == "slow-one's"
    assert not credential.shared
    assert not store.record.alive()
    successor.send(Grant(token="successor's"))
    assert token(slow.send(refused(credential)).replay.credential) == "successor's"


def test_a_slow_holder_whose_successor_s_grant_is_of_no_use_to_it_uses_its_own() -> None:
    store = Store()
    slow = request(a_cache(store))
    store.clock.now += 31.0
    lease = store.record.acquire(None, 30, store.now)
    assert lease is not None
    done = lease.put(lease.of_lease, Grant(token="t2"), "Negotiate", store.now)
    assert done is not None
    store.record = done
    assert token(slow.send(Grant(token="own")).replay.credential) == "own"


def test_a_login_that_is_interrupted_gives_the_lease_back() -> None:
    store = Store()
    interrupted = request(a_cache(store))
    with pytest.raises(KeyboardInterrupt):
        interrupted.throw(KeyboardInterrupt())
    assert request(a_cache(store)).leads


def test_a_request_that_is_thrown_away_leaves_the_lease_to_its_deadline() -> None:
    store = Store()
    request(a_cache(store)).flow.close()
    waiting = request(a_cache(store))
    assert waiting.pauses
    assert waiting.go_on(after=30.0).leads


def test_a_login_that_declines_gives_the_lease_back() -> None:
    store = Store()
    assert request(a_cache(store)).send(None).outcome is Outcome.DECLINED
    assert request(a_cache(store)).leads


# Failures


def test_an_outage_in_one_realm_is_none_in_another() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginUnavailable("later"))
    assert Process(a_cache(store), refused(None, challenge(None, "other"))).leads


def test_a_refused_password_is_refused_for_all() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginRefused("no"))
    other = request(a_cache(store))
    assert other.outcome is Outcome.REFUSED
    assert str(other.final.failure) == (
        "the login was refused: by another process; it is not tried again until reset()"
    )


def test_a_refused_password_is_refused_in_every_realm() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginRefused("no"))
    other = Process(a_cache(store), refused(None, challenge(None, "other")))
    assert other.outcome is Outcome.REFUSED


def test_whoever_has_met_a_refusal_asks_the_store_only_for_a_newer_session() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginRefused("no"))
    cache = a_cache(store)
    request(cache)
    store.asked.clear()
    assert request(cache).outcome is Outcome.REFUSED
    assert store.asked == ["get"]


def test_a_process_that_begins_long_after_a_refusal_may_try_again() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginRefused("no"))
    store.clock.now += 899.0
    assert request(a_cache(store)).outcome is Outcome.REFUSED
    store.clock.now += 2.0
    assert request(a_cache(store)).leads


def test_a_refusal_is_forgotten_by_all_after_a_reset_and_a_login() -> None:
    store = Store()
    cache, other = a_cache(store), a_cache(store)
    request(cache).throw(LoginRefused("no"))
    request(other)
    Process(cache, refused(), forget(cache))
    cache.reset()
    log_in(cache)
    assert token(adopted(other)) == "t1"


def test_an_outage_holds_all_off_for_the_same_time() -> None:
    store = Store()
    request(a_cache(store)).throw(LoginUnavailable("later", retry_after=60.0))
    cache = a_cache(store)
    assert request(cache).outcome is Outcome.UNAVAILABLE
    store.clock.now += 59.0
    failure = request(cache).final.failure
    assert isinstance(failure, LoginUnavailable)
    assert failure.retry_after == pytest.approx(1.0)
    store.clock.now += 1.1
    assert request(cache).leads


def test_a_slow_store_keeps_the_session_although_the_pause_of_an_outage_is_over() -> None:
    class Slow(Store):
        def get(self, origin: str, account: str) -> Snapshot:
            self.clock.now += 0.1
            return super().get(origin, account)

    store = Slow()
    credential = log_in(a_cache(store))
    request(a_cache(store), credential).throw(LoginUnavailable("later", retry_after=0.0))
    assert store.record.grant == GRANT


def test_the_logins_that_failed_are_counted_across_processes() -> None:
    store = Store()
    for attempt in (1, 2, 3):
        process = request(a_cache(store))
        assert process.context.attempt == attempt
        process.throw(LoginUnavailable("later", retry_after=0.5))
        store.clock.now += 1.0


def test_a_request_over_budget_uses_what_another_process_obtained() -> None:
    store = Store()
    cache = a_cache(store, budget=1)
    credential = log_in(cache)
    log_in(a_cache(store), Grant(token="t2"), credential)
    assert token(adopted(cache, credential)) == "t2"
    assert request(cache, adopted(cache, credential)).outcome is Outcome.OVER_BUDGET


def test_a_request_over_budget_does_not_wait_for_another_process() -> None:
    store = Store()
    cache = a_cache(store, budget=1)
    credential = log_in(cache)
    request(a_cache(store), credential)
    assert request(cache, credential).outcome is Outcome.OVER_BUDGET


# A store that is away


def test_without_the_store_a_process_logs_in_for_itself_and_says_so() -> None:
    store, told = Store(), Told()
    store.failure = OSError("s3cret")
    assert token(log_in(a_cache(store, told))) == "t1"
    away = next(event for event in told.events if event.kind == "store_away")
    assert (away.origin, away.reason) == (ORIGIN, "OSError")


def test_each_kind_of_error_of_a_store_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    cache = a_cache(store)
    for store.failure in (OSError("s3cret"), OSError(), TimeoutError()):
        store.clock.now += 1.0
        cache.reset()
        log_in(cache)
    assert caplog.messages == [
        f"the store failed ({kind}): this process logs in on its own"
        for kind in ("OSError", "TimeoutError")
    ]


def test_a_store_that_is_away_is_asked_again_after_a_second() -> None:
    store = Store()
    store.failure = OSError()
    cache = a_cache(store)
    credential = log_in(cache)
    assert store.asked == ["get"]
    store.clock.now += 1.0
    store.failure = None
    log_in(cache, Grant(token="t2"), credential)
    assert token(adopted(a_cache(store))) == "t2"


def test_a_store_that_is_away_is_not_asked_by_each_request() -> None:
    store = Store()
    store.failure = OSError()
    cache = a_cache(store)
    credential = log_in(cache)
    assert token(log_in(cache, Grant(token="t2"), credential)) == "t2"
    assert request(cache, cache.newer(KEY, None), "session_revoked").outcome is Outcome.UNTOUCHED
    assert store.asked == ["get"]


def test_a_session_that_was_obtained_alone_yields_to_any_newer_one_of_the_store() -> None:
    store = Store()
    cache = a_cache(store)
    first = log_in(cache)
    store.failure = OSError()
    alone = log_in(cache, Grant(token="alone"), first)
    store.failure = None
    store.clock.now += 1.0
    log_in(a_cache(store), Grant(token="t2"), first)
    assert token(adopted(cache, alone)) == "t2"


def test_a_login_whose_grant_cannot_be_stored_is_used_all_the_same() -> None:
    store = Store()
    process = request(a_cache(store))
    store.failure = OSError()
    assert token(process.send(GRANT).replay.credential) == "t1"


def test_a_session_that_was_stored_unnoticed_is_not_taken_for_a_newer_one() -> None:
    class Lossy(Store):
        def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
            done = super().put(origin, account, realm, entry)
            if Record.loads(entry.text).alive():
                raise OSError
            return done

    store = Lossy()
    cache = a_cache(store)
    credential = log_in(cache)
    store.clock.now += 1.0
    assert request(cache, credential).leads


def test_a_store_that_takes_nothing_costs_no_request() -> None:
    class Deaf(Store):
        def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
            self.asked.append("put")
            return False

    store = Deaf()
    assert token(log_in(a_cache(store))) == "t1"
    assert store.asked.count("put") == 16


def test_a_process_that_begins_without_the_store_sends_its_request_unsigned() -> None:
    store = Store()
    log_in(a_cache(store))
    store.failure = OSError()
    assert sign(a_cache(store)).result is None


def test_a_revoked_session_is_the_answer_when_the_store_is_away() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    store.failure = OSError()
    assert request(cache, credential, "session_revoked").outcome is Outcome.UNTOUCHED


def test_a_store_that_was_emptied_is_filled_again() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    store.record = Record()
    store.clock.now += 1.0
    again = log_in(cache, Grant(token="t2"), credential)
    assert token(adopted(a_cache(store))) == "t2"
    assert again.version != credential.version
