"""The doors: what `parse`, `serialize` and `diagnose` take, return and raise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin import Challenge, ChallengeSyntaxError
from tests.wire.fields import challenges

Read = Any


@given(many=st.lists(challenges, max_size=4))
def test_several_lines_are_one_field(many: list[Challenge]) -> None:
    lines = [str(one) for one in many]
    assert relogin.parse(lines) == relogin.parse(tuple(lines)) == relogin.parse(iter(lines)) == many
    assert relogin.parse(", ".join(lines)) == many


def test_a_challenge_may_begin_in_one_line_and_go_on_in_the_next() -> None:
    [challenge] = relogin.parse(['Digest realm="a"', 'nonce="b"'])
    assert challenge.params == {"realm": "a", "nonce": "b"}


def test_an_error_in_several_lines_counts_in_the_lines_joined() -> None:
    with pytest.raises(ChallengeSyntaxError) as caught:
        relogin.parse(["Negotiate", "Basic realm=a b"])
    assert caught.value.source == "Negotiate, Basic realm=a b"
    assert caught.value.source[caught.value.start : caught.value.end] == "a b"


def test_no_lines_are_an_empty_field() -> None:
    assert relogin.parse([]) == relogin.parse("") == []
    assert relogin.diagnose([]).challenges == ()


@pytest.mark.parametrize("read", [relogin.parse, relogin.diagnose])
@pytest.mark.parametrize("bad", [[b"Basic"], ["Basic", None], [5]])
def test_a_line_that_is_no_text_is_refused(read: Read, bad: Any) -> None:
    with pytest.raises(TypeError, match="a field line must be a str"):
        read(bad)


@pytest.mark.parametrize("read", [relogin.parse, relogin.diagnose])
@pytest.mark.parametrize("octets", [b"Basic", [b"Basic"], bytearray(b"Basic")])
def test_octets_are_refused_with_how_to_decode_them(read: Read, octets: Any) -> None:
    with pytest.raises(TypeError, match=r'decode it with \.decode\("latin-1"\)$'):
        read(octets)


def lenient(field: Any, **bound: int) -> list[Challenge]:
    return relogin.parse(field, lenient=True, **bound)


@pytest.mark.parametrize("read", [relogin.parse, lenient, relogin.diagnose])
def test_lines_count_together_against_the_bound(read: Read) -> None:
    with pytest.raises(ChallengeSyntaxError, match="the field is 12 characters long") as caught:
        read(["Basic", "Basic"], max_length=11)
    assert caught.value.fault == "too-long"
    assert read(["Basic", "Basic"], max_length=12)


def test_lenient_parse_takes_lines_and_iterators() -> None:
    lines = ["Basic realm=a b", "Negotiate"]
    expected = [Challenge("Basic", {"realm": "a b"}), Challenge("Negotiate")]
    assert lenient(lines) == lenient(iter(lines)) == lenient(", ".join(lines)) == expected
