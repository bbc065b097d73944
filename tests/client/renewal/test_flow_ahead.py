"""Rule 10, stepped by hand: a living session is renewed before a request that is sent anyway."""

from typing import Any

import pytest

from relogin import Grant, LoginRefused
from relogin.client.renewal.ahead import before, renew_ahead
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.flight import Status
from relogin.client.renewal.policy import Credential
from tests.client.steps import KEY, ORIGIN, URL, Clock, Steps, a_cache, challenge, refused


def expiring(cache: CredentialCache) -> Credential:
    """Log in for a session that lives 100 s."""
    credential = Steps(cache, refused()).send(Grant(token="t1", expires_in=100.0)).replay.credential
    assert credential.renew_at is not None
    return credential


def ahead(cache: CredentialCache, credential: Credential) -> Steps:
    return Steps(cache, refused(), renew_ahead(cache, credential, "PUT", URL))


def about_to_send(cache: CredentialCache, credential: Credential | None) -> Steps:
    return Steps(cache, refused(), before(cache, credential, ORIGIN, "GET", URL))


def test_a_session_is_due_from_its_moment_on() -> None:
    clock = Clock()
    cache = a_cache(clock)
    credential = expiring(cache)
    clock.now = (credential.renew_at or 0) - 0.01
    assert cache.ready(ORIGIN, credential)
    clock.now = credential.renew_at or 0
    assert not cache.ready(ORIGIN, credential)


def test_before_a_precious_request_a_session_is_due_a_quarter_of_its_lifetime_earlier() -> None:
    clock = Clock()
    cache = a_cache(clock)
    credential = expiring(cache)
    clock.now = (credential.renew_at or 0) - 25.01
    assert cache.ready(ORIGIN, credential, precious=True)
    clock.now = (credential.renew_at or 0) - 25
    assert not cache.ready(ORIGIN, credential, precious=True)


def test_a_request_without_a_session_is_ready() -> None:
    assert a_cache().ready(ORIGIN, None)


def test_a_session_that_is_due_is_renewed_and_one_that_is_not_is_left() -> None:
    clock = Clock()
    cache = a_cache(clock)
    credential = expiring(cache)
    assert about_to_send(cache, credential).result is credential
    clock.now = credential.renew_at or 0
    renewed = about_to_send(cache, credential).send("t2").result
    assert renewed.headers["Authorization"] == 'Session token="t2"'


def test_without_a_session_nothing_is_done_before_a_request() -> None:
    assert about_to_send(a_cache(), None).result is None


def test_a_session_without_an_end_is_left() -> None:
    cache = a_cache()
    credential = Steps(cache, refused()).send("t1").replay.credential
    assert about_to_send(cache, credential).result is credential


def test_the_login_is_told_for_which_request_and_what_dies() -> None:
    cache = a_cache()
    credential = expiring(cache)
    context = ahead(cache, credential).login.context
    told = (context.method, context.url, context.realm, context.error, context.challenge)
    assert told == ("PUT", URL, "api", None, None)
    assert context.previous is credential.grant


def test_while_one_renews_the_others_go_on_with_the_living_session() -> None:
    cache = a_cache()
    credential = expiring(cache)
    leader = ahead(cache, credential)
    assert ahead(cache, credential).result is credential
    assert leader.send("t2").result.generation > credential.generation


def test_whoever_meets_a_401_meanwhile_waits_for_the_same_renewal() -> None:
    cache = a_cache()
    credential = expiring(cache)
    leader = ahead(cache, credential)
    follower = Steps(cache, refused(credential))
    assert follower.wait.flight is leader.flight


def test_a_session_that_was_renewed_meanwhile_is_taken() -> None:
    cache = a_cache()
    credential = expiring(cache)
    newer = Steps(cache, refused(credential)).send("t2").replay.credential
    assert ahead(cache, credential).result is newer


@pytest.mark.parametrize("error", [ConnectionError(), LoginRefused()])
def test_a_failure_leaves_the_living_session_in_use(error: Exception) -> None:
    cache = a_cache()
    credential = expiring(cache)
    assert ahead(cache, credential).throw(error).result is credential
    assert (
        ahead(cache, credential).result is credential
    )  # and is not tried again before each request


def test_a_login_that_declines_is_not_asked_again_before_a_401() -> None:
    clock = Clock()
    cache = a_cache(clock)
    credential = expiring(cache)
    clock.now = credential.renew_at or 0
    assert ahead(cache, credential).send(None).result is credential
    assert cache.ready(ORIGIN, cache.newer(KEY, None))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), GeneratorExit()])
def test_an_interrupt_leaves_no_renewal_behind(interrupt: BaseException) -> None:
    cache = a_cache()
    credential = expiring(cache)
    steps = ahead(cache, credential)
    flight = steps.flight
    with pytest.raises(type(interrupt)):
        steps.throw(interrupt)
    assert flight.status is Status.ABANDONED
    assert ahead(cache, credential).leads


def test_after_a_reset_in_the_midst_of_a_renewal_ahead_the_old_session_serves_the_request() -> None:
    cache = a_cache()
    credential = expiring(cache)
    steps = ahead(cache, credential)
    cache.reset()
    assert steps.send("t2").result is credential
    assert cache.newer(KEY, None) is None


def test_what_a_renewal_ahead_brings_lies_in_the_folder_of_the_request() -> None:
    cache = a_cache()
    credential = expiring(cache)
    other: Any = refused(url="https://api.example.com/other/1", challenge=challenge(None, "other"))
    Steps(cache, other).send("o1")
    flow = renew_ahead(cache, credential, "GET", "https://api.example.com/new/1")
    renewed = Steps(cache, refused(), flow).send("t2").result
    assert cache.for_request(ORIGIN, "https://api.example.com/new/2") is renewed
