"""`SessionChallenge`: what it refuses to send, and takes as it comes."""

from typing import Any

import pytest

from relogin import Challenge, SessionChallenge, SessionError


@pytest.mark.parametrize(
    "words", [{"realm": 5}, {"realm": None}, {"error_description": b"x"}, {"error": 401}]
)
def test_what_is_no_text_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be a str, not"):
        SessionChallenge(**words)


@pytest.mark.parametrize("age", [True, 1.5, "300"])
def test_a_max_age_that_is_no_whole_number_is_refused(age: Any) -> None:
    with pytest.raises(TypeError, match="an int of seconds"):
        SessionChallenge(max_age=age)


@pytest.mark.parametrize("age", [-1, 10_000_000_000])
def test_a_max_age_out_of_range_is_refused(age: int) -> None:
    with pytest.raises(ValueError, match="0 to 9999999999 seconds"):
        SessionChallenge(max_age=age)


@pytest.mark.parametrize("error", ["session_expird", "", "expired", "x..y", "a b.c"])
def test_a_code_that_nobody_knows_and_nobody_owns_is_refused(error: str) -> None:
    with pytest.raises(ValueError, match="a code of your own must contain a dot"):
        SessionChallenge(error=error)


@pytest.mark.parametrize("value", ["", "two words", 'a"b'])
def test_an_acr_value_that_cannot_stand_in_a_list_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="acr value"):
        SessionChallenge(acr_values=(value,))


def test_a_challenge_of_another_scheme_is_none_of_ours() -> None:
    with pytest.raises(ValueError, match="a Basic challenge"):
        SessionChallenge.from_challenge(Challenge("Basic", {"realm": "x"}))


def test_a_realm_that_could_not_be_sent_is_read_as_it_came() -> None:
    received = Challenge("session", {"realm": "a, b"})
    assert SessionChallenge.from_challenge(received).realm == "a, b"


def test_a_value_that_was_received_and_could_not_be_sent_is_not_sent_on() -> None:
    received = SessionChallenge.from_challenge(Challenge("Session", {"realm": "a, b"}))
    with pytest.raises(ValueError, match="realm"):
        str(received)


def test_acr_values_may_be_given_as_they_stand_in_the_field() -> None:
    assert SessionChallenge(acr_values="gold silver").acr_values == ("gold", "silver")  # type: ignore[arg-type]


def test_a_code_that_nobody_knows_counts_as_invalid() -> None:
    received = SessionChallenge.from_challenge(Challenge("Session", {"error": "brand_new"}))
    assert (received.error, received.effective_error) == ("brand_new", SessionError.INVALID)
