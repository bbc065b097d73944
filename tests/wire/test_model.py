"""The laws of challenges, credentials and Authentication-Info as values."""

import contextlib
import copy
import pickle
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin import AuthInfo, Challenge, ChallengeSyntaxError, Credentials
from tests.wire.fields import anything, challenges, params, tokens, values

VALUES: list[Any] = [
    Challenge("Basic", {"realm": "x"}),
    Challenge("Negotiate", token68="YQ=="),
    Credentials("Session", {"token": "x"}),
    Credentials("Basic", token68="YQ=="),
    AuthInfo({"expires_in": "540"}),
]
each = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@each
def test_the_types_of_a_value_can_be_read_while_the_program_runs(value: Any) -> None:
    """As libraries that check types or make documentation do."""
    assert get_type_hints(type(value)).keys() >= set(type(value).__slots__)


@given(one=challenges)
def test_a_scheme_keeps_its_spelling_and_compares_without_it(one: Challenge) -> None:
    for spelled in one.scheme.upper(), one.scheme.lower():
        other = Challenge(spelled, one.params, token68=one.token68)
        assert other == one
        assert hash(other) == hash(one)
        assert other.scheme == spelled


@given(pairs=params)
def test_parameter_names_are_lower_cased_and_found_in_any_case(
    pairs: list[tuple[str, str]],
) -> None:
    for one in Challenge("A", pairs), AuthInfo(pairs):
        assert list(one.params.items()) == [(name.lower(), value) for name, value in pairs]
        for name, value in pairs:
            assert one[name.upper()] == one.get(name) == value
            assert name.swapcase() in one


@given(pairs=params)
def test_order_is_kept_and_does_not_count(pairs: list[tuple[str, str]]) -> None:
    for kind in (lambda p: Challenge("A", p)), AuthInfo:
        assert kind(pairs) == kind(pairs[::-1])
        assert hash(kind(pairs)) == hash(kind(pairs[::-1]))


@given(scheme=tokens, name=tokens, one=values, two=values)
def test_values_compare_with_case(scheme: str, name: str, one: str, two: str) -> None:
    assert (Challenge(scheme, {name: one}) == Challenge(scheme, {name: two})) == (one == two)


@given(name=tokens)
def test_a_name_given_twice_is_refused_in_any_case(name: str) -> None:
    with pytest.raises(ValueError, match="given twice"):
        Challenge("A", [(name.upper(), "x"), (name.lower(), "y")])
    with pytest.raises(ValueError, match="given twice"):
        AuthInfo([(name.upper(), "x"), (name.lower(), "y")])


def test_what_is_absent_is_none_or_the_default() -> None:
    one = Challenge("Basic")
    assert (one.realm, one.token68, one.get("realm"), one.get("realm", "x")) == (
        None,
        None,
        None,
        "x",
    )
    assert "realm" not in one
    assert 5 not in one
    with pytest.raises(KeyError):
        one["realm"]


def test_realm_is_a_parameter_of_a_challenge() -> None:
    assert Challenge("Basic", {"Realm": "x"}).realm == "x"


@each
def test_a_value_cannot_be_changed(value: Any) -> None:
    for name in "scheme", "params", "token68", "realm", "anything":
        with pytest.raises(AttributeError):
            setattr(value, name, "x")
    with pytest.raises(TypeError):
        value.params["realm"] = "y"


@given(pairs=params)
def test_what_a_value_was_built_from_may_change_later(pairs: list[tuple[str, str]]) -> None:
    source = dict(pairs)
    one, info = Challenge("A", source), AuthInfo(source)
    source["other"] = "x"
    assert "other" not in Challenge("A", pairs) or any(name.lower() == "other" for name, _ in pairs)
    assert len(one.params) == len(info.params) == len(pairs)


@each
def test_a_value_is_copied_and_pickled_whole(value: Any) -> None:
    copies = [copy.copy(value), copy.deepcopy(value)]
    copies += [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(2, 6)]
    for other in copies:
        assert other == value
        assert type(other) is type(value)
        assert hash(other) == hash(value)
        assert str(other) == str(value)


def test_values_of_different_kinds_are_not_equal() -> None:
    for index, one in enumerate(VALUES):
        assert [one == other for other in VALUES].count(True) == 1
        assert VALUES.index(one) == index
        assert one != str(one)
    assert Challenge("A") != Credentials("A")
    assert AuthInfo() != {}


@given(one=challenges)
def test_a_challenge_shows_itself_as_it_is_written_in_python(one: Challenge) -> None:
    assert eval(repr(one), {"Challenge": Challenge}) == one


@given(secret=st.text("0123456789", min_size=8, max_size=12))
def test_credentials_and_authentication_info_show_no_value(secret: str) -> None:
    shown = [
        repr(Credentials("Session", {"token": secret})),
        repr(Credentials("Basic", token68=secret)),
        repr(AuthInfo({"next": secret})),
    ]
    assert secret not in "".join(shown)
    assert shown[0] == "<Credentials 'Session' with token>"
    assert shown[1] == "<Credentials 'Basic' with token68>"
    assert shown[2] == "<AuthInfo with next>"


def test_credentials_and_authentication_info_without_parameters_show_so() -> None:
    assert repr(Credentials("Session")) == "<Credentials 'Session' with nothing>"
    assert repr(AuthInfo()) == "<AuthInfo with nothing>"


readers = pytest.mark.parametrize("read", [Credentials.parse, AuthInfo.parse, relogin.parse])


@pytest.mark.parametrize(
    "read", [Credentials.parse, AuthInfo.parse, relogin.parse, relogin.diagnose]
)
@pytest.mark.parametrize(
    "bad", [None, 5, b"Basic realm=x", bytearray(b"x"), {"WWW-Authenticate": "x"}]
)
def test_what_is_no_field_is_a_type_error_that_says_so(read: Any, bad: Any) -> None:
    with pytest.raises(TypeError, match=rf"a field is a str.* not {type(bad).__name__}(:|$)"):
        read(bad)


@readers
def test_a_field_over_the_bound_is_refused_unread(read: Any) -> None:
    field = ("A " if read != AuthInfo.parse else "") + "b=" + "c" * 16384
    with pytest.raises(
        relogin.ChallengeSyntaxError, match=r"at most 16384 .*max_length="
    ) as caught:
        read(field)
    error = caught.value
    assert (error.fault, error.start, error.end) == ("too-long", 16384, len(field))
    assert error.source == (field if read == relogin.parse else "")
    assert read(field, max_length=len(field))
    assert read(field[:16384])
    with pytest.raises(relogin.ChallengeSyntaxError):
        read("A b=c", max_length=4)


@pytest.mark.parametrize("value", [Challenge("Basic"), Credentials("Basic"), AuthInfo({"a": "b"})])
def test_parameters_are_iterated_over_by_params_alone(value: Any) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(value)


@pytest.mark.parametrize(
    ("field", "params"),
    [
        ("authToken=a-b, data=dj02PQ==, b=c", {"authtoken": "a-b", "data": "dj02PQ==", "b": "c"}),
        ("nextnonce='a b' qop=auth", {"nextnonce": "a b", "qop": "auth"}),
        ('expires_in: "540"; a=b', {"expires_in": "540", "a": "b"}),
        ("expires_in=5, expires_in=6", {"expires_in": "5"}),
        ("expires_in=5, Basic realm=x", {"expires_in": "5"}),
        ("expires_in=5\r\n , a=b", {"expires_in": "5", "a": "b"}),
        ("a=b, expires_in=5\nexpires_in=6", {"a": "b"}),
        ("Session expires_in=5", {}),
        ("540", {}),
        ('"540"', {}),
        ("", {}),
    ],
)  # fmt: skip
def test_authentication_info_can_be_read_leniently(field: str, params: dict[str, str]) -> None:
    read = AuthInfo.parse(field, lenient=True)
    assert read == AuthInfo(params)
    assert AuthInfo.parse(str(read)) == read if params else str(read) == ""


@given(text=anything)
def test_lenient_authentication_info_reads_what_is_sound_as_it_is(
    text: str,
) -> None:
    read = AuthInfo.parse(text, lenient=True)
    with contextlib.suppress(ChallengeSyntaxError):
        assert AuthInfo.parse(text) == read


def test_lenient_authentication_info_is_bounded() -> None:
    with pytest.raises(ChallengeSyntaxError):
        AuthInfo.parse("a=b c", lenient=True, max_length=4)
