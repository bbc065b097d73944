"""FormLogin through an identity provider: the form is on another origin than the application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest
import requests

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import FormLogin, from_cookie
from relogin.client.requests import SessionAuth
from tests.client.log_in import LogIn, context, open_aiohttp
from tests.client.server import Answer, Request, Server

HTML = (("Content-Type", "text/html; charset=utf-8"),)
FORM = '<form method=post action="{}"><input name=username><input type=password name=password>'
MESSAGE = """
<body onload="document.forms[0].submit()"><form method=post action="{}">
<input type=hidden name=SAMLResponse value="{}"><input type=hidden name=RelayState value=r1>
<noscript><input type=submit value=Continue></noscript></form>
"""


class Provider:
    """An application, and a provider under another name, as Keycloak is or an IdP of SAML."""

    def __init__(self, server: Server) -> None:
        self.server, self.app, self.idp = server, server.url, server.other_host
        self.living, self.binding, self.number = "", "code", 0
        self.landed: list[str] = []
        self.remembers: set[str] = set()
        server.answers = self.answer

    def login(self, password: str = "pa55", **options: Any) -> FormLogin:
        fields = {"username": "ada", "password": password}
        return FormLogin(f"{self.app}/login", fields, **{"via": [self.idp]} | options)

    def answer(self, request: Request) -> Answer:
        at_idp = request.headers["Host"].startswith("localhost")
        return self.provide(request) if at_idp else self.apply(request)

    def apply(self, request: Request) -> Answer:
        if request.path == "/login":
            if "app" in self.remembers and request.cookies.get("app") == self.living:
                return Answer(302, (("Location", "/"),))
            begun = ("Set-Cookie", "state=s1; Path=/")
            return Answer(302, (("Location", f"{self.idp}/auth?state=s1"), begun))
        if request.path.startswith("/callback") or request.path == "/acs":
            assert request.cookies["state"] == "s1"
            assert "password" not in request.body.decode()
            self.landed.append(request.path)
            self.number += 1
            self.living = f"app-{self.number}"
            begun = ("Set-Cookie", f"app={self.living}; Path=/")
            return Answer(303, (("Location", "/"), begun))
        if request.cookies.get("app") != self.living:
            return Answer(401)
        assert "idp" not in request.cookies
        return Answer(200, HTML, b"orders")

    def provide(self, request: Request) -> Answer:
        if request.method == "GET":
            if "idp" in self.remembers and request.cookies.get("idp") == "1":
                return self.hand_back()
            page = FORM.format(f"{self.idp}/authenticate?execution=e1&amp;tab_id=t")
            return Answer(200, (*HTML, ("Set-Cookie", "idp=1; Path=/")), page.encode())
        assert request.cookies["idp"] == "1"
        assert request.headers["Origin"] == self.idp
        if dict(parse_qsl(request.body.decode()))["password"] != "pa55":
            return Answer(200, HTML, FORM.format("/authenticate").encode())
        return self.hand_back()

    def hand_back(self) -> Answer:
        if self.binding == "saml":
            return Answer(200, HTML, MESSAGE.format(f"{self.app}/acs", "PHNhbWw+").encode())
        if self.binding == "landing":
            return Answer(302, (("Location", "https://www.example.com/"),))
        status = 307 if self.binding == "307" else 302
        return Answer(status, (("Location", f"{self.app}/callback?code=c1&state=s1"),))


@pytest.fixture
def provider(server: Server) -> Provider:
    return Provider(server)


@pytest.mark.parametrize(
    ("binding", "landed"), [("code", "/callback?code=c1&state=s1"), ("saml", "/acs")]
)
def test_the_login_leads_through_the_provider_and_back(
    provider: Provider, log_in: LogIn, binding: str, landed: str
) -> None:
    provider.binding = binding
    assert log_in(provider.login())
    assert provider.landed == [landed]


@pytest.mark.parametrize("binding", ["code", "saml"])
def test_each_session_that_dies_is_renewed_and_gets_no_cookie_of_the_provider(
    provider: Provider, session: requests.Session, binding: str
) -> None:
    provider.binding = binding
    session.auth = SessionAuth(provider.login())
    for _ in range(3):
        assert session.get(f"{provider.app}/orders").text == "orders"
        provider.living = "none"
    assert provider.number == 3


def test_the_application_does_not_see_the_url_of_a_page_of_the_provider(
    provider: Provider, log_in: LogIn
) -> None:
    """There may be a secret of the provider in its query."""
    provider.binding = "saml"
    log_in(provider.login())
    (message,) = provider.server.seen("/acs")
    origins = {message.headers[name] for name in ("Origin", "Referer")}
    assert origins == {provider.idp, f"{provider.idp}/"}


@pytest.mark.parametrize("landing", [False, True])
def test_a_field_of_the_session_is_never_one_of_the_provider(
    provider: Provider, log_in: LogIn, landing: bool
) -> None:
    """Both have a CSRF token of the same name, and the provider is the last to set it."""
    answer = provider.answer

    def with_tokens(request: Request) -> Answer:
        given = answer(request)
        if request.path == "/login" or "Location" not in dict(given.headers):
            token = f"of-{request.headers['Host'].partition(':')[0]}"
            return replace(given, headers=(*given.headers, ("Set-Cookie", f"csrf={token}; Path=/")))
        return given

    provider.server.answers = with_tokens
    options: dict[str, Any] = {"headers": {"X-CSRF": from_cookie("csrf")}}
    if landing:
        provider.binding, options["landing"] = "landing", "https://www.example.com"
    grant = log_in(provider.login(**options))
    assert grant is not None
    assert dict(grant.headers) == {"X-CSRF": "of-127.0.0.1"}


# A client of the user's, which keeps its cookies


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
def test_nor_does_a_redirect_to_the_page_of_the_login(provider: Provider, place: str) -> None:
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
def test_a_client_that_is_signed_in_as_somebody_else_gives_no_session(
    provider: Provider, remembers: str
) -> None:
    provider.remembers = {remembers}
    with requests.Session() as http:
        assert provider.login()(context(http))
        assert provider.login()(context(http))
        with pytest.raises(LoginUnavailable, match="was signed in with other fields"):
            provider.login("of-bob")(context(http))


def test_a_client_may_be_signed_in_at_several_sites(provider: Provider) -> None:
    """Whoever it is at one says nothing about the other."""
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


def test_nor_does_a_redirect_that_leads_nowhere(provider: Provider) -> None:
    provider.server.answers = lambda _: Answer(302)
    with requests.Session() as http:
        http.cookies.set("consent", "1")
        with pytest.raises(LoginUnavailable, match="answered 302"):
            provider.login()(context(http))


def test_a_wrong_password_at_the_provider_is_sent_once(
    provider: Provider, session: requests.Session
) -> None:
    session.auth = SessionAuth(provider.login("wr0ng"))
    for _ in range(2):
        with pytest.raises(LoginRefused, match="with the form again"):
            session.get(f"{provider.app}/orders")
    assert [one.method for one in provider.server.requests].count("POST") == 1


def test_a_provider_that_is_not_listed_gets_nothing(provider: Provider, log_in: LogIn) -> None:
    with pytest.raises(LoginUnavailable, match=r"another origin, http://localhost.* via="):
        log_in(provider.login(via=()))
    assert provider.server.seen("/auth?state=s1") == []


def test_a_password_goes_along_no_redirect_to_another_origin(
    provider: Provider, log_in: LogIn
) -> None:
    provider.binding = "307"
    with pytest.raises(LoginUnavailable, match="redirects to another origin"):
        log_in(provider.login())
    assert provider.landed == []


def test_a_message_to_an_origin_that_is_not_listed_is_not_sent(
    provider: Provider, log_in: LogIn
) -> None:
    provider.binding = "saml"
    provider.app = provider.app.replace("127.0.0.1", "127.0.0.2")  # where the form leads
    login = FormLogin(
        f"{provider.server.url}/login", {"username": "ada", "password": "pa55"}, via=[provider.idp]
    )
    with pytest.raises(LoginUnavailable, match="has a form that leads to another origin"):
        log_in(login)


def test_messages_that_lead_in_a_circle_end(provider: Provider, log_in: LogIn) -> None:
    message = MESSAGE.format("/acs", "PHNhbWw+").encode()
    provider.server.answers = lambda _: Answer(200, HTML, message)
    with pytest.raises(LoginUnavailable, match="passes the login on too often"):
        log_in(provider.login())


@pytest.mark.parametrize(
    ("via", "kind", "message"),
    [
        ("https://sso.example.com", TypeError, "via= must be a list of URLs: "),
        (["http://sso.example.com"], ValueError, "not https"),
    ],
)
def test_a_wrong_list_is_told_when_the_login_is_made(
    via: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        FormLogin("https://app.example.com/login", {"username": "ada"}, via=via)
