"""What the error of a refused field says: which fault, where, and what to do; and what it keeps."""

import pickle
import re
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import relogin
from relogin import AuthInfo, ChallengeSyntaxError, Credentials
from relogin.wire import grammar
from relogin.wire.faults import KINDS, excerpt
from relogin.wire.scan import scan_challenges
from tests.wire.fields import mutated, scrambled


def refusal(field: str) -> ChallengeSyntaxError:
    with pytest.raises(ChallengeSyntaxError) as caught:
        relogin.parse(field)
    return caught.value


@pytest.mark.parametrize(
    ("marked", "fault"),
    [
        # what separates
        ('Basic realm="a"|| charset=b', "missing-comma"),
        ("Basic realm=a|| charset=b", "missing-comma"),
        ('Basic realm="a"||charset=b', "missing-comma"),
        ('Basic realm="a"|| Bearer realm="b"', "missing-comma"),
        ('Basic realm="a"|;| charset=b', "semicolon"),
        ("Basic|;| realm=a", "semicolon"),
        ("Basic realm=a |;| charset=b", "semicolon"),
        ("Basic realm=a,|\r\n |charset=b", "obs-fold"),
        ("Basic realm=a|\n|Bearer", "line-break"),
        ("Basic|\r\n|", "line-break"),
        # what a challenge begins with
        ("|realm|=x", "missing-scheme"),
        (', |realm|="x", Basic', "missing-scheme"),
        ("Basic|,| realm=x", "comma-after-scheme"),
        ("Basic , Bearer|,| realm=x", "comma-after-scheme"),
        ("Basic|:| realm=x", "colon-after-scheme"),
        ('Basic||"x"', "missing-space"),
        ("Basic|\t|realm=x", "bad-space"),
        ("Basic| \t|realm=x", "bad-space"),
        ("Basic|\xa0|realm=x", "bad-space"),
        # values
        ("Basic realm=|'a b'|", "single-quotes"),
        ("Basic realm=|'a b, c=d|", "single-quotes"),
        ("Basic realm=|“x”|", "smart-quotes"),
        ("Basic realm=|â\x80\x9cx|", "smart-quotes"),
        ("Basic realm=|\x93x\x94|", "smart-quotes"),
        (r"Basic realm=|\"x\"|", "escaped-quotes"),
        ('Basic realm=|""x""|', "doubled-quotes"),
        ('Basic realm=|"x|', "unterminated-quote"),
        ('Basic realm=|"x\\|', "unterminated-quote"),
        ('Basic realm = |"a\\"b|', "unterminated-quote"),
        ('Basic realm=x|"|', "unopened-quote"),
        ('Basic realm="say |"|hi""', "unescaped-quote"),
        ('Basic realm="a|""|', "doubled-quotes"),
        ('Basic realm="a|\x01|"', "control-character"),
        ('Basic realm="a|\x7f|"', "control-character"),
        ("Basic realm=a|\x01|", "control-character"),
        ("Basic realm=|\x01|", "control-character"),
        ('Basic realm="a|Ā|"', "non-latin-1"),
        ("Basic realm=|Ā|", "non-latin-1"),
        ("Basic realm=|https://x.example/?a=b|, c=d", "unquoted-url"),
        ("Basic realm=|My Realm|, c=d", "unquoted-spaces"),
        ("Basic realm = |My Realm now| c=d", "unquoted-spaces"),
        ("Basic realm=|YWJj==|, c=d", "unquoted-base64"),
        ("Basic realm=|a:b|", "unquoted-value"),
        ("Basic realm=|/x|", "unquoted-value"),
        ("Basic realm=|é|", "unquoted-value"),
        ("Basic realm=||, x=y", "empty-value"),
        ("Basic a=b, realm=||", "empty-value"),
        ('Basic realm|==|"x"', "bad-equals"),
        ('Basic realm|:| "x"', "colon-for-equals"),
        ('Basic realm=a, |Realm|="b"', "duplicate-parameter"),
        # what is neither scheme nor parameter
        ('OAuth |"Facebook Platform"| "x"', "positional-quoted"),
        ('Basic a="b" |"c"|', "positional-quoted"),
        ('|"Basic realm=x"|', "quoted-challenge"),
        ("Negotiate |=|", "bad-token68"),
        ("Negotiate |=|, Basic", "bad-token68"),
        ("SSO |https://x.example/a|, B", "url-payload"),
        ("|https://x.example/a|", "url-only"),
        ('Bearer |{"a":"b"}|', "json-payload"),
        ('|{"a":"b"}|', "json-payload"),
        ("|<html>no|", "html-payload"),
        ("Bearer |{token}|", "placeholder-braces"),
        ("Bearer |<token>|", "placeholder-braces"),
        ("|Please log in first|", "prose"),
        ("Bearer |token|;error=x", "stray-word"),
        ("Bearer |abc|, error=x", "stray-word"),
        ('Bearer a="b" |c|', "stray-word"),
        ("Bearer |(|realm=x)", "stray-character"),
        ("Bearer a=b, |(|c=d)", "stray-character"),
    ],
)
def test_an_error_names_the_fault_and_its_place(marked: str, fault: str) -> None:
    before, spot, after = marked.split("|")
    field = before + spot + after
    error = refusal(field)
    assert (error.fault, error.start, error.end) == (fault, len(before), len(before + spot))
    assert error.source == field


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("=", grammar.SCHEME),
        ("Basic a=b, =", grammar.ELEMENT),
        ("Basic/", grammar.ARGUMENTS),
        ("Basic (", grammar.ARGUMENT),
        ("Basic a=b, c=;", grammar.VALUE),
        ('Basic a="', grammar.CLOSING),
        ("Basic a=b;", grammar.NEXT),
        ("Basic a=b, A=c", grammar.NEW_NAME),
    ],
)
def test_an_error_says_what_was_expected(field: str, expected: str) -> None:
    error = refusal(field)
    assert error.expected == expected
    assert f"expected {expected}" in str(error)


@pytest.mark.parametrize("count", [1, 40, 400])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_fault_is_found_after_any_number_of_sound_elements(count: int, quote: str) -> None:
    sound = ", ".join(f"A{i} b={quote}c{quote}, d={quote}e{quote}" for i in range(count))
    error = refusal(f"{sound}, f=g h")
    assert (error.fault, error.start) == ("unquoted-spaces", len(sound) + 4)
    assert (error.source[error.start : error.end], error.expected) == ("g h", grammar.NEXT)
    assert f"at character {len(sound) + 5}\n" in str(error)


@pytest.mark.parametrize("name", ["~", "~~", "~~~~"])
def test_no_name_of_a_parameter_is_taken_for_what_the_rest_is_read_behind(name: str) -> None:
    error = refusal(f"Basic a=b, {name}=c:d")
    assert (error.fault, error.expected) == ("unquoted-value", grammar.NEXT)
    sound = ", ".join(f"a{i}=b" for i in range(300))
    assert refusal(f"Basic {sound}, {name}=c:d").fault == "unquoted-value"


def test_what_a_fault_began_with_is_seen_where_the_field_is_not_long() -> None:
    assert refusal("Bearer a='b, c d'").fault == "single-quotes"
    assert refusal("Digest qop=auth,auth-int, nonce=a").fault == "unquoted-comma"


def test_the_message_shows_the_field_with_carets_and_says_what_to_do() -> None:
    assert str(refusal("Basic realm=My Realm")).splitlines() == [
        "unquoted-spaces: expected a comma or the end of the field at character 14",
        "  Basic realm=My Realm",
        "              ^^^^^^^^",
        "A value with spaces needs double quotes around it. (RFC 9110 §11.2)",
    ]


@settings(max_examples=500)
@given(text=mutated() | scrambled | st.text(max_size=40))
def test_carets_stand_under_the_fault_and_the_message_stays_short(text: str) -> None:
    if scan_challenges(text * 30) is not None:
        return
    error = refusal(text * 30)
    assert 0 <= error.start <= error.end <= len(text) * 30
    _, line, carets, _ = str(error).split("\n")
    assert re.fullmatch(r" *\^+", carets)
    assert len(carets) <= len(line) + 1
    assert len(str(error)) < 2000
    assert (line + carets).isprintable()
    assert error.fault in KINDS


@pytest.mark.parametrize(
    ("text", "start", "end", "line", "carets"),
    [
        ("abc", 1, 2, "abc", " ^"),
        ("abc", 3, 3, "abc", "   ^"),
        ("a\x00\tb", 3, 4, r"a\x00\tb", "       ^"),
        ("a\u202eĀb", 3, 4, r"a\u202e\u0100b", " " * 13 + "^"),
        ("a" * 90, 80, 85, "…" + "a" * 35, " " * 26 + "^^^^^"),
        ("a" * 200, 100, 200, "…" + "a" * 76 + "…", " " * 26 + "^" * 51),
    ],
)
def test_an_excerpt_is_a_window_with_one_column_for_each_character(
    text: str, start: int, end: int, line: str, carets: str
) -> None:
    assert excerpt(text, start, end) == (line, carets)


def leaks(error: BaseException, secret: str) -> bool:
    seen: list[str] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None:
            shown = [*traceback.format_exception(one, chain=False)][-1:]
            seen += [str(one), repr(one), repr(one.args), repr(vars(one)), *shown]
            todo += [one.__cause__, one.__context__]
    return any(secret in text for text in seen) or secret.encode() in pickle.dumps(error)


SECRET = "c2VjcmV0LXRva2Vu"
readers = pytest.mark.parametrize("read", [Credentials.parse, AuthInfo.parse])


@readers
@settings(max_examples=500)
@given(text=mutated() | scrambled | st.text(max_size=40), at=st.integers(0, 40))
def test_an_error_about_a_secret_field_holds_nothing_of_it(read: Any, text: str, at: int) -> None:
    error = refused(read, text[:at] + SECRET + text[at:])
    if error is not None:
        assert not leaks(error, SECRET)
        assert error.source == ""
        assert error.fault in KINDS
        assert error.__cause__ is None
        assert error.__context__ is None


def refused(read: Any, text: str) -> ChallengeSyntaxError | None:
    try:
        read(text)
    except ChallengeSyntaxError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("field", "fault", "start"),
    [
        ("", "missing-scheme", 0),
        ("token=x", "missing-scheme", 0),
        (f'Session token="{SECRET}', "unterminated-quote", 14),
        (f'Session token="{SECRET}" x="', "missing-comma", 32),
        (f"Session token=x, token={SECRET}", "duplicate-parameter", 17),
        (f"Basic {SECRET} {SECRET}", "stray-word", 23),
        (f'Bearer "{SECRET}"', "positional-quoted", 7),
        (f"Bearer: {SECRET}", "colon-after-scheme", 6),
        (f"Basic {SECRET},", "stray-word", 6),
        (f"Basic \t{SECRET}=x", "bad-space", 5),
        (f"Basic, {SECRET}", "stray-character", 5),
        (f"Basic, token={SECRET}", "comma-after-scheme", 5),
    ],
)
def test_an_error_about_credentials_names_the_fault_and_its_place(
    field: str, fault: str, start: int
) -> None:
    with pytest.raises(ChallengeSyntaxError) as caught:
        Credentials.parse(field)
    assert (caught.value.fault, caught.value.start) == (fault, start)
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize(
    ("field", "fault", "start"),
    [
        ("Session expires_in=5", "stray-word", 0),
        ("expires_in=5 x=6", "missing-comma", 12),
        ("expires_in=5, expires_in=6", "duplicate-parameter", 14),
        ("expires_in=5, 540", "stray-word", 14),
        ('"540"', "positional-quoted", 0),
    ],
)
def test_an_error_about_authentication_info_names_the_fault_and_its_place(
    field: str, fault: str, start: int
) -> None:
    with pytest.raises(ChallengeSyntaxError) as caught:
        AuthInfo.parse(field)
    assert (caught.value.fault, caught.value.start) == (fault, start)


def test_every_kind_has_a_section_and_one_sentence() -> None:
    for kind, (section, sentence) in KINDS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind)
        assert re.fullmatch(r"RFC (9110|9112) §\d+(\.\d+)+", section), kind
        assert sentence[0].isupper(), kind
        assert sentence.endswith("."), kind
        assert ". " not in sentence, kind
