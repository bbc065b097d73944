"""A refusal of a value that the server has replaced meanwhile, in the same session."""

from __future__ import annotations

from typing import Any

import pytest

from relogin import Grant
from relogin.client.renewal.cache import CredentialCache
from relogin.client.renewal.policy import Credential
from relogin.client.terms.outcomes import Outcome
from tests.client.steps import Steps, a_cache, challenge, refused, served

FIELD: dict[str, Any] = {"rolls": {"X-CSRF-Token": lambda _: ""}}
GRANT = Grant(cookies={"sid": "s1"}, headers={"X-CSRF-Token": "c1"})


def _begin(cache: CredentialCache) -> Credential:
    steps = Steps(cache, refused())
    credential = steps.send(GRANT).replay.credential
    steps.send(served(credential))
    return credential


@pytest.mark.parametrize("error", [None, "session_expired", "session_invalid", "session_revoked"])
@pytest.mark.parametrize(
    "rolled", [({"sid": "s2"}, {}), ({}, {"X-CSRF-Token": "c2"})], ids=["cookie", "field"]
)
def test_a_request_with_a_replaced_value_is_sent_again_with_the_latest_and_without_a_login(
    rolled: Any, error: str | None
) -> None:
    cache = a_cache(**FIELD)
    old = _begin(cache)
    cache.roll(old, *rolled)
    steps = Steps(cache, refused(old, challenge(error)))
    assert steps.replay.credential is cache.current(old) is not old
    assert steps.send(served(cache.current(old))).outcome is Outcome.REPLAYED


def test_if_the_latest_value_is_refused_too_the_session_is_dead() -> None:
    cache = a_cache(**FIELD)
    old = _begin(cache)
    cache.roll(old, {"sid": "s2"})
    steps = Steps(cache, refused(old))
    cache.roll(old, {"sid": "s3"})
    assert steps.send(refused(steps.replay.credential)).leads
    assert steps.send(GRANT).replay.credential.generation > old.generation


def test_if_the_value_is_the_latest_the_session_is_dead() -> None:
    cache = a_cache(**FIELD)
    old = _begin(cache)
    cache.extend(old, 600)
    assert Steps(cache, refused(old)).leads


def test_the_session_is_still_there_to_be_logged_out() -> None:
    cache = a_cache(**FIELD, logout=lambda _: None)
    old = _begin(cache)
    cache.roll(old, {"sid": "s2"})
    latest = cache.current(old)
    Steps(cache, refused(old)).send(served(latest))
    assert cache.let_go() == [latest]
