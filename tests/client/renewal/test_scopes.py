"""What an `insufficient_scope` demands, and when no login is asked for it any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin import Challenge, Grant
from relogin.client.renewal.scopes import Demands, demanded, signals_more
from relogin.client.terms.answer import Answer
from relogin.client.terms.scopes import scope_tokens

WRITE, ADMIN = frozenset({"write"}), frozenset({"admin"})


def challenge(scope: str | None) -> Challenge:
    params = {"error": "insufficient_scope"}
    return Challenge("Bearer", params if scope is None else params | {"scope": scope})


@pytest.mark.parametrize(
    ("scope", "read"),
    [
        ("read write", {"read", "write"}),
        ("  read  ", {"read"}),
        ("https://www.googleapis.com/auth/drive api://x/.default", None),
        ("", set()),
        (None, set()),
        ('a"b', set()),
        ("a\\b", set()),
        ("ünïcode", set()),
        ("a\tb", set()),
        (" ".join(f"s{n}" for n in range(32)), None),
        (" ".join(f"s{n}" for n in range(33)), set()),
        ("x" * 2048, None),
        ("x" * 2049, set()),
    ],
)
def test_scopes_are_read_by_the_grammar_and_within_bounds(
    scope: str | None, read: set[str] | None
) -> None:
    expected = set((scope or "").split()) if read is None else read
    assert demanded(challenge(scope)) == expected


words = st.text('aB1:/!#[]~ "\\é', max_size=6)  # some have a character that no scope has


@given(st.lists(words, max_size=4) | st.lists(words, max_size=4).map(" ".join))
def test_whatever_is_read_as_scopes_can_be_sent_as_scopes(scope: str | list[str]) -> None:
    try:
        tokens = scope_tokens(scope)
    except ValueError:
        return
    assert scope_tokens(" ".join(tokens)) == tokens


def test_only_a_403_that_names_the_error_demands_anything() -> None:
    line = {"WWW-Authenticate": str(challenge("write"))}
    assert signals_more(Answer(403, line, "")) == "insufficient_scope"
    assert signals_more(Answer(401, line, "")) is None
    assert signals_more(Answer(403, {"WWW-Authenticate": "Bearer"}, "")) is None
    assert signals_more(Answer(403, {}, "")) is None


def test_a_login_is_asked_for_the_scopes_held_and_those_demanded() -> None:
    held = Grant(token="t", scope="read openid")
    assert Demands().ask(WRITE | ADMIN, held, 0) == ("read", "openid", "admin", "write")
    assert Demands().ask(WRITE, None, 0) == ("write",)


def test_the_next_login_is_asked_for_what_was_granted_and_for_nothing_else() -> None:
    demands = Demands()
    assert demands.ask(frozenset(), Grant(token="t", scope="read"), 0) == ()
    demands.grant(WRITE | ADMIN, Grant(token="t", scope="read write"))
    assert demands.ask(frozenset(), Grant(token="t", scope="read write"), 0) == ("write",)
    demands.grant(ADMIN, Grant(token="t"))
    assert demands.ask(frozenset(), None, 0) == ("admin", "write")


def test_a_demand_stands_that_the_token_was_asked_for() -> None:
    demands = Demands()
    assert not demands.is_hopeless(WRITE, (), 0)
    demands.ask(WRITE, None, 0)
    assert not demands.is_hopeless(WRITE, (), 1)
    assert demands.is_hopeless(WRITE, ("read", "write"), 2)
    assert demands.is_hopeless(WRITE, (), 3)
    assert not demands.is_hopeless(ADMIN, (), 3)


def test_what_stands_is_not_asked_for_at_the_next_login() -> None:
    demands = Demands()
    demands.grant(WRITE, Grant(token="t"))
    demands.refuse(WRITE, 0)
    assert demands.ask(frozenset(), None, 0) == ()


def test_a_demand_that_stands_may_be_asked_for_again_after_a_quarter_of_an_hour() -> None:
    demands = Demands()
    demands.refuse(WRITE, 0)
    assert demands.is_hopeless(WRITE, (), 900)
    assert not demands.is_hopeless(WRITE, (), 901)


def test_a_server_that_demands_ever_other_scopes_gets_sixteen_logins() -> None:
    demands = Demands()
    sets = [frozenset({f"scope-{number}"}) for number in range(100)]
    asked = 0
    for scope in sets:
        if not demands.is_hopeless(scope, (), 1):
            demands.ask(scope, None, 1)
            asked += 1
    assert asked == 16


def test_no_more_than_sixty_four_scopes_are_asked_for_at_once() -> None:
    demands = Demands()
    for number in range(2):
        granted = frozenset(f"{number}-{each}" for each in range(32))
        assert not demands.is_hopeless(granted, (), 0)
        demands.grant(granted, Grant(token="t"))
    assert demands.is_hopeless(WRITE, (), 0)
