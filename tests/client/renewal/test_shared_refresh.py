"""Processes that share a store: each refresh token is handed out once."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.stores import Entry
from relogin.client.stores.record import Record
from tests.client.shared_steps import GRANT, Store, a_cache, adopted, log_in, request


def test_the_login_gets_the_refresh_token_that_lies_in_the_store() -> None:
    store = Store()
    cache, other = a_cache(store), a_cache(store)
    credential = log_in(cache)
    log_in(other, Grant(token="t2", refresh="r2"), adopted(other))
    process = request(a_cache(store), adopted(cache, credential))
    assert process.context.previous == Grant(token="t2", refresh="r2")


def test_what_says_whether_a_refresh_token_was_used_outlives_a_power_failure() -> None:
    class Noting(Store):
        noted: list[bool] = []  # noqa: RUF012 - of this one test

        def put(self, origin: str, account: str, realm: str, entry: Entry) -> bool:
            self.noted.append(entry.durable)
            return super().put(origin, account, realm, entry)

    store = Noting()
    cache = a_cache(store)
    credential = log_in(cache, Grant(token="t1"))
    log_in(cache, Grant(token="t2"), log_in(cache, GRANT, credential))
    assert store.noted == [False, False, False, True, True, False]


def test_the_successor_of_a_holder_that_died_gets_no_refresh_token() -> None:
    store = Store()
    credential = log_in(a_cache(store))
    request(a_cache(store), credential)
    store.clock.now += 31.0
    assert request(a_cache(store), credential).context.previous == Grant(token="t1")


def test_after_a_login_that_was_interrupted_the_refresh_token_is_not_used() -> None:
    store = Store()
    credential = log_in(a_cache(store))
    with pytest.raises(KeyboardInterrupt):
        request(a_cache(store), credential).throw(KeyboardInterrupt())
    assert request(a_cache(store), credential).context.previous == Grant(token="t1")


def test_a_login_that_is_interrupted_while_its_grant_is_stored_keeps_its_refresh_token() -> None:
    store = Store()
    credential = log_in(a_cache(store))
    flow: Any = request(a_cache(store), credential).flow
    read = flow.send(Grant(token="t2", refresh="r2"))
    put = flow.send(read.call(*read.arguments))
    assert put.call == store.put
    read = flow.throw(KeyboardInterrupt())
    put = flow.send(read.call(*read.arguments))
    with pytest.raises(KeyboardInterrupt):
        flow.send(put.call(*put.arguments))
    assert request(a_cache(store), credential).context.previous == Grant(token="t1", refresh="r2")


def test_after_an_outage_the_refresh_token_is_tried_again() -> None:
    store = Store()
    credential = log_in(a_cache(store))
    request(a_cache(store), credential).throw(LoginUnavailable("later", retry_after=1.0))
    store.clock.now += 2.0
    assert request(a_cache(store), credential).context.previous == GRANT


def test_a_refresh_token_that_its_login_calls_spent_is_not_used() -> None:
    store = Store()
    credential = log_in(a_cache(store))
    lost = LoginUnavailable("later", retry_after=1.0)
    lost.refresh_spent = True
    request(a_cache(store), credential).throw(lost)
    store.clock.now += 2.0
    assert request(a_cache(store), credential).context.previous == Grant(token="t1")


def test_what_a_process_alone_remembers_of_a_refresh_token_is_not_used() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    store.record = Record()
    assert request(cache, credential).context.previous == Grant(token="t1")


def test_of_a_store_that_lost_a_grant_no_refresh_token_is_used_that_was_used_for_it() -> None:
    store = Store()
    one, other = a_cache(store), a_cache(store)
    first = log_in(one)
    before = store.record
    lost = log_in(one, Grant(token="t2", refresh="r2"), first)
    same = adopted(other)
    store.record = before
    assert request(one, lost).context.previous == Grant(token="t2", refresh="r2")
    store.clock.now += 31.0  # the holder has died, perhaps after it has used that
    assert request(other, same).context.previous == Grant(token="t2")


def test_the_refresh_token_of_a_grant_that_the_store_did_not_take_is_used() -> None:
    store = Store()
    cache = a_cache(store)
    first = log_in(cache)
    before = store.record
    leader = request(cache, first)
    store.record = before  # it has lost the lease
    own = leader.send(Grant(token="t2", refresh="r2")).replay.credential
    assert store.record == before
    assert request(cache, own).context.previous == Grant(token="t2", refresh="r2")


def test_a_refresh_token_that_the_process_gave_up_itself_is_not_used() -> None:
    store = Store()
    cache = a_cache(store)
    first = log_in(cache)
    before = store.record
    lost = log_in(cache, Grant(token="t2", refresh="r2"), first)
    with pytest.raises(KeyboardInterrupt):
        request(cache, lost).throw(KeyboardInterrupt())
    store.record = before
    assert request(cache, lost).context.previous == Grant(token="t2")


def test_without_the_store_no_refresh_token_is_used() -> None:
    store = Store()
    cache = a_cache(store)
    credential = log_in(cache)
    store.failure = OSError()
    assert request(cache, credential).context.previous == Grant(token="t1")
