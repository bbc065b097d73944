"""What newcomers try with the constructors, and the errors that say what to do instead."""

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Any

import pytest

from relogin import (
    AuthInfo,
    BearerChallenge,
    Challenge,
    Credentials,
    DigestChallenge,
    RegistryChallenge,
    SessionChallenge,
    best,
    parse,
)
from relogin.wire.serialize import check_token68


class Plain(Enum):
    REALM = "realm"


class Mixed(str, Enum):  # noqa: UP042 - it formats as its name, which a StrEnum does not
    SCHEME = "Bearer"
    REALM = "realm"
    VALUE = "api"


class Text(StrEnum):
    SCHEME = "Bearer"
    REALM = "realm"
    VALUE = "api"


TOKEN68 = "pass a single value without a name as token68="
SEPARATELY = "pass the parameters separately as a dict, or a single value as token68="
PAIRS = "the parameters must be a dict, or pairs of a name and a value: item {} is not one"
CHALLENGES: list[tuple[Any, dict[str, Any], str]] = [
    (("Basic",), {"realm": "x"}, "Challenge takes no argument 'realm': write its parameters as a"),
    (("Basic",), {"token": "x"}, 'as a dict, such as {"token": "..."}'),
    ((), {}, "Challenge.__init__() missing 1 required positional argument: 'scheme'"),
    (("Basic", "realm=x"), {}, f'a dict, such as {{"realm": "api"}}, not str; {TOKEN68}'),
    (("Basic", b"realm=x"), {}, "not bytes: decode it first"),
    (("Basic", None), {}, "the parameters must be a dict"),
    (("Basic", 5), {}, 'such as {"realm": "api"}, not int'),
    (("Basic", Challenge("Basic")), {}, "not Challenge"),
    (("Basic", ["realm", "x"]), {}, PAIRS.format(0)),
    (("Basic", ["ab"]), {}, PAIRS.format(0)),
    (("Basic", [("a", "b"), ("realm", "x", "y")]), {}, PAIRS.format(1)),
    (("Basic", {"realm", "x"}), {}, PAIRS.format(0)),
    (("Basic", {"realm": None}), {}, "the value of 'realm' must be a str, not NoneType"),
    (("Basic", {"max_age": 5}), {}, "the value of 'max_age' must be a str, not int: use str()"),
    (("Basic", {"realm": b"x"}), {}, "the value of 'realm' must be a str, not bytes: decode it"),
    (("Basic", {b"realm": "x"}), {}, "the parameter name must be a str, not bytes: decode it"),
    (("Basic", {Plain.REALM: "x"}), {}, "must be a str, not Plain: use its value"),
    ((b"Basic",), {}, "the scheme must be a str, not bytes: decode it first"),
    ((["Basic"],), {}, "the scheme must be a str, not list"),
    (("Basic", {5: "x"}), {}, "the parameter name must be a str, not int"),
    (("Negotiate",), {"token68": b"YWJj"}, "token68 must be a str, not bytes: decode it first"),
]
VALUES: list[tuple[Callable[[], object], str]] = [
    (lambda: Challenge('Basic realm="x"'), f"U+0020 at offset 5 (RFC 9110 §5.6.2): {SEPARATELY}"),
    (lambda: Credentials("Bearer eyJh"), f"U+0020 at offset 6 (RFC 9110 §5.6.2): {SEPARATELY}"),
    (lambda: Challenge("Basic:"), "the scheme is not a token: U+003A at offset 5"),
    (lambda: Challenge(""), "the scheme is not a token: it is empty"),
    (
        lambda: Challenge("Basic", {"error description": "x"}),
        "U+0020 at offset 5 (RFC 9110 §5.6.2)",
    ),
    (lambda: Challenge("A", {"b": "c"}, token68="d"), "write either a token68 or parameters, not"),
    (lambda: Challenge("A", token68="YW Jj"), "token68 is not base64: U+0020 at offset 2"),
    (lambda: Challenge("A", token68="YW=J"), "token68 is not base64: U+003D at offset 2"),
    (lambda: Challenge("A", token68="=="), "token68 is not base64: it is empty"),
]


@pytest.mark.parametrize(("given", "named", "message"), CHALLENGES, ids=repr)
def test_an_argument_of_the_wrong_kind_is_refused_with_advice(
    given: Any, named: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        Challenge(*given, **named)
    assert message in str(caught.value)
    assert "_SchemeValue" not in str(caught.value)


@pytest.mark.parametrize(("build", "message"), VALUES, ids=[message for _, message in VALUES])
def test_a_text_that_cannot_be_sent_is_refused_with_its_place(
    build: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        build()
    assert message in str(caught.value)


def test_each_class_calls_itself_by_its_name() -> None:
    with pytest.raises(TypeError, match=r"^Credentials takes no argument 'token'"):
        Credentials("Session", token="s3cret")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^AuthInfo takes no argument 'expires_in'"):
        AuthInfo(expires_in=540)  # type: ignore[arg-type]


def test_no_error_shows_a_value_that_may_be_secret() -> None:
    builders: list[Callable[[], object]] = [
        lambda: Credentials("Bearer s3cret"),
        lambda: Credentials("Bearer", "s3cret"),  # type: ignore[arg-type]
        lambda: Credentials("Bearer", ["s3cret"]),  # type: ignore[list-item]
        lambda: Credentials("Bearer", token="s3cret"),  # type: ignore[arg-type]
        lambda: Credentials("Bearer", token68="s3cret s3cret"),
        lambda: Credentials("Bearer", {"token s3cret": "x"}),
        lambda: Credentials("Bearer", {"token": "s3cret\n"}),
        lambda: check_token68("s3cret=s3cret"),
    ]
    for build in builders:
        with pytest.raises((TypeError, ValueError)) as caught:
            build()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("names", [Mixed, Text])
def test_members_of_an_enum_of_texts_are_written_as_their_texts(names: Any) -> None:
    challenge = Challenge(names.SCHEME, {names.REALM: names.VALUE})
    assert str(challenge) == 'Bearer realm="api"'
    assert type(challenge.scheme) is type(challenge.realm) is str
    assert str(Challenge("Negotiate", token68=names.VALUE)) == "Negotiate api"


def test_a_field_of_the_wrong_kind_is_refused_with_the_way_to_get_it() -> None:
    for read, name in [
        (Credentials.parse, "Authorization"),
        (AuthInfo.parse, "Authentication-Info"),
    ]:
        with pytest.raises(TypeError, match=rf'pass headers\.get\("{name}", ""\)'):
            read(None)  # type: ignore[operator]
    with pytest.raises(TypeError, match=r'pass headers\.get\("WWW-Authenticate", ""\)'):
        parse(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "view", [BearerChallenge, DigestChallenge, RegistryChallenge, SessionChallenge]
)
def test_a_view_of_a_text_is_refused_with_the_way_to_read_it(view: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a Challenge, not str: relogin\.parse reads"):
        view.from_challenge('Bearer realm="x"')
    with pytest.raises(ValueError, match="this is a Custom challenge, not a "):
        view.from_challenge(Challenge("Custom"))


@pytest.mark.parametrize(
    ("challenges", "schemes", "message"),
    [
        ("Basic", ["Basic"], r"a list of challenges: best\(relogin.parse\(field\), …\)"),
        (["Basic"], ["Basic"], "a list of challenges"),
        (Challenge("Basic"), ["Basic"], "a list of challenges"),
        ([Challenge("Basic")], [["Basic"]], "each scheme separately"),
    ],
)
def test_best_says_what_it_takes(challenges: Any, schemes: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        best(challenges, *schemes)


def test_a_realm_that_no_header_can_carry_is_refused_when_the_view_is_built() -> None:
    with pytest.raises(TypeError, match="the value of 'realm' must be a str, not bytes"):
        BearerChallenge(realm=b"api")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the value of 'realm' cannot be sent"):
        BearerChallenge(realm="a\n")
