"""What the user configures: actions, and responders of one's own."""

from typing import Any

import pytest

from relogin import Challenge, Credentials, Grant, InvalidGrant, SessionError
from relogin.client.renewal.policy import Decision, Policy
from relogin.client.requests import SessionAuth
from relogin.client.responders import BEARER, SESSION, Action, Responder
from tests.client.steps import KEY, ORIGIN, URL, a_cache, challenge, log_in, refused


@pytest.mark.parametrize("action", ["stop", Action.STOP])
def test_an_action_may_be_written_as_a_word(action: Any) -> None:
    auth = SessionAuth(lambda _: "t", URL, actions={"session_expired": action})
    assert auth._cache.policy.actions == {"session_expired": Action.STOP}


@pytest.mark.requirement("C-15")
@pytest.mark.parametrize(
    ("error", "steps_up", "action"),
    [
        (None, False, Action.RENEW),
        (SessionError.EXPIRED, False, Action.RENEW),
        (SessionError.INVALID, False, Action.REPLACE),
        (SessionError.REVOKED, False, Action.STOP),
        (SessionError.INSUFFICIENT, False, Action.STOP),
        (SessionError.INSUFFICIENT, True, Action.STEP_UP),
        ("session_revoked ", False, Action.REPLACE),
    ],
)
def test_each_code_asks_for_what_the_specification_says(
    error: str | None, steps_up: bool, action: Action
) -> None:
    policy = Policy(frozenset({ORIGIN}), (SESSION,), steps_up=steps_up)
    decision = policy.decision(refused(challenge=challenge(error)))
    assert decision is not None
    assert decision.action is action


def test_a_scheme_of_one_s_own_needs_three_things() -> None:
    def authorization(token: str) -> str:
        return str(Credentials("Custom", {"key": token}))

    def error_of(challenge: Challenge) -> str | None:
        return challenge.get("why")

    custom = Responder("Custom", error_of, authorization)
    cache = a_cache(responders=(custom,))
    credential = log_in(cache, "t1", refused(challenge="custom why=gone"))
    assert credential.headers["Authorization"] == 'Custom key="t1"'


@pytest.mark.requirement("C-5")
def test_a_token_is_sent_quoted() -> None:
    assert SESSION.carried("bG9naW4").headers == {"Authorization": 'Session token="bG9naW4"'}
    assert BEARER.carried("bG9naW4=").headers == {"Authorization": "Bearer bG9naW4="}


@pytest.mark.parametrize("value", ["a\r\nInjected: yes", "a\x00", "€", "", " a", "a ", "a\t"])
def test_what_is_no_field_value_is_signed_with_by_no_responder(value: str) -> None:
    own = Responder("Own", lambda _: None, lambda token: token)
    with pytest.raises(InvalidGrant, match="cannot be sent in a header field"):
        own.carried(value)


@pytest.mark.parametrize("value", ["a", "Own a b", "Own é"])
def test_a_responder_of_one_s_own_may_write_any_field_value(value: str) -> None:
    own = Responder("Own", lambda _: None, lambda token: token)
    assert own.carried(value).headers == {"Authorization": value}


def test_of_the_decisions_about_challenges_only_those_of_late_are_kept() -> None:
    policy = Policy(frozenset({ORIGIN}), (SESSION,))
    for number in range(200):
        decision = policy.decision(refused(challenge=f'Session realm="{number}"'))
        assert decision is not None
        assert decision.key.realm == str(number)
    assert len(policy._decided) <= 64


def test_a_scheme_without_scopes_is_met_by_every_grant() -> None:
    asked = Challenge("Session", {"realm": "api"})
    assert SESSION.covers(Grant(token="t1"), asked)
    decision = Decision(KEY, Action.RENEW, SESSION, asked, None)
    assert decision.is_met_by(Grant(token="t1"))
