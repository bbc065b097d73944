"""The laws of the recovery: what it may return, and what it never does."""

import re
from itertools import product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import relogin
from relogin import Challenge
from relogin.wire.abnf import TOKEN
from relogin.wire.faults import KINDS
from relogin.wire.recover import MAX_FAULTS
from relogin.wire.scan import scan_challenges
from tests.wire.fields import (
    EXAMPLES,
    anything,
    challenges,
    mutated,
    scrambled,
    tokens,
    values,
    wellformed,
)


def lenient(field: str | list[str]) -> list[Challenge]:
    return relogin.parse(field, lenient=True)


@settings(max_examples=EXAMPLES)
@given(text=wellformed())
def test_a_well_formed_field_reads_as_strict_parse_reads_it(text: str) -> None:
    assert lenient(text) == relogin.parse(text)
    assert relogin.diagnose(text).faults == ()


@settings(max_examples=2 * EXAMPLES)
@given(lines=st.lists(anything, min_size=1, max_size=3))
@example(lines=["\r", "\n"])
@example(lines=["Negotiate", "realm=x"])
@example(lines=["Negotiate abc; x: 'y'"])
def test_any_text_is_diagnosed_and_what_is_recovered_is_sound(lines: list[str]) -> None:
    text = ", ".join(lines)
    diagnosis = relogin.diagnose(lines)
    assert lenient(lines) == list(diagnosis.challenges)
    assert diagnosis.wellformed == (scan_challenges(text) is not None)
    for fault in diagnosis.faults:
        assert fault.kind in KINDS
        assert 0 <= fault.start <= fault.end <= len(text)
    starts = [fault.start for fault in diagnosis.faults]
    assert starts == sorted(starts)
    for challenge in diagnosis.challenges:
        assert relogin.parse(str(challenge)) == [challenge]
        assert challenge.scheme in text
    assert relogin.parse(relogin.serialize(diagnosis.challenges)) == list(diagnosis.challenges)
    assert "\n" in str(diagnosis)


# Never a scheme that is not there


@settings(max_examples=EXAMPLES)
@given(name=tokens, equals=st.sampled_from(["=", " = ", '="']), text=mutated() | scrambled)
@example(name="realm", equals="=", text='"x", Basic realm="y"')
@example(name="realm", equals=": ", text='"x", Basic realm="y"')
@example(name="realm", equals="=", text='=x, Basic realm="y"')
@example(name="*", equals="=", text='=x, Basic realm="y"')
def test_a_field_that_begins_with_a_parameter_yields_nothing(
    name: str, equals: str, text: str
) -> None:
    field = name + equals + text.replace("\n", " ").replace("\r", " ")  # another line is another
    assume(scan_challenges(field) is None)
    assume(not name.startswith("'"))  # that begins a quoted text
    assume(not (equals == " = " and lenient(name + equals)))  # Negotiate =
    assert lenient(field) == []


PIECES = [
    "Foo ", "Basic ", "Negotiate ", "realm=", "x=", "a", "YWJj", "==", "=", ", ", "; ", " ", "\t",
    "word ", "https://a/b", "{", "realm", " => ", ":", "'", "`", "\u201c", "\u2019", "\xe9",
]  # fmt: skip
OUTSIDE = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)
EVIL = st.sampled_from(
    ["Evil", ", Evil ", "; Evil x=1", ", Evil YWJj==", ", Evil z=", "\u201d, Evil "]
)
PAIR = st.tuples(OUTSIDE, st.just('"'), OUTSIDE, EVIL, OUTSIDE, st.just('"')).map("".join)


@pytest.mark.requirement("R-3")
@settings(max_examples=2 * EXAMPLES)
@given(pairs=st.lists(PAIR, min_size=1, max_size=3), rest=OUTSIDE)
def test_no_challenge_is_read_between_double_quotes_that_pair_up(
    pairs: list[str], rest: str
) -> None:
    field = "".join(pairs) + rest
    assume(scan_challenges(field) is None)
    assert "Evil" not in {challenge.scheme for challenge in lenient(field)}


QUOTES = [
    ('"', '"'), ("'", "'"), ("\u201c", "\u201d"), ("\xe2\x80\x9c", "\xe2\x80\x9d"),
    ("\x93", "\x94"), ("\xab", "\xbb"), ("\u2018", "\u2019"), ('\\"', '\\"'),
    ("&quot;", "&quot;"), ('{"a":"', '"}'), ('{"a":{"b":"', '"}}'),
    ("\\'", "\\'"), ("\\'\\'", "\\'\\'"), ("&#039;", "&#039;"),
    ("`", "`"), ("`", "'"), ("``", "''"),
]  # fmt: skip
NESTED = [('""', '""'), ('"a "', '" b"')]
HEADS = ['Bearer a="b" c=', "Bearer; c=", 'OAuth "x" ']
SENTENCES = ["Bearer a=b c: ", "Bearer a=b c d "]
_plain = st.text(" \t,=abAB1.-/:;()[]\xe9!", max_size=8)
hidden = st.builds(
    lambda before, good, after: "no" + before + good + after,
    _plain,
    st.sampled_from(
        [", Basic realm=x", ", Basic realm=x y", "\nBasic realm=x", ", Basic", "Basic "]
    ),
    _plain,
)


@pytest.mark.parametrize(
    ("head", "quotes"), [*product(HEADS + SENTENCES, QUOTES), *product(HEADS, NESTED)], ids=ascii
)
@settings(max_examples=15)
@given(text=hidden)
@example(text="no=1, Basic realm=x=")
@example(text="no=1, Basic realm=x\xe9[=")
@example(text="no=1, Basic realm=x y\xe9=")
@example(text="no=1, Basic realm=x =")
@example(text="no=1, Basic realm=x\t/y=")
@example(text="no=1, Basic realm=x y\t=")
def test_a_quoted_text_never_becomes_a_challenge(
    head: str, quotes: tuple[str, str], text: str
) -> None:
    # With such an end, nobody can tell whether the next quote opens a value or closes the text.
    assume(quotes not in NESTED or not re.search(rf"[\s,;]{TOKEN}=\Z", text))
    field = head + quotes[0] + text + quotes[1]
    for one in field, field + "; d=e":
        if scan_challenges(one) is None:
            assert [found.scheme for found in lenient(one)] == [
                head.split(maxsplit=1)[0].strip(";")
            ]


@pytest.mark.parametrize(
    "opening",
    ['"', "'", "\u201c", "\xe2\x80\x9c", "\x93", '\\"', "&quot;", "\\'", "&apos;", "`", "``"],
)
@pytest.mark.parametrize("head", HEADS + SENTENCES)
@settings(max_examples=15)
@given(text=hidden)
@example(text="no= b=, Basic realm=x")
def test_a_quoted_text_that_is_never_closed_never_becomes_a_challenge(
    head: str, opening: str, text: str
) -> None:
    field = head + opening + text
    if scan_challenges(field) is None:
        assert [one.scheme for one in lenient(field)] == [head.split(maxsplit=1)[0].strip(";")]


@pytest.mark.requirement("R-3")
@pytest.mark.parametrize(
    "opening", ['"', "\u201c", "\u2018", "\xe2\x80\x98", '\\"', "&quot;"], ids=ascii
)
@settings(max_examples=15)
@given(text=hidden)
def test_a_quoted_text_behind_a_name_without_an_equals_sign_never_becomes_a_challenge(
    opening: str, text: str
) -> None:
    for closing in {"\u2018": ["\u2019", ""], "\xe2\x80\x98": ["\xe2\x80\x99", ""]}.get(
        opening, [opening, ""]
    ):
        field = f'Bearer a="b", c{opening}{text}{closing}'
        assert [one.scheme for one in lenient(field)] == ["Bearer"]


# Known schemes with a word between them

SCHEMES = ["Basic", "Bearer", "Digest", "DPoP", "Negotiate", "NTLM", "Session"]
known_schemes = st.sampled_from(SCHEMES)


@given(
    schemes=st.lists(known_schemes, min_size=2, max_size=6),
    join=st.sampled_from(["or", "and", "OR", "|", "+"]),
)
def test_known_schemes_with_or_or_a_sign_between_them_are_all_read(
    schemes: list[str], join: str
) -> None:
    joined = f" {join} ".join(schemes)
    assert lenient(joined) == [Challenge(one) for one in schemes]
    *others, last = schemes
    read = [*map(Challenge, others), Challenge(last, {"realm": "x y"})]
    assert lenient(f'{joined} realm="x y"') == read


@given(
    known=known_schemes,
    others=st.lists(st.from_regex(r"[A-Z][A-Za-z0-9-]*", fullmatch=True), min_size=1, max_size=4),
    at=st.integers(0, 4),
    join=st.sampled_from(["/", " / ", " | ", " + "]),
)
def test_one_known_scheme_makes_a_list_with_a_sign_one_of_schemes(
    known: str, others: list[str], at: int, join: str
) -> None:
    schemes = [*others[:at], known, *others[at:]]
    assert lenient(join.join(schemes)) == [Challenge(one) for one in schemes]


@pytest.mark.requirement("R-6")
@given(
    two=known_schemes,
    join=st.sampled_from(["or", "and"]),
    word=st.from_regex(r"[A-Z]?[a-z]{2,9}", fullmatch=True),
)
def test_no_other_word_makes_a_scheme_of_what_follows_or(two: str, join: str, word: str) -> None:
    assume(word.lower() not in {one.lower() for one in SCHEMES} | {"or", "and"})
    assume(word.lower() not in {"hoba", "gnap", "oauth", "mutual", "vapid", "concealed"})
    for sentence in f"{word} {join} {two}", f"Log in: Basic {join} {two}", f"{word} Basic or {two}":
        if scan_challenges(sentence) is None:
            assert lenient(sentence) == []
    for sentence in (
        f"Basic {join} {two} {word}",
        f"Bearer a=b {join} {two}",
        f'Bearer a="b" or {two}',
    ):
        assert len(lenient(sentence)) <= 1


# A fault in one place does not cost the others

BROKEN = [
    ("Bearer realm=https://a.example/b", 1), ("Bearer a='b c'", 1), ("Bearer a=b c", 1),
    ('Bearer a="b" c="d"', 1), ("SSO https://a.example", 1), ('Bearer {"a":"b"}', 1),
    ("Bearer {token}", 1), ("Bearer a=b, A=c", 1), ("Bearer a=/", 1), ('OAuth "a" "b"', 1),
    ("Negotiate =", 1), ("Login to get the data", 0), ("https://a.example/", 0),
    ("Bearer a=YWI=", 1), ("Bearer: a=b", 1), ("Bearer; a=b", 1), ('Bearer a="say "b""', 1),
]  # fmt: skip
named = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_\-]{0,6}", fullmatch=True), values, max_size=3)
neighbours = st.lists(
    st.builds(Challenge, st.sampled_from(["Basic", "Digest", "Negotiate", "ApiKey", "X-Y"]), named),
    min_size=1,
    max_size=2,
)


@pytest.mark.parametrize(("broken", "count"), BROKEN)
@settings(max_examples=40)
@given(before=neighbours, after=neighbours)
def test_a_fault_in_one_challenge_does_not_cost_the_others(
    broken: str, count: int, before: list[Challenge], after: list[Challenge]
) -> None:
    field = ", ".join([*map(str, before), broken, *map(str, after)])
    read = lenient(field)
    assert read[: len(before)] == before
    assert read[len(before) + count :] == after
    assert len(read) == len(before) + count + len(after)


@settings(max_examples=EXAMPLES)
@given(before=challenges, text=anything, after=challenges)
def test_a_fault_in_one_line_does_not_cost_the_others(
    before: Challenge, text: str, after: Challenge
) -> None:
    read = lenient([str(before), text, str(after)])
    assert read[-1] == after
    # A line may go on with the challenge of the line before it.
    assert (read[0].scheme, read[0].token68) == (before.scheme, before.token68)
    assert before.params.items() <= read[0].params.items()


# What a line break or a fold tears

FOLDS = ["\r\n ", "\n\t", "\r\n \r\n "]


@settings(max_examples=EXAMPLES)
@given(before=challenges, line_break=st.sampled_from(["\r", "\n", "\r\n"]), text=anything)
@example(before=Challenge("Basic", {"realm": "x"}), line_break="\r\n", text="Basic realm=y")
@example(before=Challenge("Ba"), line_break="\r", text='sic realm="x"')
def test_nothing_is_read_beyond_a_line_break(before: Challenge, line_break: str, text: str) -> None:
    # There, an apostrophe or a backtick could open a quoted text.
    assume(not {"'", "`"} & set(str(before)))
    text = "x" + text  # so that it is no fold, nor is it nothing
    read = lenient([str(before) + line_break + text, "realm=x y"])
    assert [one.scheme for one in read] in ([], [before.scheme])
    for one in read:
        assert one.token68 is None
        assert one.params.items() <= before.params.items()


def test_a_text_between_backticks_may_go_on_behind_a_line_break() -> None:
    assert lenient(["`\rx`,0", "realm=x y"]) == []


@settings(max_examples=EXAMPLES)
@given(challenge=challenges, fold=st.sampled_from(FOLDS), at=st.integers(1, 80))
@example(challenge=Challenge("Negotiate", token68="YWJjZGVm"), fold=FOLDS[0], at=14)
@example(challenge=Challenge("Basic", {"realm": "x"}), fold=FOLDS[0], at=2)
@example(challenge=Challenge("Basic", {"realm": "x", "charset": "UTF-8"}), fold=FOLDS[0], at=22)
@example(challenge=Challenge("AccessDenied", token68="now"), fold=FOLDS[0], at=6)
def test_a_fold_leaves_no_half_of_a_scheme_or_token68(
    challenge: Challenge, fold: str, at: int
) -> None:
    text = str(challenge)
    read = lenient(text[:at] + fold + text[at:])
    assert [one.scheme for one in read] in ([], [challenge.scheme])
    assert {one.token68 for one in read} <= {None, challenge.token68}


def test_a_fold_leaves_no_half_of_a_name() -> None:
    assert lenient('Basic char\r\n set="UTF-8"') == [Challenge("Basic")]
    assert lenient('Basic realm="x", char\r\n set="UTF-8"') == [Challenge("Basic", {"realm": "x"})]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n", "\n ,", "\r\n ", "\r\n\t\r\n"])
def test_a_line_break_at_the_end_costs_nothing(end: str) -> None:
    for text in "Basic realm=x", 'Basic realm="x y"', "Negotiate YWJj", "Negotiate":
        assert lenient(text + end) == relogin.parse(text)


def test_a_break_at_the_end_of_a_line_does_not_cut_off_the_next_line() -> None:
    assert lenient(["Digest a=b\r\n", "c=d e"]) == [Challenge("Digest", {"a": "b", "c": "d e"})]


def test_a_break_keeps_the_lines_after_it_apart() -> None:
    assert lenient(["Basic a=b\nfoo", "c=d e"]) == [Challenge("Basic")]
    assert lenient(["Basic a=b\nfoo", "", "c=d e"]) == [Challenge("Basic")]
    assert lenient(["Basic a=b\nfoo", "Basic", "c=d e"]) == [
        Challenge("Basic"), Challenge("Basic", {"c": "d e"}),
    ]  # fmt: skip


# No word of a sentence is a scheme

WORDS = ["Session", "Basic", "Digest", "Mutual", "Negotiate", "Access", "Login", "Please"]
SAID = [
    " expired: please log in", " denied: token missing", " error: please log in",
    " required: https://a.example/b", " has expired https://a.example", " expired, please log in",
    " expired; please log in again", " timed out - see https://a.example", " failed! Try again",
    " Expired: Log In", " failed: (see https://a.example)", " has expired,'log in",
    " expired,please log in", " 17 expired: log in", " expired\u2026 log in",
]  # fmt: skip


@pytest.mark.parametrize("before", ["", 'Bearer realm="x", ', "Bearer realm=x y; "])
@pytest.mark.parametrize(("word", "said"), [*product(WORDS, SAID)])
def test_a_sentence_is_no_challenge(before: str, word: str, said: str) -> None:
    assert [one.scheme for one in lenient(before + word + said)] == ["Bearer"] * bool(before)


# Bounds


@pytest.mark.parametrize(
    "unit",
    [
        *',"\'\\=/;({<“\r\n\x00Ā', "a=", "a=;", "a b,", "a=b ", "'';", '"";', "a='b',", "a, ",
        "a: ", "\r\n ", "=>", "<http://", "http://a ", 'a="b" ', 'x="y" z ', '\\"', "&quot;", "``",
        "A=b c, d e", "Basic:", "Basic a=b ", "a=a/", "host;range;", "a b\r\n ", "a\r\n b, ",
        'a"b" ', "a='b\",", "a='b\" c=\"d\", ", "Session a: b, ", "A b, c d e ", "aB1aB1/",
        "A aB1=, ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("head", ["", "A ", "A b=", 'A b="', "A b='"])
def test_what_is_reported_of_a_hostile_field_is_bounded(head: str, unit: str) -> None:
    field = (head + unit * 16384)[:16384]
    diagnosis = relogin.diagnose(field)
    assert len(diagnosis.faults) <= MAX_FAULTS + 8
    assert len(str(diagnosis)) < 100_000


def test_after_too_many_faults_the_rest_is_left_unread_and_said_to_be() -> None:
    diagnosis = relogin.diagnose([*["Bearer a=b c"] * 150, "Basic realm=x", *["A b=c d"] * 3])
    assert len(diagnosis.faults) == MAX_FAULTS + 1
    last = diagnosis.faults[-1]
    assert last.kind == "too-many-faults"
    assert diagnosis.field[last.start :].startswith("Bearer a=b c, ")
    assert Challenge("Basic", {"realm": "x"}) in diagnosis.challenges  # a line that needs no help
