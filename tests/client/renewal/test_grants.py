"""What a login is given, and what it may return."""

from http.cookiejar import CookieJar
from typing import Any

import httpx
import pytest
from requests.cookies import RequestsCookieJar

from relogin import Grant, InvalidGrant
from relogin.client.terms.grant import Context, granted
from tests.client.steps import URL


def test_nothing_means_that_the_login_declined() -> None:
    assert granted(None, URL) is None


def test_a_text_is_a_token() -> None:
    assert granted("t", URL) == Grant(token="t")


@pytest.mark.parametrize("kind", [RequestsCookieJar, httpx.Cookies])
def test_of_a_jar_what_belongs_to_the_host_is_taken(kind: Any) -> None:
    jar = kind()
    jar.set("sid", "1", domain="api.example.com", path="/")
    jar.set("other", "2", domain="elsewhere.example", path="/")
    jar.set("deep", "3", domain="api.example.com", path="/admin")
    grant = granted(Grant(cookies=jar), URL)
    assert grant is not None
    assert dict(grant.cookies) == {"sid": "1"}  # type: ignore[arg-type]


def test_a_secure_cookie_over_http_is_told_as_the_reason() -> None:
    jar = RequestsCookieJar()
    jar.set("sid", "1", domain="localhost.local", path="/", secure=True)
    with pytest.raises(InvalidGrant, match="other hosts or paths, or Secure"):
        granted(Grant(cookies=jar), "http://localhost/")


def test_an_empty_jar_beside_a_token_is_no_matter() -> None:
    grant = granted(Grant(token="t", cookies=CookieJar()), URL)
    assert grant is not None
    assert dict(grant.cookies) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cookies", [{"a b": "1"}, {"a=": "1"}, {"": "1"}, {"a": "1;2"}, {"a": "1\n"}, {"a": "€"}]
)
def test_a_cookie_that_cannot_be_sent_is_refused(cookies: dict[str, str]) -> None:
    with pytest.raises(InvalidGrant, match="cannot be sent"):
        granted(Grant(cookies=cookies), URL)


@pytest.mark.parametrize(
    ("cookies", "kinds"),
    [({"a": 5}, "str to int"), ({"a": None}, "NoneType"), ({5: "a"}, "int to")],
)
def test_what_is_no_cookie_at_all_is_refused_by_its_kind(cookies: Any, kinds: str) -> None:
    with pytest.raises(InvalidGrant, match=rf"Grant\.cookies must map str to str, not .*{kinds}"):
        granted(Grant(cookies=cookies), URL)


NO_GRANTS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "needs a token, cookies or headers; a login that declines returns None"),
    "an empty token": ({"token": ""}, "needs a token, cookies or headers"),
    "an empty token beside cookies": ({"token": "", "cookies": {"a": "1"}}, "needs a token"),
    "empty cookies": ({"cookies": {}}, "needs a token, cookies or headers"),
    "an empty jar": ({"cookies": CookieJar()}, "needs a token, cookies or headers"),
    "octets": ({"token": b"s3cret"}, r"Grant\.token must be a str, not bytes"),
    "a number to refresh with": (
        {"token": "t", "refresh": 5},
        r"Grant\.refresh must be a str, not int",
    ),
    "the text of a cookie": (
        {"cookies": "a=s3cret"},
        r"must be a mapping or a cookie jar, not str",
    ),
    "a list of cookies": ({"cookies": ["s3cret"]}, r"must be a mapping or a cookie jar, not list"),
    "no cookies": ({"token": "t", "cookies": None}, "a cookie jar, not NoneType"),
    "a lifetime of 400 digits": (
        {"token": "t", "expires_in": 10**400},
        "a finite number of seconds",
    ),
    "an endless lifetime": ({"token": "t", "expires_in": float("inf")}, "or None if it is not"),
    "no number": ({"token": "t", "expires_in": float("nan")}, "a finite number of seconds"),
    "a lifetime in words": ({"token": "t", "expires_in": "600"}, "a finite number of seconds"),
    "a lifetime of true": ({"token": "t", "expires_in": True}, "a finite number of seconds"),
}


@pytest.mark.parametrize("given", NO_GRANTS)
@pytest.mark.parametrize("kind", [InvalidGrant, TypeError, ValueError])
def test_what_can_be_no_grant_says_what_to_give_and_not_what_was_given(
    given: str, kind: type[Exception]
) -> None:
    fields, message = NO_GRANTS[given]
    with pytest.raises(kind, match=message) as caught:
        Grant(**fields)
    assert "s3cret" not in str(caught.value)


def test_the_cookies_of_a_grant_in_use_cannot_be_changed() -> None:
    grant = granted(Grant(cookies={"a": "1"}), URL)
    assert grant is not None
    with pytest.raises(TypeError):
        grant.cookies["a"] = "2"  # type: ignore[index]


def test_the_http_of_a_context_is_made_when_it_is_first_asked_for() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    context = Context(challenge=None, error=None, realm="", method="GET", url=URL, open_http=make)
    assert made == []
    assert context.http is context.http is made[0]
    assert repr(context) == "<Context GET no session realm=''>"


def test_a_context_made_by_hand_has_no_http() -> None:
    context = Context(challenge=None, error="x", realm="r", method="GET", url=URL)
    assert context.http is None
