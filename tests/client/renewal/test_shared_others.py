"""Processes that share a store: what others have written, and a store that tells of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest

from relogin import Grant
from relogin.client.stores import Entry
from relogin.client.stores.memory import MemoryStore
from relogin.client.terms.outcomes import Outcome
from tests.client.shared_steps import GRANT, Store, a_cache, adopted, log_in, request, sign, token
from tests.client.steps import ORIGIN, Told

# What others have written


def written(store: Store, grant: Grant, scheme: str = "Session") -> None:
    lease = store.record.acquire(store.record.of_grant, 30, store.now)
    assert lease is not None
    done = lease.put(lease.of_lease, grant, scheme, store.now)
    assert done is not None
    store.record = done


@pytest.mark.parametrize(
    ("grant", "scheme"),
    [
        (Grant(token="t1"), "Negotiate"),
        (Grant(token="line\r\nInjected: yes"), "Session"),
    ],
)
def test_a_stored_session_that_cannot_be_sent_is_renewed_instead(grant: Grant, scheme: str) -> None:
    store = Store()
    written(store, grant, scheme)
    assert sign(a_cache(store)).result is None
    process = request(a_cache(store))
    assert process.go_on().leads
    process.send(Grant(token="t2"))
    assert token(adopted(a_cache(store))) == "t2"


INJECTED = json.dumps(
    {
        "version": 9,
        "fence": 9,
        "scheme": "Session",
        "grant": {
            "token": "s3cret",
            "expires_in": None,
            "refresh": None,
            "cookies": {"sid": "1\r\nInjected: yes"},
        },
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3cret",
        "x" * 2**17,
        '{"fence":"s3cret"}',
        INJECTED,
    ],
)
def test_a_stored_text_that_makes_no_sense_is_nothing_and_is_logged_and_written_anew(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store()
    assert store.put(ORIGIN, "", "api", Entry(text, 0))
    assert sign(a_cache(store)).result is None
    (warning,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    assert "is not used: it is " in warning.getMessage()
    assert "s3cret" not in caplog.text
    assert token(log_in(a_cache(store), Grant(token="t2"))) == "t2"
    assert token(sign(a_cache(store)).result) == "t2"


def test_cookies_that_were_stored_for_a_session_in_use_are_believed_no_more_than_others() -> None:
    store = Store()
    cache = a_cache(store, fresh="always")
    credential = log_in(cache, Grant(cookies={"sid": "1"}))
    text = store.record.dumps()
    entry = MemoryStore.get(store, ORIGIN, "").entries["api"]
    for value in ("1\\r\\nInjected: yes", "1; admin=1"):
        bad = entry._replace(text=text.replace('"sid":"1"', f'"sid":"{value}"'))
        store._of_this_process().entries[ORIGIN, ""]["api"] = bad
        assert sign(cache).result is credential


def test_a_token_that_cannot_be_sent_is_not_stored_for_others() -> None:
    store = Store()
    process = request(a_cache(store)).send(Grant(token="line\r\nInjected: yes"))
    assert process.outcome is Outcome.UNAVAILABLE
    assert store.record.grant is None


def test_cookies_are_shared_as_tokens_are() -> None:
    store = Store()
    log_in(a_cache(store), Grant(cookies={"sid": "1"}))
    assert adopted(a_cache(store)).cookies == {"sid": "1"}


# A store that tells of changes


class Telling(Store):
    """Lets the clock run instead of waiting, and notes for what it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[tuple[int, float]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, origin: str, account: str, realm: str, revision: int, seconds: float) -> None:
        self.waits.append((revision, seconds))
        self.meanwhile()


def test_a_store_that_tells_of_changes_is_waited_for_and_not_polled() -> None:
    store = Telling()
    leader = request(a_cache(store))
    assert leader.leads
    store.meanwhile = lambda: leader.send(GRANT)
    waiter = request(a_cache(store))
    assert waiter.replay.credential.grant.token == GRANT.token
    assert store.waits == [(1, 1.0)]


def test_nobody_waits_for_a_store_beyond_the_end_of_the_lease() -> None:
    store = Telling()
    cache = a_cache(store, login_timeout=0.4)
    leader = request(cache)
    store.meanwhile = lambda: leader.send(GRANT)
    request(a_cache(store))
    ((_, seconds),) = store.waits
    assert seconds == pytest.approx(0.6)


def test_nobody_waits_for_a_store_for_so_long_that_the_store_is_given_up() -> None:
    store = Telling()
    leader = request(a_cache(store))
    store.meanwhile = lambda: leader.send(GRANT)
    request(a_cache(store, login_timeout=0.5))
    ((_, seconds),) = store.waits
    assert seconds == 0.25


def test_a_store_whose_wait_ends_too_early_is_not_asked_without_a_pause() -> None:
    store = Telling()
    leader = request(a_cache(store))
    waiter = request(a_cache(store))
    assert store.waits == [(1, 1.0)]
    assert waiter.pauses
    waiter.go_on()
    assert len(store.waits) == 2
    leader.send(GRANT)
    assert token(waiter.go_on().replay.credential) == "t1"


def test_a_store_that_cannot_tell_is_polled_for_ten_seconds_and_this_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, told = Telling(), Told()

    def fail() -> None:
        raise PermissionError("s3cret")

    store.meanwhile = fail
    assert request(a_cache(store, login_timeout=100.0)).leads
    waiter = request(a_cache(store, told, login_timeout=100.0))
    for _ in range(3):
        assert waiter.pauses
        waiter.go_on()
    assert len(store.waits) == 1
    waiter.go_on(after=10.0)
    assert len(store.waits) == 2
    assert "store_away" not in told.kinds()
    assert caplog.messages == [
        "the store cannot announce changes (PermissionError): it is polled instead"
    ]
