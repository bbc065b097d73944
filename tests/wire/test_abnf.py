"""Scanner, grammar, and `grammar/http-auth.abnf` executed by another engine, read alike."""

import re
from collections.abc import Callable
from typing import TypeAlias

import abnf
import pytest
from abnf.grammars import rfc9110
from hypothesis import given, settings
from hypothesis import strategies as st

import relogin
from relogin.wire import grammar
from tests.wire.abnf_rules import GRAMMAR, HTTPAuth, Session, find, takes, tree

Params: TypeAlias = list[tuple[str, str]]
Read: TypeAlias = list[tuple[str, str | None, Params]]


def by_abnf(start: str, field: str) -> Read | None:
    """What the parse tree holds, or `None` for a field that is refused."""
    root = tree(HTTPAuth(start), field)
    if root is None:
        return None
    nodes = [root] if start == "Authentication-Info" else find(root, "challenge", "credentials")
    read = [_one(node) for node in nodes]
    if any(len({name for name, _ in params}) < len(params) for _, _, params in read):
        return None  # what ABNF cannot say: a name occurs once (RFC 9110 §11.2)
    return read


def _one(node: abnf.Node) -> tuple[str, str | None, Params]:
    scheme = next((found.value for found in find(node, "auth-scheme")), "")
    token68 = next((found.value for found in find(node, "token68")), None)
    return scheme, token68, [_param(found) for found in find(node, "auth-param")]


def _param(node: abnf.Node) -> tuple[str, str]:
    name, value = find(node, "token", "quoted-string")
    if value.name == "token":
        return name.value.lower(), value.value
    pieces = [piece.value[-1] for piece in find(value, "qdtext", "quoted-pair")]
    return name.value.lower(), "".join(pieces)


def challenges(field: str) -> Read | None:
    try:
        read = relogin.parse(field)
    except relogin.ChallengeSyntaxError:
        return None
    return [(one.scheme, one.token68, list(one.params.items())) for one in read]


def credentials(field: str) -> Read | None:
    try:
        one = relogin.Credentials.parse(field)
    except relogin.ChallengeSyntaxError:
        return None
    return [(one.scheme, one.token68, list(one.params.items()))]


def authentication_info(field: str) -> Read | None:
    try:
        info = relogin.AuthInfo.parse(field)
    except relogin.ChallengeSyntaxError:
        return None
    return [("", None, list(info.params.items()))]


def by_grammar(start: str, field: str) -> Read | None:
    rule = {"WWW-Authenticate": "challenges", "Authorization": "credentials"}.get(start)
    read = grammar.read(rule or "authentication-info", field)
    if isinstance(read, grammar.Stop):
        return None
    return [(scheme, token68, list(params.items())) for scheme, token68, params in read]


READERS: dict[str, Callable[[str], Read | None]] = {
    "WWW-Authenticate": challenges,
    "Authorization": credentials,
    "Authentication-Info": authentication_info,
}

# Fields made of the pieces where readers differ, and the same with a few characters spoilt.
SPACE = st.sampled_from(["", "", " ", "\t", "  "])
TOKEN = st.sampled_from(["a", "A", "b1", "-~", "c"])
QUOTED = st.sampled_from(['""', '"x"', '"\t "', r'"\""', '"\xff"', r'"\é"', '"a, b=c"'])
TOKEN68 = st.sampled_from(["a", "b=", "/+", "c.=="])
COMMA = st.builds(lambda before, after: before + "," + after, SPACE, SPACE)
PARAM = st.builds(
    lambda name, one, two, value: name + one + "=" + two + value,
    TOKEN, SPACE, SPACE, TOKEN | QUOTED,
)  # fmt: skip
PARAMS = st.builds(
    lambda parts, commas: "".join(part + comma for part, comma in zip(parts, commas, strict=False)),
    st.lists(PARAM | st.just(""), max_size=3),
    st.lists(COMMA, min_size=3, max_size=3),
)
CHALLENGE = TOKEN | st.builds(lambda a, b: a + " " + b, TOKEN, TOKEN68 | PARAM | PARAMS)
FIELD: st.SearchStrategy[str] = st.builds(
    lambda before, parts, comma, after: before + comma.join(parts) + after,
    SPACE, st.lists(CHALLENGE | PARAM | st.just(""), min_size=1, max_size=3), COMMA, SPACE,
)  # fmt: skip
SPOILT = st.sampled_from([*"aB=\"\\, \t;:/'{", "\x00", "\n", "\r", "\x7f", "\x80", "ÿ", "Ā", "😀"])


@st.composite
def fields(draw: st.DrawFn) -> str:
    field = draw(FIELD)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(field)))
        field = field[:at] + draw(SPOILT | st.just("")) + field[at + draw(st.integers(0, 1)) :]
    return field[:24]


@pytest.mark.parametrize("start", READERS)
@settings(max_examples=400)
@given(field=fields() | st.text(SPOILT, max_size=10))
def test_scanner_grammar_and_abnf_read_the_same(start: str, field: str) -> None:
    assert READERS[start](field) == by_grammar(start, field) == by_abnf(start, field)


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("", []),
        (" ,\t,", []),
        (" Basic\t", [("Basic", None, [])]),
        ("Basic ,a=b", [("Basic", None, [("a", "b")])]),
        ("Basic,a=b", None),
        ("Basic\t,a=b", None),
        ("Basic\ta=b", None),
        ("Bearer error=", [("Bearer", "error=", [])]),
        ("Basic a=b, c", [("Basic", None, [("a", "b")]), ("c", None, [])]),
        ("Basic a= b", [("Basic", None, [("a", "b")])]),
        ("Basic a\t=\tb", [("Basic", None, [("a", "b")])]),
        ("Basic abc, d=e", None),
        ('Basic a="\t\xa0\\\xff"', [("Basic", None, [("a", "\t\xa0\xff")])]),
        ('Basic a="\\\x7f"', None),
        ('Basic a="Ā"', None),
        ("Basic a=1, A=2", None),
        ("a=b", None),
    ],
)
def test_where_readers_differ_both_say_what_rfc_9110_says(field: str, read: Read | None) -> None:
    assert by_abnf("WWW-Authenticate", field) == read
    assert challenges(field) == by_grammar("WWW-Authenticate", field) == read


@pytest.mark.parametrize("name", ["tchar", "qdtext", "obs-text", "OWS", "VCHAR"])
def test_a_terminal_takes_the_characters_that_rfc_9110_gives_it(name: str) -> None:
    for code in range(0x120):
        assert takes(HTTPAuth(name), chr(code)) == takes(rfc9110.Rule(name), chr(code)), code


@settings(max_examples=200)
@given(field=fields())
def test_whatever_a_sender_may_write_a_recipient_reads(field: str) -> None:
    # The package carries the collected ABNF of RFC 9110, Appendix A, which is the sender's.
    for start in READERS:
        if takes(rfc9110.Rule(start), field):
            assert takes(HTTPAuth(start), field)


@pytest.mark.parametrize(
    ("rules", "file"), [(HTTPAuth, "http-auth.abnf"), (Session, "session.abnf")]
)
def test_every_rule_that_is_named_is_defined(rules: type[abnf.Rule], file: str) -> None:
    text = re.sub(r';.*|%s"[^"]*"|"[^"]*"|%x[0-9A-F-]+', "", (GRAMMAR / file).read_text("ascii"))
    for name in set(re.findall(r"[A-Za-z][\w-]*", text)):
        assert takes(rules(name), "") in {True, False}  # an undefined rule is a GrammarError


@pytest.mark.parametrize("file", ["http-auth.abnf", "session.abnf"])
def test_a_grammar_file_fits_the_line_of_an_internet_draft(file: str) -> None:
    lines = (GRAMMAR / file).read_text("ascii").splitlines()
    assert max(map(len, lines)) <= 72
