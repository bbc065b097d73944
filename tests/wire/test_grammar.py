"""The grammar takes what the scanner takes, and says where the rest goes wrong."""

import subprocess
import sys
import textwrap
from typing import Any

import pytest
from hypothesis import example, given, settings

from relogin.wire import grammar
from relogin.wire.scan import scan_challenges, scan_credentials, scan_params
from tests.wire.fields import EXAMPLES, anything


def by_scanner(rule: str, text: str) -> list[Any] | None:
    if rule == "challenges":
        return scan_challenges(text)
    one = scan_credentials(text) if rule == "credentials" else scan_params(text)
    if one is None:
        return None
    return [one if isinstance(one, tuple) else ("", None, one)]


def by_grammar(rule: str, text: str) -> list[Any] | None:
    found = grammar.read(rule, text)
    return None if isinstance(found, grammar.Stop) else found


@pytest.mark.parametrize("rule", grammar.RULES)
@settings(max_examples=EXAMPLES)
@given(text=anything)
@example(text="A \ta=b")
@example(text="A a=b, x")
@example(text="A , x")
@example(text="A a=1, A=2")
@example(text="A a=, b=c")
@example(text="A\t,a=b")
@example(text="Basic realm=x\n")
@example(text='A a="\t"')
def test_scanner_and_grammar_read_the_same(rule: str, text: str) -> None:
    assert by_grammar(rule, text) == by_scanner(rule, text)


@pytest.mark.parametrize(
    ("rule", "text", "at", "expected"),
    [
        ("challenges", "=", 0, grammar.SCHEME),
        ("challenges", ", a=b", 2, grammar.SCHEME),
        ("challenges", "Basic a=b, =", 11, grammar.ELEMENT),
        ("challenges", "Basic/", 5, grammar.ARGUMENTS),
        ("challenges", "Basic, a=b", 5, grammar.ARGUMENTS),
        ("challenges", "Basic\ta=b", 5, grammar.ARGUMENTS),
        ("challenges", "Basic (", 6, grammar.ARGUMENT),
        ("challenges", "Basic abc, d=e", 6, grammar.ARGUMENT),
        ("challenges", "Basic a=b, c=;", 13, grammar.VALUE),
        ("challenges", "Basic a=, b=c", 8, grammar.VALUE),
        ("challenges", 'Basic a="b', 10, grammar.CLOSING),
        ("challenges", 'Basic a="b\x00"', 10, grammar.CLOSING),
        ("challenges", "Basic a=b;", 9, grammar.NEXT),
        ("challenges", "Basic a=b\n", 9, grammar.NEXT),
        ("challenges", "Basic a=b, A=c", 11, grammar.NEW_NAME),
        ("credentials", "", 0, grammar.SCHEME),
        ("credentials", "Basic,", 5, grammar.ARGUMENTS),
        ("credentials", "Basic abc,", 6, grammar.ONE_ARGUMENT),
        ("credentials", "Basic a=b, Basic", 11, grammar.PARAM),
        ("credentials", "Basic a=b c=d", 9, grammar.NEXT),
        ("authentication-info", "a", 0, grammar.PARAM),
        ("authentication-info", "a=b, c", 5, grammar.PARAM),
        ("authentication-info", "a=b c=d", 3, grammar.NEXT),
    ],
)
def test_a_stop_says_where_and_what_was_expected(
    rule: str, text: str, at: int, expected: str
) -> None:
    assert grammar.read(rule, text) == grammar.Stop(at, expected)


def test_no_type_of_pyparsing_leaves_the_grammar() -> None:
    read = grammar.read("challenges", 'Basic realm="a\\"b", Bearer abc=')
    assert read == [("Basic", None, {"realm": 'a"b'}), ("Bearer", "abc=", {})]
    assert isinstance(read, list)
    assert {type(part) for one in read for part in one} == {str, dict, type(None)}
    stop = grammar.read("challenges", "Basic a b")
    assert isinstance(stop, grammar.Stop)
    assert (type(stop.at), type(stop.expected)) == (int, str)


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_grammar_turns_no_switch_of_pyparsing() -> None:
    run("""
        import pyparsing as pp
        def switches():
            return {name: repr(value) for one in (pp.ParserElement, pp.core.__diag__)
                    for name, value in vars(one).items() if not callable(value)}
        before = switches()
        import relogin.wire.grammar, relogin.wire.malformed
        assert switches() == before
    """)


def test_switches_that_others_turn_do_not_change_the_grammar() -> None:
    run(r"""
        import pyparsing as pp
        pp.ParserElement.set_default_whitespace_chars("ab,")
        pp.ParserElement.enable_packrat()
        from relogin.wire import grammar
        assert grammar.read("challenges", 'a b, c d="e\tf"') == [
            ("a", "b", {}), ("c", None, {"d": "e\tf"})]
        assert grammar.read("challenges", "a\tb").at == 1
    """)


def test_threads_that_ask_first_at_once_get_the_same_answer() -> None:
    out = run("""
        import threading, relogin
        start = threading.Barrier(16)
        found = []
        def ask():
            start.wait()
            try:
                relogin.parse('Basic realm="a" charset="b", c="d')
            except relogin.ChallengeSyntaxError as error:
                found.append(str(error))
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(found), len(set(found)))
    """)
    assert out.split() == ["16", "1"]


def test_a_long_field_is_read_without_recursion() -> None:
    field = "A " + ", ".join(f"a{i}=b" for i in range(1500)) + ";"
    assert grammar.read("challenges", field) == grammar.Stop(len(field) - 1, grammar.NEXT)
