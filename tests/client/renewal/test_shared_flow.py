"""Processes that share a store: one logs in, and the others have its session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from relogin import Grant
from relogin.client.renewal.ahead import before
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask
from relogin.client.renewal.policy import Credential
from relogin.client.responders import SESSION
from relogin.client.terms.outcomes import Outcome
from relogin.client.terms.signer import Outgoing, Signer
from relogin.errors import LoginTimeout
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
from tests.client.steps import ORIGIN, URL, Steps, Told, challenge, refused

# One renewal for all


def test_what_one_process_obtained_another_uses_without_a_login() -> None:
    store, told = Store(), Told()
    log_in(a_cache(store))
    assert token(adopted(a_cache(store, told))) == "t1"
    assert told.kinds() == ["challenged", "adopted", "replayed"]


def test_a_process_that_begins_signs_its_first_request_with_what_is_stored() -> None:
    store = Store()
    log_in(a_cache(store))
    assert token(sign(a_cache(store)).result) == "t1"


def test_the_store_is_asked_once_at_the_start_and_not_before_every_request() -> None:
    store = Store()
    cache = a_cache(store)
    sign(cache)
    sign(cache)
    assert store.asked == ["get"]


def test_requests_with_a_living_session_do_not_ask_the_store() -> None:
    store = Store()
    cache = a_cache(store)
    log_in(cache)
    store.asked.clear()
    assert token(sign(cache).result) == "t1"
    assert store.asked == []


def test_requests_to_an_origin_that_is_not_trusted_do_not_ask_the_store() -> None:
    cache = a_cache(Store(), fresh="always")
    assert cache.ready("https://elsewhere.example:443", None)


def test_a_renewal_asks_the_store_four_times_in_all() -> None:
    store = Store()
    log_in(a_cache(store))
    assert store.asked == ["get", "put"] * 2


def test_while_one_process_logs_in_the_other_waits_and_then_has_its_session() -> None:
    store = Store()
    one, other = request(a_cache(store)), request(a_cache(store))
    assert one.leads
    assert other.go_on().pauses
    one.send(GRANT)
    assert token(other.go_on().replay.credential) == "t1"


def test_of_one_process_only_the_leader_asks_the_store() -> None:
    store = Store()
    cache = a_cache(store)
    one = request(cache)
    store.asked.clear()
    two = request(cache)
    assert two.wait.flight is one.flight
    assert store.asked == []


def test_a_refusal_of_an_older_session_than_the_stored_one_costs_no_login() -> None:
    store = Store()
    cache, other = a_cache(store), a_cache(store)
    old = log_in(cache)
    log_in(other, Grant(token="t2"), adopted(other))
    assert token(adopted(cache, old)) == "t2"


def test_a_refusal_of_the_stored_session_leads_to_a_login() -> None:
    store = Store()
    cache = a_cache(store)
    assert request(cache, log_in(cache)).leads


def test_a_session_is_versioned_by_the_store_across_processes() -> None:
    store = Store()
    one, other = a_cache(store), a_cache(store)
    assert log_in(one).version == adopted(other).version == store.record.of_grant


def test_a_session_another_process_obtained_costs_no_budget() -> None:
    store = Store()
    cache, other = a_cache(store, budget=1), a_cache(store)
    mine: Credential | None = None
    theirs: Credential | None = None
    for number in range(3):
        theirs = log_in(other, Grant(token=f"t{number}"), theirs)
        mine = adopted(cache, mine)
    assert request(cache, mine).leads


def test_the_first_session_of_a_store_whose_clock_just_began_is_taken_over_as_any_other() -> None:
    store = Store()
    store.ahead = -store.clock.now
    log_in(a_cache(store))
    assert store.record.version == 1
    assert token(adopted(a_cache(store))) == "t1"


def test_realms_have_sessions_of_their_own() -> None:
    store = Store()
    log_in(a_cache(store))
    assert Process(a_cache(store), refused(None, challenge(None, "other"))).leads


def test_a_process_that_is_for_one_realm_takes_over_no_other_s_session() -> None:
    store = Store()
    log_in(a_cache(store))
    assert sign(a_cache(store, realm="other")).result is None
    assert token(sign(a_cache(store, realm="api")).result) == "t1"


def test_accounts_have_sessions_of_their_own() -> None:
    store = Store()
    log_in(a_cache(store))
    assert sign(a_cache(store, account="ada")).result is None
    assert request(a_cache(store, account="ada")).leads


class Thread(Steps):
    """A request about to be signed, which does not yet have what the store has answered.

    Or one that was refused, if it was `sent_with` a grant.
    """

    def __init__(self, cache: CredentialCache, sent_with: Credential | None = None) -> None:
        signing = before(cache, None, ORIGIN, "GET", URL) if sent_with is None else None
        super().__init__(cache, refused(sent_with, challenge("session_revoked")), signing)

    def answer(self) -> object:
        assert isinstance(self.command, Ask)
        return self.command.call(*self.command.arguments)


def test_what_two_threads_read_at_once_is_taken_over_once() -> None:
    store = Store()
    log_in(a_cache(store))
    cache = a_cache(store)
    slow, quick = Thread(cache), Thread(cache)
    read = slow.answer()
    quick.send(quick.answer())
    slow.send(read)
    assert quick.result is not None
    assert slow.result is quick.result


def test_what_a_slow_thread_has_read_does_not_replace_what_is_newer() -> None:
    store = Store()
    first, cache = log_in(a_cache(store)), a_cache(store)
    slow, quick = Thread(cache), Thread(cache)
    read = slow.answer()
    log_in(a_cache(store), Grant(token="t2"), first)
    quick.send(quick.answer())
    slow.send(read)
    assert token(slow.result) == "t2"


def test_what_two_refused_threads_read_at_once_is_taken_over_once() -> None:
    store = Store()
    first, cache = log_in(a_cache(store)), a_cache(store)
    mine = adopted(cache)
    log_in(a_cache(store), Grant(token="t2"), first)
    slow, quick = Thread(cache, mine), Thread(cache, mine)
    read = slow.answer()
    quick.send(quick.answer())
    slow.send(read)
    assert slow.replay.credential is quick.replay.credential


def test_a_grant_from_the_store_does_not_join_the_signer_of_the_one_before() -> None:
    class Alone(Signer):
        def sign(self, request: Outgoing) -> Mapping[str, str]:
            return {}

        def join(self, current: Signer) -> None:
            raise AssertionError

    store = Store()
    one = a_cache(store, responders=(replace(SESSION, signer=lambda *_: Alone()),))
    first = log_in(a_cache(store))
    mine = adopted(one)
    log_in(a_cache(store), Grant(token="t2"), first)
    assert token(adopted(one, mine)) == "t2"


def test_of_two_that_want_the_lease_at_once_one_gets_it() -> None:
    store = Store()
    others: list[Process] = []
    store.before_put = lambda: others.append(request(a_cache(store)))
    assert request(a_cache(store)).pauses
    assert others[0].leads


def test_a_process_that_waits_for_another_s_login_is_not_taken_over_by_its_own_newcomers() -> None:
    store = Store()
    request(a_cache(store, login_timeout=100.0))
    cache = a_cache(store, login_timeout=20.0)
    waiting = request(cache)
    waiting.go_on(after=29.0)
    store.clock.now += 2.0
    assert request(cache).wait.flight.deadline > store.clock.now


def test_whoever_waits_in_vain_gives_up_at_the_deadline() -> None:
    store = Store()
    request(a_cache(store, login_timeout=1000.0))
    waiting = request(a_cache(store, login_timeout=20.0))
    waiting.go_on(after=51.0)
    assert isinstance(waiting.final.failure, LoginTimeout)


def test_whoever_waits_gets_what_the_successor_of_a_dead_process_obtains_within_its_time() -> None:
    store = Store()
    caches = [a_cache(store) for _ in range(3)]
    _, first, second = map(request, caches)
    store.clock.now += caches[0].policy.flight_timeout
    assert first.go_on().leads
    assert second.go_on(after=0.0).pauses
    store.clock.now += caches[0].policy.login_timeout - 0.2
    first.send(Grant(token="t2"))
    assert token(second.go_on().replay.credential) == "t2"


# Why


def test_a_revoked_session_that_another_process_has_renewed_is_replayed() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    log_in(a_cache(store), Grant(token="t2"), credential)
    assert token(request(cache, credential, "session_revoked").replay.credential) == "t2"


def test_a_session_that_another_process_s_login_revokes_waits_for_that_login() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    other = request(a_cache(store), credential)
    revoked = request(cache, credential, "session_revoked")
    assert revoked.pauses
    other.send(Grant(token="t2"))
    assert token(revoked.go_on().replay.credential) == "t2"


def test_a_revoked_session_waits_no_longer_than_any_other() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    request(a_cache(store, login_timeout=1000.0), credential)
    revoked = request(cache, credential, "session_revoked")
    assert revoked.go_on(after=49.0).pauses
    assert revoked.go_on(after=1.0).outcome is Outcome.UNTOUCHED


def test_a_session_that_was_revoked_for_all_is_the_answer() -> None:
    store = Store()
    cache = a_cache(store)
    revoked = request(cache, log_in(cache), "session_revoked")
    assert revoked.outcome is Outcome.UNTOUCHED


def test_a_request_whose_own_login_was_in_vain_uses_what_another_process_obtained() -> None:
    store = Store()
    process = request(a_cache(store))
    credential = process.send(GRANT).replay.credential
    log_in(a_cache(store), Grant(token="t2"), credential)
    assert token(process.send(refused(credential)).replay.credential) == "t2"


def test_a_request_that_had_another_process_s_session_in_vain_may_log_in() -> None:
    store = Store()
    log_in(a_cache(store))
    process = request(a_cache(store))
    assert process.send(refused(process.replay.credential)).leads


def test_a_session_that_its_server_no_longer_knows_is_not_taken_over_any_more() -> None:
    store = Store()
    cache = a_cache(store)
    assert request(cache, log_in(cache), "session_invalid").leads
    assert sign(a_cache(store)).result is None
