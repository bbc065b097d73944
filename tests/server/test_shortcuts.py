"""The short cuts for what most requests and responses look like change nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin.server.facts import Request, presented
from relogin.server.fields import Headers
from relogin.server.gate import Admitted, Gate, StepUp, is_session
from relogin.server.responses import _merged, dress
from relogin.server.schemes import Scheme, spoken

BOTH = spoken(["Session", "Bearer"])
words = st.sampled_from(
    [
        "Session",
        "session",
        "Bearer",
        " ",
        "  ",
        "token",
        "=",
        '"',
        ",",
        "a",
        "a.b+/~",
        "==",
        "\\",
        "\t",
        "é",
        'token="abc"',
        'token="a\\"b"',
        "x=y",
        "!#~",
    ]
)


class Slow:
    """A scheme without its short cut."""

    def __init__(self, scheme: Scheme) -> None:
        self.name = scheme.name
        self.tells_lifetime = scheme.tells_lifetime
        self.tells_scope = scheme.tells_scope
        self.token = scheme.token
        self.code = scheme.code
        self.challenge = scheme.challenge

    def usual(self, field: str, /) -> None:
        return None


def read(field: str, schemes: Sequence[Scheme]) -> tuple[object, ...]:
    request = Request("GET", "/", lambda name: [field] if name == "authorization" else [])
    there, scheme, token, by_cookie = presented(request, schemes, None)
    return there, scheme and scheme.name, token, by_cookie


@given(st.lists(words, max_size=7).map("".join))
def test_credentials_are_read_as_the_grammar_reads_them(field: str) -> None:
    assert read(field, BOTH) == read(field, [Slow(scheme) for scheme in BOTH])


names = st.sampled_from(
    [
        "Vary",
        "vary",
        "Cache-Control",
        "Set-Cookie",
        "X",
        "Content-Type",
        "WWW-Authenticate",
        "Access-Control-Expose-Headers",
    ]
)
contents = st.sampled_from(["a", "Cookie", "public", "private", "*", "sid=x", "sid=; Max-Age=0"])
outcomes = st.sampled_from(
    [
        "ada",
        Admitted("ada", expires_in=9),
        relogin.Refused("session_expired"),
        relogin.Refused(),
        OSError(),
    ]
)
requests = st.sampled_from(
    [
        {},
        {"cookie": ["sid=x"]},
        {"authorization": ['Session token="x"']},
        {"authorization": ["Bearer x"]},
    ]
)


paths = st.lists(
    st.sampled_from(["docs", "a", "..", "", "DOCS", "pay", "%2f", ";"]), min_size=1, max_size=4
).map(lambda parts: "/" + "/".join(parts))


@given(
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]),
    path=paths,
    field=st.lists(words, max_size=7).map("".join) | st.just('Session token="a"'),
    public=st.sampled_from([["/docs/*"], ["/*"], [], ["/", "/a"]]),
    stepped=st.booleans(),
)
def test_a_request_like_most_is_decided_as_any_other(
    method: str, path: str, field: str, public: list[str], stepped: bool
) -> None:
    asked = {"/pay": StepUp(300)} if stepped else {}
    gate = Gate("a", public=public, step_up=asked, schemes=["Session", "Bearer"], cookie="sid")
    usual = gate.usual(method, path, field)
    if usual is not None:
        lines = {"authorization": [field], "cookie": ["sid=b"], "origin": ["https://a"]}
        request = Request(method, path, lambda name: lines.get(name, ()))
        decision = gate.decide(gate.claim(request), "ada")
        assert gate.usual_decision(request, usual, "ada") == decision


@pytest.mark.parametrize("outcome", [None, False, Admitted("ada"), Admitted(None), OSError()])
def test_what_is_more_than_a_session_has_to_be_looked_at(outcome: object) -> None:
    assert not is_session(outcome)


@pytest.mark.parametrize("outcome", ["ada", "", 0, {}, object()])
def test_what_is_none_of_that_is_a_session(outcome: object) -> None:
    assert is_session(outcome)


def as_sets(headers: Headers) -> set[tuple[str, frozenset[str]]]:
    """Header fields without the order in which their elements stand."""
    return {(name.lower(), frozenset(value.split(", "))) for name, value in headers}


@given(
    headers=st.lists(st.tuples(names, contents), max_size=4),
    outcome=outcomes,
    fields=requests,
    status=st.sampled_from([200, 304, 401, 404]),
    announce=st.booleans(),
)
def test_what_is_simply_added_is_what_merging_comes_to(
    headers: Headers, outcome: object, fields: dict[str, list[str]], status: int, announce: bool
) -> None:
    gate = Gate("a", public=["/"], cookie="sid", schemes=["Session", "Bearer"], announce=announce)
    request = Request("GET", "/", lambda name: fields.get(name, []))
    decision = gate.decide(gate.claim(request), outcome)
    dressed = dress(gate, decision, status, headers)
    assert as_sets(dressed) == as_sets(_merged(gate, decision, status, headers))
