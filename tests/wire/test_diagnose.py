"""Each class of faults: its name, its place, and what is read in spite of it."""

import copy
import dataclasses
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

import relogin
from relogin import Challenge
from relogin.wire.diagnose import Repeated
from relogin.wire.faults import KINDS, Fault, fault
from relogin.wire.recover import Recovery
from relogin.wire.remarks import MAX_REMARKS, REMARKS
from tests.programs import python

VECTORS = Path(__file__).parents[1] / "vectors"


def told(field: str | list[str]) -> list[tuple[str, str]]:
    diagnosis = relogin.diagnose(field)
    return [(one.kind, diagnosis.field[one.start : one.end]) for one in diagnosis.faults]


def read(field: str | list[str]) -> list[Challenge]:
    return list(relogin.diagnose(field).challenges)


@pytest.mark.parametrize(
    ("field", "faults"),
    [
        # what separates
        ('Basic realm="a" charset=b', [("missing-comma", "")]),
        ('Basic realm="a"; charset=b;', [("semicolon", ";"), ("semicolon", ";")]),
        ("Basic realm=a,\r\n charset=b", [("obs-fold", "\r\n ")]),
        ('Basic realm="a\r\n b"', [("obs-fold", "\r\n ")]),
        ("Basic a=b;\r\n ;\r\n c=d", [("semicolon", ";"), *[("obs-fold", "\r\n ")] * 2]),
        ("Basic realm=a\r\n", [("line-break", "\r\n")]),
        ("Basic realm=a\nBearer", [("line-break", "\n")]),
        ("Basic realm=a\rBearer", [("line-break", "\r")]),
        # what a challenge begins with
        ("realm=x, Basic", [("missing-scheme", "realm")]),
        ("apikey, a=b", [("comma-after-scheme", ",")]),
        ("Negotiate, Bearer, a=b", [("comma-after-scheme", ",")]),
        ("ApiKey: a=b", [("colon-after-scheme", ":")]),
        ('Basic"a"', [("missing-space", ""), ("positional-quoted", '"a"')]),
        ("Basic \ta=b", [("bad-space", " \t")]),
        ("Basic\xa0a=b", [("bad-space", "\xa0")]),
        ("Bearer bearer a=b", [("duplicate-scheme", "bearer")]),
        ("Proxy-Authenticate : Basic a=b", [("header-name", "Proxy-Authenticate :")]),
        ("Negotiate Basic a=b", [("missing-comma", "")]),
        ("Negotiate NTLM Basic a=b", [("missing-comma", ""), ("missing-comma", "")]),
        ("Internal API Key a=b", [("prose", "Internal API Key"), ("missing-scheme", "a")]),
        # the values of parameters
        ("Basic a='b c'", [("single-quotes", "'b c'")]),
        ("Basic a=“b”", [("smart-quotes", "“b”")]),
        (r"Basic a=\"b c\"", [("escaped-quotes", r"\"b c\"")]),
        ('Basic a=""b""', [("doubled-quotes", '""b""')]),
        ('Basic a="b""', [("doubled-quotes", '""')]),
        ('Basic a="b', [("unterminated-quote", '"b')]),
        ("Basic a='b c", [("single-quotes", "'b c"), ("unterminated-quote", "'b c")]),
        ('Basic a=b c"', [("unopened-quote", '"')]),
        ('Basic a="b "c" d"', [("unescaped-quote", '"')]),
        ('Basic a="C:\\"', [("unterminated-quote", '"C:\\"'), ("unescaped-backslash", "")]),
        ('Basic a="C:\\", b="c"', [("unescaped-backslash", "")]),
        ('Basic a="b, c="d"', [("unterminated-quote", '"b')]),
        ('Basic a="b\x00\x01c"', [("control-character", "\x00")]),
        ('Basic a="ĀĂ"', [("non-latin-1", "ĀĂ")]),
        ("Basic a=https://b/?c=d, e=f", [("unquoted-url", "https://b/?c=d")]),
        ("Basic a=b c", [("unquoted-spaces", "b c")]),
        ("Basic a=YQ==", [("unquoted-base64", "YQ==")]),
        ("Basic a=b:c", [("unquoted-value", "b:c")]),
        ("Digest qop=auth,auth-int, a=b", [("unquoted-comma", "auth,auth-int")]),
        ("Basic a=b/c, scope=d,e", [("unquoted-value", "b/c"), ("unquoted-comma", "d,e")]),
        ("Basic a=b, c=", [("empty-value", "")]),
        ("Basic a=, b=c", [("empty-value", "")]),
        ("Basic a= b=c", [("empty-value", ""), ("missing-comma", "")]),
        ("Basic a=b,c,d=e", [("valueless-param", "c")]),
        ('Basic a=="b"', [("bad-equals", "==")]),
        ('Basic realm: "b"', [("colon-for-equals", ":")]),
        ('Basic a"b"', [("missing-equals", "")]),
        ('Basic "a"="b"', [("quoted-name", '"a"')]),
        ("Basic a=b, A=c", [("duplicate-parameter", "A")]),
        # what is neither scheme nor parameter
        ('Basic "a"', [("positional-quoted", '"a"')]),
        ('"Basic a=b"', [("quoted-challenge", '"Basic a=b"')]),
        ("Negotiate =", [("bad-token68", "=")]),
        ("SSO https://a", [("url-payload", "https://a")]),
        ("https://a", [("url-only", "https://a")]),
        ('Bearer {"a": 1}', [("json-payload", '{"a": 1}')]),
        ("<html>a", [("html-payload", "<html>a")]),
        ("Bearer {a}", [("placeholder-braces", "{a}")]),
        ("Bearer {{ a }}", [("placeholder-braces", "{{ a }}")]),
        ("Please log in", [("prose", "Please log in")]),
        ("Bearer a;b=c", [("stray-word", "a"), ("semicolon", ";")]),
        ('Bearer a="b")', [("stray-character", ")")]),
    ],
)  # fmt: skip
def test_a_fault_has_a_kind_and_a_span(field: str, faults: list[tuple[str, str]]) -> None:
    assert told(field) == faults


def test_every_kind_of_fault_is_told_above() -> None:
    [mark] = [
        mark
        for mark in test_a_fault_has_a_kind_and_a_span.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    shown = {kind for _, faults in mark.args[1] for kind, _ in faults}
    assert shown == set(KINDS) - {"too-many-faults"}


@pytest.mark.parametrize(
    ("field", "params"),
    [
        ('A "b" "c" "d" "e"', {"realm": "b", "error": "c", "error_description": "d"}),
        ('A "b", c=d, "e"', {"realm": "b", "c": "d"}),
        ('A b=c, "d"', {"b": "c"}),
        ("A b=1, B=2, c='3'", {"b": "1", "c": "3"}),
        ('A b="Ω"', {"b": "\xce\xa9"}),  # as http.client shows the octets that were sent
        ('A b="\ud800"', {"b": "\xed\xa0\x80"}),
        ('A b="c\x00d\r\n e"', {"b": "c d e"}),
        ('A b="c\\"d', {"b": 'c"d'}),
        ('A b="c \t', {"b": "c"}),
        ('A b=c d "', {"b": 'c d "'}),
        ('A b="C:\\d\\"', {"b": "C:\\d\\"}),
        ("A b=c d, e", {"b": "c d, e"}),
        ("A b=c, d e f g", {"b": "c, d e f g"}),
        ("Digest qop=auth,auth-int,auth, a=b", {"qop": "auth,auth-int,auth", "a": "b"}),
        ("A scope=b:c,d, e, f='g h'", {"scope": "b:c,d, e", "f": "g h"}),
        ("A scope=b:c, d=e", {"scope": "b:c", "d": "e"}),
        ('A b="c, d, e="", f=g', {"b": "c, d", "e": "", "f": "g"}),
        ('A b="c\\", d="e", f=g', {"b": "c\\", "d": "e", "f": "g"}),
        ('A b="c, d="e" f', {"b": 'c, d="e" f'}),  # in doubt less is read
        ("A b=https://c/d;e=f;g=h", {"b": "https://c/d", "e": "f", "g": "h"}),
        ("A b=https://c/d;JSESSIONID=e;f", {"b": "https://c/d;JSESSIONID=e;f"}),
    ],
)
def test_the_values_are_what_was_meant(field: str, params: dict[str, str]) -> None:
    [challenge] = read(field)
    assert challenge.params == params


@pytest.mark.parametrize(
    ("field", "challenges"),
    [
        ("A b=c d, Inc", ["A", "Inc"]),  # as strict parse reads `A b=c, Inc`
        ("A b=c d, Basic e=f", ["A", "Basic"]),
        ("A b=c:d, Negotiate, NTLM abc=", ["A", "Negotiate", "NTLM abc="]),
        ("Negotiate abc; b: 'c'", ["Negotiate abc"]),
        ("Negotiate abc, b=c, Basic d=e", ["Negotiate abc", "Basic"]),
        ("NTLM abc== b=c", ["NTLM abc=="]),
        ("Negotiate realm= b=c", ["Negotiate"]),
        ("Bearer abc, b=c", ["Bearer"]),
        ("Internal API Key b=c, d=e, Basic f=g", ["Basic"]),
        ("Bearer OAuth session ended", ["Bearer"]),
        ("A b=c:d, scope=e:f, Negotiate", ["A", "Negotiate"]),
        ("realm: x, Basic b=c", []),
        ("realm: a=b c", []),
        ("Realm =", []),
        ("'Basic b=\"c\"'", []),
        ('Basicrealm="x"', []),
        ("use Basic b=c d", []),
        ("Use Basic, b=c d", ["Use"]),
        ('Bearer b="say "no", Basic c=d"', ["Bearer"]),
        ('Bearer b="the " mark, Basic c=d"', ["Bearer"]),
    ],
)  # fmt: skip
def test_only_what_begins_a_challenge_is_one(field: str, challenges: list[str]) -> None:
    assert [" ".join(filter(None, [one.scheme, one.token68])) for one in read(field)] == challenges


def test_a_token68_takes_no_parameters() -> None:
    assert told("Negotiate abc; b: 'c'") == [
        ("semicolon", ";"), ("missing-scheme", "b"), ("colon-for-equals", ":"),
        ("single-quotes", "'c'"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "repeated"),
    [
        ('A b="1", b="2"', [(0, "b", ("1", "2"))]),
        ('A b="1", b="1"', []),
        ('A b="1", B=2, b="1", b="3"', [(0, "b", ("1", "2", "3"))]),
        ("C, A b=1, b=2, c=3, c=4", [(1, "b", ("1", "2")), (1, "c", ("3", "4"))]),
        (["A b=1", "b='2 3'"], [(0, "b", ("1", "2 3"))]),
        ("A b=1, D b=2 3", []),
        ("A b=1, x", []),
    ],
)
def test_all_values_of_a_parameter_are_offered(
    field: str | list[str], repeated: list[tuple[int, str, tuple[str, ...]]]
) -> None:
    diagnosis = relogin.diagnose(field)
    assert diagnosis.repeated == tuple(Repeated(*one) for one in repeated)
    for one in diagnosis.repeated:
        assert diagnosis.challenges[one.challenge][one.name] == one.values[0]


@pytest.mark.parametrize(
    ("field", "made"),
    [
        ("Session error='session_revoked'", [("quotes-in-value", "'session_revoked'")]),
        ("A b=c, d='e', f=`g`", [("quotes-in-value", "'e'"), ("quotes-in-value", "`g`")]),
        ("A b='c", [("quotes-in-value", "'c")]),
        ("Access denied.", [("word-as-token68", "Access denied.")]),
        ("Access Denied", [("word-as-token68", "Access Denied")]),
        (", A b=c, Session expired", [("word-as-token68", "Session expired")]),
        ("Token not-found", [("word-as-token68", "Token not-found")]),
        ("Basic, Digest, or Bearer", [("word-before-scheme", "or")]),
        ("Bearer, AND X-API-Key", [("word-before-scheme", "AND")]),
        ("and so", [("word-as-token68", "and so")]),
        ("Negotiate YWJj, NTLM TlRMTVNT, Bearer abc=, Bearer a.b1", []),
        ("Basic realm=", [("name-as-token68", "realm=")]),
        ("Bearer a=b, Token error=", [("name-as-token68", "error=")]),
        ("Bearer scope=read,write, admin", [("list-as-schemes", "write, admin")]),
        ("A b=c, d, E g=h, i, J k=l", [("list-as-schemes", "d"), ("list-as-schemes", "i")]),
        ('Bearer a="b", custom, Negotiate, basic', []),
        ("Bearer a=b, Custom, negotiate, other", []),
        ("Bearer a=b, custom c=d, other YWJj", []),
        ("A b=O'Brien, c=\"'d'\"", []),
        ("Session error='a' b", []),  # it has a fault, and that tells
    ],
)
def test_what_is_well_formed_may_be_remarked_on(field: str, made: list[tuple[str, str]]) -> None:
    diagnosis = relogin.diagnose(field)
    assert [(one.kind, field[one.start : one.end]) for one in diagnosis.remarks] == made
    assert not (made and diagnosis.faults)
    for one in diagnosis.remarks:
        assert one.sentence == REMARKS[one.kind]


def test_a_remark_is_drawn_and_leaves_the_field_well_formed() -> None:
    diagnosis = relogin.diagnose("Session error='revoked'")
    assert diagnosis.wellformed
    assert str(diagnosis).splitlines() == [
        "quotes-in-value (well-formed, but probably not meant)",
        "  Session error='revoked'",
        "                ^^^^^^^^^",
        f"  {REMARKS['quotes-in-value']}",
        "well-formed",
        "  Session error=\"'revoked'\"",
    ]


def test_remarks_are_bounded() -> None:
    assert len(relogin.diagnose("a b," * 4000).remarks) == MAX_REMARKS


def test_the_page_about_diagnosis_lists_every_remark() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "diagnose.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    assert listed == sorted(REMARKS.items())


def test_spans_count_in_the_lines_joined() -> None:
    lines = ["Negotiate", " ,Basic realm=a b", "", 'Bearer x="1" y="2"']
    assert told(lines) == [("unquoted-spaces", "a b"), ("missing-comma", "")]
    assert relogin.diagnose(lines).field == ", ".join(lines)


def test_a_line_may_go_on_with_the_challenge_of_the_line_before() -> None:
    assert read(['Digest realm="a" x=y', 'nonce="b"']) == [
        Challenge("Digest", {"realm": "a", "x": "y", "nonce": "b"})
    ]
    # As in one line: `Basic, realm=a`.
    assert read(["Negotiate", "Basic", " ,realm=a b"]) == [
        Challenge("Negotiate"),
        Challenge("Basic", {"realm": "a b"}),
    ]
    assert told(["Basic", " ,realm=a"]) == [("comma-after-scheme", ",")]
    assert told(["Negotiate abc=", "realm=a, Basic b=c"]) == [("missing-scheme", "realm")]


def test_a_line_that_is_well_formed_is_read_as_it_stands() -> None:
    assert read(["A b='c'", "D e=f g"]) == [
        Challenge("A", {"b": "'c'"}),
        Challenge("D", {"e": "f g"}),
    ]


def test_a_malformed_field_has_a_fault_even_if_none_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Recovery, "read", lambda *_: None)  # no field is known that needs this
    assert told("Basic a=b c") == [("stray-character", " ")]


def test_a_diagnosis_draws_each_fault_and_what_was_read() -> None:
    assert str(relogin.diagnose("Bearer, error='no\tway'")).splitlines() == [
        "comma-after-scheme (RFC 9110 §11.3)",
        r"  Bearer, error='no\tway'",
        "        ^",
        "  Only a space belongs between the scheme and its first parameter: remove the comma.",
        "single-quotes (RFC 9110 §5.6.4)",
        r"  Bearer, error='no\tway'",
        "                ^^^^^^^^^",
        "  Use double quotes instead of single quotes.",
        "read as",
        '  Bearer error="no\tway"',
    ]


def test_parameters_of_no_challenge_repeat_none() -> None:
    diagnosis = relogin.diagnose("Basic a=x, Negotiate YWJj, a=1, a=2, a=3")
    assert [one.kind for one in diagnosis.faults] == ["missing-scheme"]
    assert diagnosis.repeated == ()


def test_a_diagnosis_of_nothing_recovered_says_so() -> None:
    assert str(relogin.diagnose("realm=x")).splitlines()[-2:] == ["read as", "  nothing"]


def test_a_diagnosis_of_a_well_formed_field_says_so() -> None:
    diagnosis = relogin.diagnose("Basic realm=x, Negotiate")
    assert str(diagnosis) == 'well-formed\n  Basic realm="x"\n  Negotiate'
    assert diagnosis.wellformed


def test_a_diagnosis_and_a_fault_are_values() -> None:
    diagnosis = relogin.diagnose("Basic realm=a b")
    [one] = diagnosis.faults
    assert (
        one
        == fault("unquoted-spaces", 12, 15)
        == Fault("unquoted-spaces", 12, 15, *KINDS["unquoted-spaces"])
    )
    for value in diagnosis, one:
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
        assert hash(value) == hash(copy.copy(value))
        for name in value.__dataclass_fields__:
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, name, "x")


def test_the_page_about_diagnosis_lists_every_kind_and_what_to_do() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "diagnose.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w-]+)` \| (RFC [^|]+) \| (.+) \|$", page, re.MULTILINE)
    assert listed == [(kind, *KINDS[kind]) for kind in sorted(KINDS)]


def test_the_page_about_diagnosis_shows_each_kind_and_what_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "diagnose.md").read_text("utf-8")
    looks = re.findall(r"^\| `(.+)` \| `([\w-]+)` \| (?:`(.+)`|nothing) \|$", page, re.MULTILINE)
    assert {kind for _, kind, _ in looks} == KINDS.keys() - {"too-many-faults"}
    for look, kind, meant in looks:
        field = look.translate(str.maketrans({"⇥": "\t", "⏎": "\r\n", "␣": " ", "␁": "\x01"}))
        assert kind in {one for one, _ in told(field)}, look
        assert relogin.serialize(read(field)) == meant.encode().decode("latin-1"), look
    real = re.findall(r"^\| [^`|]+ \| `([^|]+)` \| (?:`([^|]+)`|nothing) \|$", page, re.MULTILINE)
    assert len(real) == 10
    assert [relogin.serialize(read(field)) for field, _ in real] == [meant for _, meant in real]


def test_diagnosing_a_well_formed_field_does_not_load_pyparsing() -> None:
    program = (
        "import sys, relogin; relogin.diagnose('Basic realm=x'); print('pyparsing' in sys.modules)"
    )
    assert python(program).stdout == "False\n"


def rows(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / file).read_text("utf-8"))
    return [row for row in found if "faults" in row]


def test_the_fault_that_parse_raises_is_one_that_diagnose_tells() -> None:
    for row in rows("wild.json") + rows("recovered.json"):
        with pytest.raises(relogin.ChallengeSyntaxError) as caught:
            relogin.parse(row["field"])
        assert caught.value.fault in {kind for kind, _ in told(row["field"])}, row["name"]
