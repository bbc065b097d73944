"""FormLogin with a client that is signed in already: whose session is it?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
import requests

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import FormLogin, OneTime, accounts, from_cookie
from relogin.client.requests import SessionAuth
from tests.client.identity_provider import FORM, HTML, Provider
from tests.client.log_in import context, open_aiohttp
from tests.client.server import Answer, Request, Server


@pytest.fixture
def provider(server: Server) -> Provider:
    return Provider(server)


def sent_to(server: Server) -> list[str]:
    """The fields that were filled in."""
    return [
        one.body.decode()
        for one in server.requests
        if b"password" in one.body or b"pin" in one.body
    ]


def posts(provider: Provider) -> int:
    sent = [one for one in provider.server.requests if one.method == "POST"]
    return len([one for one in sent if b"password" in one.body])


@pytest.mark.parametrize("binding", ["code", "saml"])
def test_a_client_that_is_signed_in_at_the_provider_fills_in_nothing(
    provider: Provider, session: requests.Session, binding: str
) -> None:
    provider.binding, provider.remembers = binding, {"idp"}
    with requests.Session() as http:
        session.auth = SessionAuth(provider.login(), http=http)
        for _ in range(3):
            assert session.get(f"{provider.app}/orders").text == "orders"
            provider.living = "none"
    assert (posts(provider), provider.number) == (1, 3)


def test_a_client_that_is_signed_in_may_be_led_to_the_landing(provider: Provider) -> None:
    provider.binding, provider.remembers = "landing", {"idp"}
    login = provider.login(landing="https://www.example.com")
    grants = twice_over(requests.Session, login)
    assert (all(grants), posts(provider)) == (True, 1)


def twice_over_aiohttp(login: FormLogin) -> list[Grant | None]:
    async def main() -> list[Grant | None]:
        async with open_aiohttp() as http:
            return [await login.acall(context(http)) for _ in range(2)]

    return anyio.run(main)


def twice_over(open_http: Callable[[], Any], login: FormLogin) -> list[Grant | None]:
    with open_http() as http:
        return [login(context(http)) for _ in range(2)]


@pytest.mark.parametrize(
    "twice",
    [partial(twice_over, requests.Session), partial(twice_over, httpx.Client), twice_over_aiohttp],
    ids=["requests", "httpx", "aiohttp"],
)
def test_a_client_that_is_signed_in_at_the_application_gives_its_session(
    provider: Provider, twice: Callable[[FormLogin], list[Grant]]
) -> None:
    provider.remembers = {"app"}
    first, second = twice(provider.login(headers={"X-App": from_cookie("app")}))
    assert (first.headers, posts(provider)) == (second.headers, 1)


@pytest.mark.parametrize(
    ("landing", "told"),
    [
        (Answer(404), ""),
        (Answer(503), "answered 503"),
        (
            Answer(200, HTML, b"<form><input type=password name=pin>"),
            "without a form that has user",
        ),
    ],
)
def test_the_page_that_a_client_is_led_to_may_be_missing_but_must_not_ask_for_a_password(
    provider: Provider, landing: Answer, told: str
) -> None:
    provider.remembers = {"app"}
    with requests.Session() as http:
        provider.login()(context(http))
        provider.server.answers = lambda request: (
            landing if request.path == "/" else provider.answer(request)
        )
        with pytest.raises(LoginUnavailable, match=told) if told else nullcontext():
            assert provider.login()(context(http))


def test_a_session_that_was_refused_is_not_given_again(
    provider: Provider, session: requests.Session
) -> None:
    provider.remembers = {"app"}
    with requests.Session() as http:
        session.auth = SessionAuth(provider.login(), http=http)
        session.get(f"{provider.app}/orders")
        provider.server.answers = lambda request: (
            Answer(401) if request.path == "/orders" else provider.answer(request)
        )
        with pytest.raises(LoginUnavailable, match="still signed in, and its cookies were refused"):
            session.get(f"{provider.app}/orders")


def test_cookies_of_a_client_do_not_make_a_page_without_a_form_a_success(
    provider: Provider,
) -> None:
    """One that a script builds, say."""
    provider.server.answers = lambda _: Answer(200, HTML, b"<div id=app>")
    with requests.Session() as http:
        http.cookies.set("consent", "1")
        with pytest.raises(LoginUnavailable, match="a script builds it"):
            provider.login()(context(http))


@pytest.mark.parametrize("place", ["/login/", "/login/step"])
def test_a_redirect_to_the_login_page_is_no_success(provider: Provider, place: str) -> None:
    """With a slash, or to a page for the user's name alone."""
    page = b"<div id=app>" if place == "/login/" else b"<form method=post><input name=user></form>"
    provider.server.answers = lambda request: (
        Answer(302, (("Location", place),)) if request.path == "/login" else Answer(200, HTML, page)
    )
    with requests.Session() as http:
        http.cookies.set("consent", "1")
        login = FormLogin(f"{provider.app}/login", [{"user": "ada"}, {"password": "pa55"}])
        with pytest.raises((LoginRefused, LoginUnavailable)):
            login(context(http))
    sent = [one.body for one in provider.server.seen(place) if one.method == "POST"]
    assert sent == ([] if place == "/login/" else [b"user=ada"])


@pytest.mark.parametrize("remembers", ["app", "idp"])
def test_a_client_that_is_signed_in_as_somebody_else_signs_in_anew(
    provider: Provider, remembers: str
) -> None:
    provider.remembers = {remembers}
    with requests.Session() as http:
        assert provider.login()(context(http))
        assert provider.login()(context(http))
        assert provider.login(user="bob")(context(http))
    assert sent_to(provider.server) == [
        "username=ada&password=pa55",
        "username=bob&password=pa55",
    ]


@pytest.mark.parametrize("user", ["ada", lambda _: "ada"], ids=["named", "unnamed"])
def test_a_session_that_somebody_else_got_without_a_login_is_not_given(
    provider: Provider, user: Any
) -> None:
    """With a cookie that no login has set, so that it is not removed."""
    provider.remembers = {"app"}
    with requests.Session() as http:
        assert provider.login(user=user)(context(http))
        http.cookies.set("app", provider.living)
        with pytest.raises(LoginUnavailable, match="was signed in with other fields"):
            provider.login(user="bob")(context(http))


@pytest.mark.parametrize("remembers", ["app", "idp"])
@pytest.mark.parametrize("password", ["changed", lambda: "pa55", lambda: "changed"])
def test_a_login_made_anew_is_of_the_same_account_whatever_its_password(
    provider: Provider, remembers: str, password: Any
) -> None:
    provider.remembers = {remembers}
    with requests.Session() as http:
        assert provider.login(user=lambda: "ada")(context(http))
        assert provider.login(password)(context(http))
    assert posts(provider) == 1


def test_a_client_that_is_signed_in_asks_for_no_password(provider: Provider) -> None:
    """A person may have to type it."""
    asked: list[str] = []

    def password() -> str:
        asked.append("password")
        return "pa55"

    provider.remembers = {"app"}
    with requests.Session() as http:
        for _ in range(3):
            assert provider.login(password)(context(http))
    assert asked == ["password"]


def test_a_login_is_not_asked_who_it_is_to_be_compared_with_itself(provider: Provider) -> None:
    asked: list[str] = []

    def fields() -> dict[str, str]:
        asked.append("ada")
        return {"username": "ada", "password": "pa55"}

    provider.remembers = {"app"}
    login = FormLogin(f"{provider.app}/login", fields, via=[provider.idp])
    with requests.Session() as http:
        assert login(context(http))
        assert login(context(http))
    assert asked == ["ada"]


def kept_of(http: requests.Session) -> str:
    """Show all that is remembered of a client."""
    return repr((accounts._accounts[http], accounts._owners[http]))


def test_of_a_client_that_is_signed_in_no_field_is_kept(provider: Provider) -> None:
    with requests.Session() as http:
        assert provider.login(user="ada-who-is-long")(context(http))
        kept = kept_of(http)
    assert "pages" in kept
    assert not any(field in kept for field in ("ada", "pa55"))


PIN = b"<form method=post><input type=%b name=%b><input type=password name=pin>"


class Site:
    """A site whose one form accepts anything, and that recognises a client it has seen before."""

    def __init__(self, server: Server, kind: str, name: str) -> None:
        self.url, self.page = f"{server.url}/login", PIN % (kind.encode(), name.encode())
        server.answers = self.answer

    def answer(self, request: Request) -> Answer:
        if request.path == "/login" and request.method == "GET" and "sid" in request.cookies:
            return Answer(303, (("Location", "/home"),))
        if request.method == "GET":
            return Answer(200, HTML, b"home" if request.path == "/home" else self.page)
        return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")


@pytest.mark.parametrize(
    ("kind", "name"), [("text", "user[login]"), ("email", "who"), ("text", "log")]
)
def test_a_password_says_nothing_about_an_account_that_has_a_name(
    server: Server, kind: str, name: str
) -> None:
    site = Site(server, kind, name)
    with requests.Session() as http:
        assert FormLogin(site.url, {name: "ada", "pin": "1111"})(context(http))
        assert FormLogin(site.url, {name: "ada", "pin": "2222"})(context(http))
        assert len(sent_to(server)) == 1
        assert FormLogin(site.url, {name: "bob", "pin": "1111"})(context(http))
    assert len(sent_to(server)) == 2


@pytest.mark.parametrize("more", [{}, {"branch": "Berlin"}, {"user_trusts": "on"}])
def test_a_password_without_a_name_is_the_account(server: Server, more: dict[str, str]) -> None:
    """Such as the PIN of one of several clerks."""
    site = Site(server, "text", next(iter(more), "branch"))
    with requests.Session() as http:
        assert FormLogin(site.url, more | {"pin": "1111"})(context(http))
        assert FormLogin(site.url, more | {"pin": lambda: "1111"})(context(http))
        assert len(sent_to(server)) == 1
        assert FormLogin(site.url, more | {"pin": "2222"})(context(http))
    assert len(sent_to(server)) == 2


def test_a_code_says_nothing_about_the_account(server: Server) -> None:
    site = Site(server, "text", "code")
    with requests.Session() as http:
        for code in ("111", "222"):
            login = FormLogin(site.url, {"code": OneTime(iter([code]).__next__), "pin": "1111"})
            assert login(context(http))


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize("person", [{}, {"user": "ada"}])
def test_a_password_that_is_hashed_with_a_page_names_nobody(
    server: Server, person: dict[str, str], is_listed: bool
) -> None:
    """The hash differs each time, so the account needs a name."""
    site = Site(server, "text", "user")

    def hashed(page: Any) -> str:
        return f"{len(page.text)}-1111"

    fields: dict[str, Any] = person | {"pin": [hashed] if is_listed else hashed}
    login = FormLogin(site.url, fields)
    with requests.Session() as http:
        assert login(context(http))
        assert login(context(http))
        assert FormLogin(site.url, fields)(context(http))
    assert len(sent_to(server)) == (1 if person else 2)


def test_a_page_that_is_asked_for_anyway_says_nothing_about_the_account(server: Server) -> None:
    """The server remembers the account and asks for the PIN alone, so the server decides."""
    pages = {"/login": PIN % (b"text", b"user"), "/again": b"<form method=post><input name=pin>"}

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")
        if request.path == "/login" and "sid" in request.cookies:
            return Answer(303, (("Location", "/again"),))
        return Answer(200, HTML, pages[request.path])

    server.answers = answer
    asked: list[str] = []

    def pin() -> str:
        asked.append("pin")
        return "1111"

    url = f"{server.url}/login"
    with requests.Session() as http:
        assert FormLogin(url, {"user": "ada", "pin": "1111"})(context(http))
        assert FormLogin(url, [{"user": "ada"}, {"pin": pin}])(context(http))
    assert asked == ["pin"]


def test_a_client_may_be_signed_in_at_several_sites(provider: Provider) -> None:
    """Who is signed in at one site says nothing about the other."""
    provider.remembers = {"app"}
    form = FORM.format("/login").encode()
    other = {"GET": Answer(200, HTML, form), "POST": Answer(200, (("Set-Cookie", "other=1"),))}
    with requests.Session() as http:
        assert provider.login()(context(http))
        provider.server.answers = lambda request: (
            other[request.method]
            if "localhost" in request.headers["Host"]
            else provider.apply(request)
        )
        elsewhere = FormLogin(f"{provider.idp}/login", {"username": "bob", "password": "pa55"})
        assert elsewhere(context(http))
        assert FormLogin(f"{provider.app}/login", provider.login().fields)(context(http))


def test_fields_of_a_known_client_are_asked_for_once(provider: Provider) -> None:
    asked: list[str] = []

    def fields() -> dict[str, str]:
        asked.append("ada")
        return {"username": "ada", "password": "pa55"}

    with requests.Session() as http:
        http.cookies.set("consent", "1")
        assert FormLogin(f"{provider.app}/login", fields, via=[provider.idp])(context(http))
    assert asked == ["ada"]


def test_a_redirect_that_leads_nowhere_is_no_success(provider: Provider) -> None:
    provider.server.answers = lambda _: Answer(302)
    with requests.Session() as http:
        http.cookies.set("consent", "1")
        with pytest.raises(LoginUnavailable, match="answered 302"):
            provider.login()(context(http))
