"""What is written can be read back, and what cannot be is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin import AuthInfo, Challenge, Credentials
from tests.wire.fields import challenges, params, token68s, tokens


@given(many=st.lists(challenges, max_size=4))
def test_what_is_written_reads_back_as_it_was(many: list[Challenge]) -> None:
    read = relogin.parse(relogin.serialize(many))
    assert read == many
    assert [one.scheme for one in read] == [one.scheme for one in many]
    assert [list(one.params) for one in read] == [list(one.params) for one in many]


@given(scheme=tokens, given_params=params, token68=token68s)
def test_credentials_read_back_as_they_were(scheme: str, given_params: Any, token68: str) -> None:
    for one in Credentials(scheme, given_params), Credentials(scheme, token68=token68):
        assert Credentials.parse(str(one)) == one


@given(given_params=params)
def test_authentication_info_reads_back_as_it_was(given_params: Any) -> None:
    assert AuthInfo.parse(str(AuthInfo(given_params))) == AuthInfo(given_params)


@given(text=st.text(max_size=6))
def test_a_value_is_written_and_read_back_or_it_is_refused(text: str) -> None:
    try:
        one = Challenge("A", {"b": text})
    except ValueError:
        assert any(c != "\t" and (c < " " or c == "\x7f" or c > "\xff") for c in text)
    else:
        assert relogin.parse(str(one)) == [one]


@pytest.mark.parametrize(
    "bad", ["\r", "\n", "\r\n X: y", "\x00", "\x1b", "\x7f", "Ā", "😀", "\ud800"]
)
def test_no_value_splits_a_field_or_leaves_latin_1(bad: str) -> None:
    with pytest.raises(ValueError, match=r"'realm' cannot be sent .* U\+[0-9A-F]{4,6} at offset 3"):
        Challenge("Basic", {"realm": "abc" + bad})


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\n", 'a"', "a=", "a,", "é", "a\x00"])
def test_a_scheme_or_a_name_that_is_no_token_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="the scheme is not a token"):
        Challenge(bad)
    with pytest.raises(ValueError, match="the parameter name is not a token"):
        Challenge("Basic", {bad: "x"})


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\n", "=", "a=b", "a_é"])
def test_a_token68_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="token68"):
        Challenge("Basic", token68=bad)


def test_every_value_is_quoted_and_its_quotes_and_backslashes_escaped() -> None:
    assert str(Challenge("Basic", {"realm": 'a"\\'})) == r'Basic realm="a\"\\"'
    assert (
        str(Challenge("Digest", {"stale": "true", "nonce": "x"})) == 'Digest stale=true, nonce="x"'
    )
    assert str(Challenge("Digest", {"algorithm": "a b"})) == 'Digest algorithm="a b"'
    assert str(Credentials("digest", {"nc": "1", "uri": "/"})) == 'digest nc=1, uri="/"'
    assert str(Challenge("Negotiate")) == "Negotiate"
    assert str(Challenge("Negotiate", token68="YQ==")) == "Negotiate YQ=="
    assert relogin.serialize([]) == ""


@pytest.mark.parametrize(
    "bad", ["Basic", ['Basic realm="a"\r\nX: y'], [Credentials("Basic")], [None]]
)
def test_what_is_no_challenge_is_not_written(bad: Any) -> None:
    with pytest.raises(TypeError, match="expected a Challenge"):
        relogin.serialize(bad)


@pytest.mark.parametrize("one", [Challenge("Basic"), relogin.SessionChallenge(), None])
def test_a_challenge_alone_is_no_list_of_challenges(one: Any) -> None:
    with pytest.raises(TypeError, match=r"for one alone use str"):
        relogin.serialize(one)


def test_typed_challenges_may_stand_among_the_others() -> None:
    session = relogin.SessionChallenge(realm="a", error="session_expired")
    assert relogin.serialize([Challenge("Bearer"), session]) == f"Bearer, {session}"
