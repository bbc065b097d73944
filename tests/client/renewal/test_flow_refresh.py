"""What becomes of a refresh token, and what a login is told of the grant before."""

import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.protection_spaces import ProtectionSpace
from tests.client.steps import KEY, ORIGIN, Clock, Steps, a_cache, challenge, log_in, refused

GRANT = Grant(token="t1", refresh="r1")


def previous(cache: CredentialCache) -> Grant | None:
    steps = Steps(cache, refused(cache.newer(KEY, None)))
    steps.flow.close()
    return steps.login.context.previous


def with_refresh_token(clock: Clock | None = None) -> CredentialCache:
    cache = a_cache(clock)
    Steps(cache, refused()).send(GRANT).flow.close()
    return cache


def watched(cache: CredentialCache) -> Steps:
    steps = Steps(cache, refused(cache.newer(KEY, None)))
    done = steps.login.context.progress
    done.watched = done.opened = True
    return steps


def test_a_login_that_was_cancelled_before_it_posted_anything_keeps_its_refresh_token() -> None:
    cache = with_refresh_token()
    steps = watched(cache)
    steps.login.context.progress.sends("GET")  # some metadata, say
    steps.flow.close()
    steps = watched(cache)
    assert steps.login.context.previous == GRANT
    steps.login.context.progress.sends("POST")
    steps.flow.close()
    assert watched(cache).login.context.previous == Grant(token="t1")


def test_a_login_that_takes_over_a_slow_one_does_not_use_its_refresh_token_again() -> None:
    clock = Clock()
    cache = with_refresh_token(clock)
    slow = watched(cache)
    clock.now += 31.0  # after 30 seconds another request takes over
    unsent = watched(cache)
    assert unsent.login.context.previous == GRANT
    slow.login.context.progress.sends("POST")  # overtaken: the latest one counts
    unsent.login.context.progress.sends("POST")
    clock.now += 31.0
    assert watched(cache).login.context.previous == Grant(token="t1")


def test_what_fails_after_a_refresh_that_was_accepted_has_spent_the_refresh_token() -> None:
    clock = Clock()
    cache = with_refresh_token(clock)
    steps = watched(cache)
    steps.login.context.progress.answered("GET", 200)
    steps.throw(ConnectionRefusedError())
    clock.now += 60.0
    steps = watched(cache)
    assert steps.login.context.previous == GRANT
    steps.login.context.progress.answered("POST", 200)
    steps.throw(ConnectionRefusedError())
    clock.now += 60.0
    assert previous(cache) == Grant(token="t1")


def test_the_newest_refresh_token_is_kept_where_a_ready_made_login_has_obtained_it() -> None:
    clock = Clock()
    cache = a_cache(clock)
    for number, grant in enumerate((GRANT, Grant(token="t2", refresh="r2"))):
        steps = watched(cache)
        steps.login.context.progress.keep(grant)
        steps.throw(ConnectionRefusedError())
        clock.now += 60.0
        assert previous(cache) == Grant(token="t1", refresh=f"r{number + 1}")


def test_a_login_that_is_interrupted_while_its_grant_is_kept_keeps_its_refresh_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    cache = with_refresh_token(Clock())
    steps = watched(cache)
    steps.login.context.progress.sends("POST")
    with monkeypatch.context() as patching:
        patching.setattr(ProtectionSpace, "reaches", interrupt)
        with pytest.raises(KeyboardInterrupt):
            steps.send(Grant(token="t2", refresh="r2"))
    assert previous(cache) == Grant(token="t2", refresh="r2")


# What a login is told of the grant before


def test_a_login_gets_the_grant_that_died() -> None:
    cache = a_cache()
    credential = log_in(cache)
    assert Steps(cache, refused(credential)).login.context.previous is credential.grant


@pytest.mark.parametrize("error", ["session_invalid", "vendor.example.odd"])
def test_a_dropped_grant_s_refresh_token_is_there_after_an_outage(error: str) -> None:
    clock = Clock()
    cache = a_cache(clock)
    steps = Steps(cache, refused())
    credential = steps.send(Grant(token="t1", refresh="r1")).replay.credential
    Steps(cache, refused(credential, challenge(error))).throw(LoginUnavailable(retry_after=5))
    clock.now += 5
    previous = Steps(cache, refused(None, challenge(None))).login.context.previous
    assert previous is not None
    assert previous.refresh == "r1"


def test_a_late_401_does_not_bring_back_an_older_refresh_token() -> None:
    cache = a_cache()
    first = log_in(cache, "t1")
    second = log_in(cache, "t2", refused(first))
    cache.drop(second)
    assert Steps(cache, refused(first)).login.context.previous is second.grant


@pytest.mark.requirement("C-22")
def test_a_grant_reported_invalid_is_not_sent_while_it_is_renewed() -> None:
    cache = a_cache()
    credential = log_in(cache)
    steps = Steps(cache, refused(credential, challenge("session_invalid")))
    assert steps.leads
    assert cache.for_request(ORIGIN, "https://api.example.com/") is None


def test_an_expired_grant_is_kept_until_there_is_another() -> None:
    cache = a_cache()
    credential = log_in(cache)
    steps = Steps(cache, refused(credential))
    assert steps.leads
    assert cache.for_request(ORIGIN, "https://api.example.com/") is credential
