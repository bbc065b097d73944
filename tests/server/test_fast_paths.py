"""The fast paths of common requests and responses give what the slow paths give."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin.server.asgi.fast_path import fast_path
from relogin.server.asgi.scope import request
from relogin.server.credentials import presented
from relogin.server.fields import Headers
from relogin.server.gate import Admitted, Gate, StepUp, is_session
from relogin.server.request import Request
from relogin.server.responses import _merged, dress
from relogin.server.schemes import Scheme, schemes_named

BOTH = schemes_named(["Session", "Bearer"])
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
    """A scheme without its fast path."""

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
def test_the_fast_path_decides_as_the_slow_path_does(
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
def test_an_outcome_that_is_no_plain_session_is_told_apart(outcome: object) -> None:
    assert not is_session(outcome)


@pytest.mark.parametrize("outcome", ["ada", "", 0, {}, object()])
def test_any_other_outcome_is_a_plain_session(outcome: object) -> None:
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
def test_fields_that_are_just_added_are_those_that_merging_gives(
    headers: Headers, outcome: object, fields: dict[str, list[str]], status: int, announce: bool
) -> None:
    gate = Gate("a", public=["/"], cookie="sid", schemes=["Session", "Bearer"], announce=announce)
    request = Request("GET", "/", lambda name: fields.get(name, []))
    decision = gate.decide(gate.claim(request), outcome)
    dressed = dress(gate, decision, status, headers)
    assert as_sets(dressed) == as_sets(_merged(gate, decision, status, headers))


# The fast path of the ASGI gate reads what `Gate.usual` reads


PATHS = st.sampled_from(
    ["/", "", "/orders", "/health", "/health/", "/docs", "/docs/a", "/docs/..", "/DOCS/a", "*"]
)
LINES = st.lists(
    st.lists(words, max_size=5).map("".join)
    | st.sampled_from(['Session token="t1"', "Bearer t1", f"Bearer {'a' * 16_384}"]),
    max_size=2,
)
GATES = [
    Gate("a"),
    Gate("a", public=["/"], ignore=["/docs/*"]),
    Gate("a", public=["/health", "/docs/*"], schemes=["Bearer", "Session"], logout="/logout"),
    Gate("a", public=["/*"]),
    Gate("a", step_up={"/pay": StepUp(300)}),
    Gate("a", path_from="X-Path"),
]


@given(st.sampled_from(GATES), st.sampled_from(["GET", "POST", "OPTIONS"]), PATHS, LINES)
def test_the_fast_path_reads_what_the_gate_reads(
    gate: Gate, method: str, path: str, lines: list[str]
) -> None:
    headers = [(b"authorization", line.encode("latin-1")) for line in lines]
    scope = {"method": method, "path": path, "headers": [(b"host", b"a"), *headers]}
    read = fast_path(gate)(scope)
    assert read == (gate.usual(method, path, lines[0]) if len(lines) == 1 else None)


@pytest.mark.parametrize(
    "gate",
    [
        Gate("a", recheck=30),
        Gate("a", legacy=lambda status, headers: None),
        Gate("a", step_up={"/pay": StepUp(300)}),
        Gate("a", path_from="X-Path"),
    ],
)
def test_a_gate_that_needs_more_takes_the_slow_path(gate: Gate) -> None:
    field = (b"authorization", b'Session token="t1"')
    scope = {"method": "GET", "path": "/orders", "headers": [field]}
    assert fast_path(Gate("a"))(scope) is not None
    assert fast_path(gate)(scope) is None


COOKIES = st.lists(
    st.sampled_from(["sid=t1", "sid=t2", 'sid="t1"', "sid=", " sid = t1", "a=b", "SID=t3", "sid"]),
    max_size=3,
).map(";".join)


@given(
    cookies=st.lists(COOKIES, max_size=2),
    lines=st.lists(st.sampled_from(['Session token="t1"', "Basic YTpi", ""]), max_size=1),
    path=PATHS,
    mount=st.sampled_from(["", "/api", "/api/"]),
)
def test_the_fast_path_reads_what_a_claim_has(
    cookies: list[str], lines: list[str], path: str, mount: str
) -> None:
    gate = Gate("a", public=["/health"], cookie="sid", schemes=["Session", "Bearer"])
    headers = [(b"cookie", one.encode()) for one in cookies]
    headers += [(b"authorization", one.encode()) for one in lines]
    scope = {"type": "http", "method": "GET", "path": mount + path, "headers": headers}
    claim = gate.claim(request(scope | {"root_path": mount}))
    read = fast_path(gate)(scope | {"root_path": mount})
    assert read is None or (read == claim.found and not claim.public)


def test_below_a_mount_the_path_below_it_counts() -> None:
    field = (b"authorization", b'Session token="t1"')
    below = {"method": "GET", "headers": [field], "root_path": "/api"}
    read = fast_path(Gate("a", public=["/health"]))
    assert read(below | {"path": "/api/orders"}) is not None
    assert read(below | {"path": "/api/health"}) is None
