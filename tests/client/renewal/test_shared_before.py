"""Processes that share a store, before a request: expiry, fresh sessions, and what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.commands import Ask
from relogin.client.renewal.policy import Credential
from relogin.client.renewal.shared import consult, forget, share
from relogin.client.stores import Entry, Snapshot
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.record import Record
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
from tests.client.steps import KEY, ORIGIN, Clock, challenge, refused

# Ahead of expiry


def ending(cache: CredentialCache) -> Credential:
    credential = log_in(cache, Grant(token="t1", expires_in=100.0))
    assert isinstance(cache.clock, Clock)
    cache.clock.now += 95.0
    return credential


def test_a_session_that_another_process_has_renewed_ahead_is_not_renewed_again() -> None:
    store = Store()
    cache = a_cache(store)
    credential = ending(cache)
    log_in(a_cache(store), Grant(token="t2"), credential)
    assert token(sign(cache).result) == "t2"


def test_while_another_process_renews_ahead_requests_go_on_with_the_living_session() -> None:
    store = Store()
    cache, other = a_cache(store), a_cache(store)
    credential = ending(cache)
    sign(other)
    store.clock.now += 4.6  # of the 5 seconds that it read
    assert sign(other).leads
    assert sign(cache).result == credential
    store.asked.clear()
    assert token(sign(cache).result) == "t1"
    assert store.asked == []
    store.clock.now += 1.0
    assert token(sign(cache).result) == "t1"
    assert store.asked == ["get"]


def test_an_expiry_is_counted_from_when_the_session_was_obtained() -> None:
    store = Store()
    ending(a_cache(store))
    credential = sign(a_cache(store)).result
    assert credential.renew_at - store.clock() <= 5.0


# Asking before each request


def test_with_fresh_always_the_store_is_asked_before_every_request() -> None:
    store = Store()
    cache, other = a_cache(store, fresh="always"), a_cache(store)
    credential = log_in(cache)
    log_in(other, Grant(token="t2"), credential)
    assert token(sign(cache).result) == "t2"
    store.asked.clear()
    sign(cache)
    assert store.asked == ["get"]


def test_a_task_that_is_cancelled_need_not_wait_for_a_question_that_changes_nothing() -> None:
    asking = consult(a_cache(Store(), fresh="always"), ORIGIN)
    assert not next(asking).even_if_cancelled
    asking.close()


def test_with_fresh_always_a_cookie_that_an_answer_rolls_is_sent_by_all() -> None:
    store = Store()
    one, other = a_cache(store, fresh="always"), a_cache(store, fresh="always")
    credential = log_in(one, Grant(cookies={"sid": "1"}))
    assert sign(other).result.cookies == {"sid": "1"}
    one.roll(credential, {"sid": "2"})
    Process(one, refused(), share(one, credential))
    rolled = sign(other).result
    assert (rolled.cookies, rolled.version) == ({"sid": "2"}, credential.version)


def test_an_answer_that_rolls_nothing_writes_nothing() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    credential = log_in(cache, Grant(cookies={"sid": "1"}))
    store.asked.clear()
    Process(cache, refused(), share(cache, credential))
    assert store.asked == []


def test_what_rolls_of_a_session_obtained_alone_is_not_written() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    store.failure = OSError()
    credential = log_in(cache, Grant(cookies={"sid": "1"}))
    store.failure = None
    store.clock.now += 1.0
    cache.roll(credential, {"sid": "2"})
    store.asked.clear()
    Process(cache, refused(), share(cache, credential))
    assert store.asked == []


def test_with_fresh_always_a_session_that_was_dropped_elsewhere_is_dropped_here() -> None:
    store = Store()
    cache, other = a_cache(store, fresh="always"), a_cache(store)
    log_in(cache)
    Process(other, refused(), forget(other))
    assert sign(cache).result is None


def test_with_fresh_always_a_session_that_the_store_has_lost_is_used_on() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    log_in(cache)
    store.record = Record()
    assert token(sign(cache).result) == "t1"


def test_with_fresh_always_a_session_obtained_alone_is_used_on() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    first = log_in(cache, Grant(cookies={"sid": "1"}))
    store.failure = OSError()
    log_in(cache, Grant(cookies={"sid": "alone"}), first)
    store.failure = None
    store.clock.now += 1.0
    assert sign(cache).result.cookies == {"sid": "alone"}


class Peeked(Store):
    """A store that returns its entries alone, too."""

    def peek(self, origin: str, account: str) -> Mapping[str, Entry]:
        self._count("peek")
        return MemoryStore.get(self, origin, account).entries


def test_the_clock_of_a_store_is_asked_for_only_if_a_peek_shows_a_newer_session() -> None:
    store = Peeked()
    cache, other = a_cache(store, fresh="always"), a_cache(store)
    credential = log_in(cache, Grant(token="t1", expires_in=100.0))
    sign(cache)
    store.asked.clear()
    assert token(sign(cache).result) == "t1"
    assert store.asked == ["peek"]
    log_in(other, Grant(token="t2", expires_in=100.0), credential)
    store.clock.now += 40.0
    store.asked.clear()
    assert token(sign(cache).result) == "t2"
    assert store.asked == ["peek", "get"]
    renew_at = sign(cache).result.renew_at
    assert renew_at - store.clock() <= 60.0


def test_a_lifetime_that_an_answer_tells_is_not_stored() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    cache.extend(credential, 60.0)
    store.asked.clear()
    Process(cache, refused(), share(cache, credential))
    assert store.asked == []


def test_a_cookie_that_another_process_rolls_is_seen_by_a_peek_alone() -> None:
    store = Peeked()
    one, other = a_cache(store, fresh="always"), a_cache(store, fresh="always")
    credential = log_in(one, Grant(cookies={"sid": "1"}))
    sign(other)
    one.roll(credential, {"sid": "2"})
    Process(one, refused(), share(one, credential))
    store.asked.clear()
    assert sign(other).result.cookies == {"sid": "2"}
    assert store.asked == ["peek"]


def test_a_peek_that_fails_sends_the_request_with_what_the_process_has() -> None:
    store = Peeked()
    cache = a_cache(store, fresh="always")
    log_in(cache)
    store.failure = OSError()
    assert token(sign(cache).result) == "t1"


def test_a_store_that_fails_after_a_peek_leaves_the_session_as_it_was() -> None:
    store = Peeked()
    cache, other = a_cache(store, fresh="always"), a_cache(store)
    log_in(other, Grant(token="t2"), log_in(cache))

    def get(origin: str, account: str) -> Snapshot:
        raise OSError

    store.get = get  # type: ignore[method-assign]
    assert token(sign(cache).result) == "t1"


def test_a_store_that_another_request_finds_away_after_a_peek_is_not_asked_again() -> None:
    store = Peeked()
    cache, other = a_cache(store, fresh="always"), a_cache(store)
    log_in(other, Grant(token="t2"), log_in(cache))

    def peek(origin: str, account: str) -> Mapping[str, Entry]:
        cache.store_away_until = cache.clock() + 1.0
        return Peeked.peek(store, origin, account)

    store.peek = peek  # type: ignore[method-assign]
    store.asked.clear()
    assert token(sign(cache).result) == "t1"
    assert store.asked == ["peek"]


# Forgetting


def test_a_reset_forgets_for_all_who_begin_after_it() -> None:
    store = Store()
    cache = a_cache(store)
    log_in(cache)
    Process(cache, refused(), forget(cache))
    assert sign(a_cache(store)).result is None
    assert request(a_cache(store)).leads


def test_a_login_that_began_before_a_reset_does_not_come_back_for_others() -> None:
    store = Store()
    cache, other = a_cache(store), a_cache(store)
    log_in(cache)
    process = request(other, adopted(other))
    Process(cache, refused(), forget(cache))
    process.send(Grant(token="t2"))
    assert sign(a_cache(store)).result is None


def test_a_reset_while_the_store_is_away_forgets_here() -> None:
    store = Store()
    cache = a_cache(store)
    log_in(cache)
    store.failure = OSError()
    Process(cache, refused(), forget(cache))
    cache.reset()
    assert sign(cache).result is None


def test_no_command_shows_what_is_stored() -> None:
    assert "s3cret" not in repr(Ask(print, (Entry("s3cret", 1),)))


def test_after_a_reset_the_store_is_asked_again_before_the_first_request() -> None:
    store = Store()
    cache = a_cache(store)
    sign(cache)
    cache.reset()
    log_in(a_cache(store))
    assert token(sign(cache).result) == "t1"


def test_a_session_for_which_there_is_no_place_is_not_kept() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    for number in range(16):
        realm = f"realm {number}"
        Process(cache, refused(None, challenge(None, realm))).send(Grant(token=f"t{number}"))
    log_in(a_cache(store))
    sign(cache)
    assert KEY not in cache._credentials[ORIGIN]


def test_a_cache_has_no_more_realms_than_it_can_hold_whatever_is_stored() -> None:
    store = Store()
    for number in range(20):
        realm = f"realm {number}"
        Process(a_cache(store), refused(None, challenge(None, realm))).send(
            Grant(token=f"t{number}")
        )
    cache = a_cache(store)
    sign(cache)
    assert len(cache._credentials[ORIGIN]) == 16


def test_a_request_that_waits_while_its_process_is_reset_uses_what_comes() -> None:
    store = Store()
    other, cache = request(a_cache(store)), a_cache(store)
    waiting = request(cache)
    cache.reset()
    other.send(GRANT)
    assert token(waiting.go_on().replay.credential) == "t1"
