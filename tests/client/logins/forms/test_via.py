"""FormLogin through an identity provider: the form is on another origin than the application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import FormLogin, from_cookie
from relogin.client.requests import SessionAuth
from tests.client.identity_provider import HTML, MESSAGE, Provider
from tests.client.log_in import LogIn
from tests.client.server import Answer, Request, Server


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
