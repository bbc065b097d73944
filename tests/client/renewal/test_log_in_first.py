"""Logging in before the first request, stepped by hand."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import Grant, LoginRefused, LoginTimeout, LoginUnavailable
from relogin.client.renewal.ahead import before
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential, Key
from relogin.client.responders import BEARER, SESSION
from tests.client.shared_steps import Process, Store, token
from tests.client.shared_steps import a_cache as a_sharing_cache
from tests.client.steps import ORIGIN, URL, Clock, Steps, Told, a_cache, challenge, refused, served

FIRST: dict[str, Any] = {"preemptive": BEARER, "responders": (SESSION, BEARER)}
DEFAULT = Key(ORIGIN, "")
ELSEWHERE = "https://api.example.com/users/1"


def preemptive(clock: Clock | None = None, **policy: Any) -> CredentialCache:
    return a_cache(clock, **FIRST | policy)


def about_to_send(cache: CredentialCache, url: str = URL, origin: str = ORIGIN) -> Process:
    credential = cache.for_request(origin, url)
    assert not cache.ready(origin, credential)
    return Process(cache, refused(), before(cache, credential, origin, "GET", url))


def logged_in(cache: CredentialCache, grant: Grant | str = "t1") -> Credential:
    credential: Credential = about_to_send(cache).send(grant).result
    return credential


def died(cache: CredentialCache, sent: Credential | None, said: str, url: str = URL) -> Steps:
    return Steps(cache, refused(sent, said, url=url))


def test_the_token_goes_out_in_the_way_of_most_servers_until_a_challenge_says_how() -> None:
    assert logged_in(preemptive()).headers == {"Authorization": "Bearer t1"}


def test_a_living_session_is_ready_and_one_without_a_session_is_not() -> None:
    cache = preemptive()
    assert not cache.ready(ORIGIN, None)
    assert cache.ready(ORIGIN, logged_in(cache))


def test_a_server_that_was_not_named_needs_no_login() -> None:
    cache, foreign = preemptive(), "https://other.example.com:443"
    assert cache.ready(foreign, None)
    flow = before(cache, None, foreign, "GET", "https://other.example.com/")
    assert not Steps(cache, refused(), flow).leads


def test_requests_that_come_during_the_first_login_wait_for_it() -> None:
    cache = preemptive()
    leader, follower = about_to_send(cache), about_to_send(cache, ELSEWHERE)
    assert follower.wait.flight is leader.login.flight
    credential = leader.send("t1").result
    assert follower.send().result is credential


def test_if_the_leader_is_cancelled_a_follower_logs_in() -> None:
    cache = preemptive()
    leader, follower = about_to_send(cache), about_to_send(cache)
    with pytest.raises(KeyboardInterrupt):
        leader.throw(KeyboardInterrupt())
    assert token(follower.send().send("t2").result) == "t2"


def test_a_follower_does_not_wait_forever() -> None:
    clock = Clock()
    cache = preemptive(clock)
    leader, follower = about_to_send(cache), about_to_send(cache)
    clock.now += cache.policy.wait_timeout
    with pytest.raises(LoginTimeout):
        follower.send()
    assert leader.leads


def test_leader_and_follower_of_a_first_login_get_an_error_each() -> None:
    cache = preemptive()
    leader, follower = about_to_send(cache), about_to_send(cache)
    with pytest.raises(LoginRefused) as first:
        leader.throw(LoginRefused("no"))
    with pytest.raises(LoginRefused) as second:
        follower.send()
    assert first.value is not second.value
    assert first.value.__cause__ is second.value.__cause__


def test_after_an_outage_the_login_is_tried_again_when_its_pause_is_over() -> None:
    clock = Clock()
    cache = preemptive(clock)
    with pytest.raises(LoginUnavailable):
        about_to_send(cache).throw(LoginUnavailable("later", retry_after=5.0))
    with pytest.raises(LoginUnavailable) as caught:
        about_to_send(cache)
    assert caught.value.retry_after == 5.0
    clock.now += 5.0
    assert about_to_send(cache).login.context.attempt == 2


def test_a_login_that_declined_is_asked_again_after_a_grant() -> None:
    cache = preemptive()
    assert about_to_send(cache).send(None).result is None
    assert not about_to_send(cache).leads
    died(cache, None, challenge("session_invalid")).send("t1")
    credential = cache.for_request(ORIGIN, URL)
    died(cache, credential, challenge("session_invalid")).send(None)
    assert cache.for_request(ORIGIN, URL) is None
    about_to_send(cache).login  # noqa: B018 - it asserts that there is one


def test_a_login_that_declined_is_asked_again_after_reset() -> None:
    cache = preemptive()
    about_to_send(cache).send(None)
    cache.reset()
    assert about_to_send(cache).login.context.challenge is None


def test_a_session_that_is_about_to_end_is_renewed_ahead_as_any_other() -> None:
    clock = Clock()
    cache = preemptive(clock)
    credential = logged_in(cache, Grant("t1", expires_in=100.0))
    clock.now += 95.0
    assert token(about_to_send(cache).send("t2").result) == "t2"
    assert cache.newer(DEFAULT, credential) is not None


# The realm, which nobody knows before a challenge


def test_the_first_realm_that_is_named_is_that_of_the_first_login() -> None:
    cache = preemptive()
    first = logged_in(cache, Grant("t1", refresh="r1"))
    context = died(cache, first, challenge("session_expired")).login.context
    assert (context.realm, context.previous) == ("api", first.grant)


def test_a_late_401_of_that_realm_starts_no_login() -> None:
    cache = preemptive()
    first = logged_in(cache)
    died(cache, first, challenge("session_expired")).send("t2")
    assert token(died(cache, first, challenge("session_expired")).replay.credential) == "t2"


def test_a_401_of_that_realm_whose_session_is_not_known_starts_no_login() -> None:
    cache = preemptive()
    logged_in(cache)
    assert token(died(cache, None, challenge("session_expired")).replay.credential) == "t1"


def test_a_second_realm_has_a_session_of_its_own() -> None:
    cache = preemptive()
    died(cache, logged_in(cache), challenge("session_expired")).send("t2")
    other = 'Session realm="other"'
    first = cache.for_request(ORIGIN, ELSEWHERE)
    second = died(cache, first, other, ELSEWHERE).send("u1")
    second.send(served())
    assert token(cache.for_request(ORIGIN, URL)) == "t2"
    assert token(cache.for_request(ORIGIN, ELSEWHERE)) == "u1"


def test_a_request_outside_of_all_realms_carries_the_first_login_s_session() -> None:
    cache = preemptive()
    died(cache, logged_in(cache), challenge("session_expired")).send("t2").send(served())
    first = cache.for_request(ORIGIN, ELSEWHERE)
    died(cache, first, 'Session realm="other"', ELSEWHERE).send("u1").send(served())
    assert token(about_to_send(cache, "https://api.example.com/").result) == "t2"


def test_a_request_outside_of_all_realms_carries_the_latest_session_if_the_first_is_gone() -> None:
    cache = preemptive()
    first = logged_in(cache)
    for realm in ("api", "b", "c"):
        url = f"https://api.example.com/{realm}/1"
        expired = f'Session realm="{realm}", error="session_expired"'
        died(cache, first, expired, url).send(realm).send(served())
    died(cache, cache.by_default(ORIGIN), challenge("session_invalid")).send(None)
    assert token(about_to_send(cache, "https://api.example.com/d/1").result) == "c"


def test_events_name_the_realm_as_the_server_does() -> None:
    told = Told()
    cache = preemptive(listener=told)
    died(cache, logged_in(cache), challenge("session_expired")).send("t2")
    assert {event.realm for event in told.events[:2]} == {""}
    assert {event.realm for event in told.events[2:]} == {"api"}


def test_a_realm_that_was_chosen_is_that_of_the_first_login() -> None:
    cache = preemptive(realm="api")
    process = about_to_send(cache)
    assert process.login.context.realm == "api"
    first = process.send("t1").result
    assert died(cache, first, challenge("session_expired")).login.context.previous == first.grant


def test_after_reset_a_late_401_of_a_realm_is_about_that_realm() -> None:
    cache = preemptive()
    first = logged_in(cache)
    cache.reset()
    died(cache, first, challenge("session_expired")).send("t2")
    assert cache.newer(Key(ORIGIN, "api"), None) is not None


# With a store


def of_the_store(store: Store) -> CredentialCache:
    return a_sharing_cache(store, **FIRST)


def test_the_store_is_asked_before_the_login() -> None:
    store = Store()
    logged_in(of_the_store(store))
    assert token(about_to_send(of_the_store(store)).result) == "t1"


def test_of_two_processes_one_logs_in() -> None:
    store = Store()
    one, other = about_to_send(of_the_store(store)), about_to_send(of_the_store(store))
    assert other.pauses
    one.send("t1")
    assert token(other.go_on().result) == "t1"


def test_a_session_that_others_keep_under_its_realm_is_renewed_there() -> None:
    store = Store()
    others, ours = a_sharing_cache(store), of_the_store(store)
    Process(others, refused(None, challenge("session_expired"))).send("t1")
    held = about_to_send(ours).result
    renewed = Process(ours, refused(held, challenge("session_expired"))).send("t2")
    assert token(renewed.replay.credential) == "t2"
    again = Process(others, refused(others.for_request(ORIGIN, URL), challenge("session_expired")))
    assert token(again.replay.credential) == "t2"


def test_a_session_that_others_have_kept_since_the_first_login_is_renewed_under_its_realm() -> None:
    store = Store()
    ours = a_sharing_cache(store, fresh="always", **FIRST)
    logged_in(ours)
    Process(a_sharing_cache(store), refused(None, challenge("session_expired"))).send("o1")
    about_to_send(ours)
    held = ours.newer(Key(ORIGIN, "api"), None)
    assert token(held) == "o1"
    assert Process(ours, refused(held, challenge("session_expired"))).leads


def test_a_request_during_the_renewal_of_a_session_of_others_waits_for_it() -> None:
    """Its realm is known only from the store, and the dead session has been dropped."""
    store = Store()
    others, ours = a_sharing_cache(store), of_the_store(store)
    Process(others, refused(None, challenge("session_expired"))).send("t1")
    leader = Process(ours, refused(about_to_send(ours).result, challenge("session_invalid")))
    follower = about_to_send(ours, ELSEWHERE)
    assert follower.wait.flight is leader.login.flight
    leader.send("t2")
    assert token(follower.send().result) == "t2"


def test_a_second_realm_of_others_keeps_a_session_of_its_own() -> None:
    store = Store()
    others, ours = a_sharing_cache(store), of_the_store(store)
    Process(others, refused(None, challenge("session_expired"))).send("t1")
    held = about_to_send(ours).result
    other = refused(held, 'Session realm="other"', url=ELSEWHERE)
    second = Process(ours, other).send("u1")
    assert token(second.replay.credential) == "u1"
    assert token(ours.newer(Key(ORIGIN, "api"), None)) == "t1"
