"""The typed views of other schemes' challenges: they read what came, and write what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin import (
    BearerChallenge,
    Challenge,
    DigestChallenge,
    RegistryChallenge,
    SessionChallenge,
    best,
    parse,
)
from relogin.schemes import Access

# Text that RFC 6749 lets a scope, a code or a description be made of.
oauth = st.text(st.sampled_from("!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), min_size=1)
part = st.text(st.sampled_from("!#.-/09_azAZ@*"), min_size=1)
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126))


def received(field: str) -> Challenge:
    return parse(field)[0]


# Bearer


@given(printable, st.sets(oauth), st.none() | oauth, st.none() | oauth)
def test_a_bearer_challenge_reads_back_as_it_was_written(
    realm: str, scope: set[str], error: str | None, metadata: str | None
) -> None:
    written = BearerChallenge(
        realm, frozenset(scope), error=error, error_description=error, resource_metadata=metadata
    )
    assert BearerChallenge.from_challenge(received(str(written))) == written


def test_scopes_are_a_set_whatever_their_order() -> None:
    one, other = (received(f'Bearer scope="{text}"') for text in ("a  b", "b a"))
    assert BearerChallenge.from_challenge(one) == BearerChallenge.from_challenge(other)


def test_scopes_may_be_given_as_any_set() -> None:
    assert BearerChallenge(scope={"read", "write"}).scope == frozenset({"read", "write"})


def test_scopes_may_be_given_as_they_stand_in_the_field() -> None:
    assert BearerChallenge(scope="read write").scope == {"read", "write"}  # type: ignore[arg-type]


def test_an_error_that_could_not_be_sent_is_read_as_it_came() -> None:
    seen = BearerChallenge.from_challenge(received(r'bearer error="a\"b", x=y'))
    assert seen.error == 'a"b'
    with pytest.raises(ValueError, match="error must be"):
        str(seen)


@pytest.mark.parametrize(
    "words",
    [
        {"scope": ["two words"]},
        {"scope": ['a"b']},
        {"error": "a\\b"},
        {"error": ""},
        {"error_description": "ü"},
        {"error_uri": "https://a b"},
        {"error_uri": ""},
        {"resource_metadata": 'https://a"'},
    ],
)
def test_what_rfc_6750_forbids_is_not_sent(words: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be printable ASCII"):
        BearerChallenge(**words)


def test_an_error_page_is_written_and_read() -> None:
    written = BearerChallenge(error="invalid_token", error_uri="https://a.example/why")
    assert str(written) == 'Bearer error="invalid_token", error_uri="https://a.example/why"'
    assert BearerChallenge.from_challenge(received(str(written))) == written


def test_a_bearer_challenge_that_says_nothing_is_not_sent() -> None:
    with pytest.raises(ValueError, match="needs a parameter"):
        str(BearerChallenge())


def test_a_bare_bearer_challenge_is_read() -> None:
    assert BearerChallenge.from_challenge(Challenge("Bearer")) == BearerChallenge()


@pytest.mark.parametrize("words", [{"error": 401}, {"scope": [5]}])
def test_what_is_no_text_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be a str"):
        BearerChallenge(**words)


def test_what_is_left_out_of_a_digest_challenge_is_the_usual() -> None:
    assert (
        str(DigestChallenge("x", "n")) == 'Digest realm="x", nonce="n", algorithm=MD5, qop="auth"'
    )


@pytest.mark.parametrize("words", [{"realm": None}, {"nonce": 5}, {"opaque": b"o"}])
def test_what_is_no_text_makes_no_digest_challenge(words: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(words))} must be a str, not"):
        DigestChallenge(**{"realm": "x", "nonce": "n"} | words)


# Digest


@given(
    printable,
    printable.filter(bool),
    st.sampled_from(["MD5", "MD5-sess", "SHA-256", "SHA-512-256-sess", "ROT-13"]),
    st.sets(st.sampled_from(["auth", "auth-int"]), min_size=1),
    st.booleans(),
    st.none() | printable,
    st.lists(part),
    st.sampled_from([None, "UTF-8"]),
    st.booleans(),
)
def test_a_digest_challenge_reads_back_as_it_was_written(
    realm: str,
    nonce: str,
    algorithm: str,
    qop: set[str],
    stale: bool,
    opaque: str | None,
    domain: list[str],
    charset: str | None,
    userhash: bool,
) -> None:
    written = DigestChallenge(
        realm, nonce, algorithm, frozenset(qop), stale, opaque, tuple(domain), charset, userhash
    )
    assert DigestChallenge.from_challenge(received(str(written))) == written


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        ('digest algorithm="sha-256"', {"algorithm": "SHA-256"}),
        ("Digest algorithm=Md5-Sess", {"algorithm": "MD5-sess"}),
        ("Digest algorithm=rot13", {"algorithm": "rot13"}),
        ("Digest realm=x", {"algorithm": "MD5", "qop": frozenset(), "nonce": "", "realm": "x"}),
        ("Digest qop=AUTH", {"qop": frozenset({"auth"})}),
        ('Digest qop="auth,auth-int"', {"qop": frozenset({"auth", "auth-int"})}),
        ('Digest qop=" auth  auth-int ,"', {"qop": frozenset({"auth", "auth-int"})}),
        ('Digest stale="TRUE"', {"stale": True}),
        ("Digest stale=False", {"stale": False}),
        ('Digest userhash="true"', {"userhash": True}),
        ('Digest domain="/a  https://b/"', {"domain": ("/a", "https://b/")}),
    ],
)
def test_what_servers_send_is_read_as_they_mean_it(field: str, seen: dict[str, Any]) -> None:
    view = DigestChallenge.from_challenge(received(field))
    assert {name: getattr(view, name) for name in seen} == seen


def test_the_lists_of_a_digest_challenge_may_be_given_as_they_stand_in_the_field() -> None:
    given: dict[str, Any] = {"qop": "auth-int, AUTH", "domain": "/a /b"}
    view = DigestChallenge("x", "n", **given)
    assert (view.qop, view.domain) == ({"auth", "auth-int"}, ("/a", "/b"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"nonce": ""}, "nonce"),
        ({"qop": ""}, "qop"),
        ({"qop": ['a"']}, "tokens"),
        ({"algorithm": "no token"}, "tokens"),
        ({"charset": "latin-1"}, "UTF-8"),
        ({"domain": ["a b"]}, "domain"),
    ],
)
def test_what_rfc_7616_forbids_is_not_sent(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DigestChallenge(**{"realm": "x", "nonce": "n"} | words)


# The registry's


def test_the_order_of_actions_and_scopes_means_nothing() -> None:
    one = 'Bearer realm="https://a/t",scope="repository:a/b:push,pull repository:c:pull"'
    other = 'Bearer realm="https://a/t",scope="repository:c:pull repository:a/b:pull,push"'
    seen = [RegistryChallenge.from_challenge(received(field)) for field in (one, other)]
    assert seen[0] == seen[1]
    assert str(seen[0]) == str(seen[1])


@pytest.mark.parametrize(
    ("scope", "access"),
    [
        ("repository:host:5000/a/b:pull", {("repository", "host:5000/a/b", "pull")}),
        ("registry:catalog:*", {("registry", "catalog", "*")}),
        ("repository(plugin):a:pull", {("repository(plugin)", "a", "pull")}),
        ("nothing repository:a :a:pull repository::pull", set()),
        ("repository:a:,pull,", {("repository", "a", "pull")}),
    ],
)
def test_a_scope_is_type_name_and_actions(scope: str, access: set[tuple[str, str, str]]) -> None:
    view = RegistryChallenge.from_challenge(received(f'Bearer realm=r, scope="{scope}"'))
    assert view.scope == access


@given(st.sets(st.builds(Access, part, part, part)), st.none() | oauth)
def test_a_registry_challenge_reads_back_as_it_was_written(
    scope: set[Access], service: str | None
) -> None:
    written = RegistryChallenge("https://auth.example/token", service, frozenset(scope))
    assert RegistryChallenge.from_challenge(received(str(written))) == written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"realm": "basic-realm"}, "URL of a token server"),
        ({"realm": "https://[::1"}, "URL of a token server"),
        ({"realm": "https://"}, "URL of a token server"),
        ({"realm": "ftp://auth.example/token"}, "URL of a token server"),
        ({"scope": [("repository", "a b", "pull")]}, "the name of an access"),
        ({"scope": [("repository", "a", "pull,push")]}, "the action of an access"),
        ({"scope": [("re:po", "a", "pull")]}, "must not contain a colon"),
        ({"service": 'a"b'}, "service"),
    ],
)
def test_what_no_registry_could_mean_is_not_sent(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RegistryChallenge(**{"realm": "https://auth.example/token"} | words)


def test_a_realm_that_is_no_url_is_read_as_it_came() -> None:
    assert RegistryChallenge.from_challenge(received('Bearer realm="silly"')).realm == "silly"


def test_a_bearer_challenge_without_a_realm_is_none_of_a_registry() -> None:
    with pytest.raises(ValueError, match="does not name a token server"):
        RegistryChallenge.from_challenge(Challenge("Bearer"))


# The choice

TOMCAT = [
    'Digest realm="x", qop="auth", nonce="n", opaque="o", algorithm=SHA-256',
    'Digest realm="x", qop="auth", nonce="n", opaque="o", algorithm=MD5',
]


@pytest.mark.parametrize("lines", [TOMCAT, TOMCAT[::-1], [", ".join(TOMCAT[::-1])]])
def test_the_strongest_digest_is_chosen_wherever_it_stands(lines: list[str]) -> None:
    found = best(parse(lines), "DIGEST")
    assert found is not None
    assert found["algorithm"] == "SHA-256"


def test_digests_that_cannot_be_answered_are_passed_over() -> None:
    offered = parse('Digest realm=x, nonce=n, algorithm=ROT13, Digest realm=y, qop="a", nonce=n')
    assert best(offered, "Digest") is None
    assert best(offered, DigestChallenge) is None


def test_the_caller_s_order_of_schemes_decides() -> None:
    offered = parse('Basic realm="x", Bearer realm="y", Session realm="z"')
    assert best(offered, "Session", "Bearer") == offered[2]
    assert best(offered, "Bearer", "Session") == offered[1]


def test_what_is_not_on_offer_is_not_chosen() -> None:
    assert best(parse("Basic realm=x"), "Digest", "Bearer") is None
    assert best(parse("Basic realm=x"), BearerChallenge) is None


def test_a_view_is_what_is_asked_for() -> None:
    offered = parse('Basic realm="x", Bearer realm="y", Session realm="z"')
    assert best(offered, SessionChallenge) == SessionChallenge("z")
    assert best(offered, DigestChallenge, BearerChallenge) == BearerChallenge("y")
    assert best(offered, DigestChallenge) is None


def test_the_strongest_is_chosen_by_name_too() -> None:
    offered = parse("Digest realm=x, nonce=a, Digest realm=x, nonce=b, algorithm=SHA-256")
    chosen = best(offered, "digest")
    assert chosen is not None
    assert chosen["nonce"] == "b"


def test_the_first_of_equals_is_chosen() -> None:
    offered = parse('Bearer realm="y", Bearer realm="z"')
    assert best(iter(offered), "bearer") == offered[0]


def test_no_scheme_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="at least one scheme"):
        best([])
