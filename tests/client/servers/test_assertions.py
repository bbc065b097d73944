"""Clients and users that prove who they are with a JWT (RFC 7523), at real servers."""

import pytest
import requests

from relogin import LoginRefused
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from tests.client.servers.assertions import assertion
from tests.client.servers.authlib_server import Authlib
from tests.client.servers.oidc_provider import an_oidc_provider

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def test_authlib_takes_an_assertion_in_place_of_a_secret_and_a_new_one_each_time(
    authlib: Authlib, session: requests.Session
) -> None:
    url = f"{authlib.url}/token"
    login = OAuth2Login(url, "signer", client_assertion=lambda: assertion(url), scope="read")
    session.auth = SessionAuth(login)
    for _ in range(3):
        assert session.get(f"{authlib.url}/orders").status_code == 200
        authlib.kill()
    assert authlib.granted == ["client_credentials"] * 3


def test_authlib_refuses_one_assertion_for_two_requests(
    authlib: Authlib, session: requests.Session
) -> None:
    url = f"{authlib.url}/token"
    made = assertion(url)
    session.auth = SessionAuth(
        OAuth2Login(url, "signer", client_assertion=lambda: made, scope="read")
    )
    session.get(f"{authlib.url}/orders")
    authlib.kill()
    with pytest.raises(LoginRefused, match=r"invalid_client: .* or its assertion") as caught:
        session.get(f"{authlib.url}/orders")
    assert made not in str(caught.value)


def test_authlib_refuses_an_assertion_for_another_server(
    authlib: Authlib, session: requests.Session
) -> None:
    other = "https://other.example/token"
    login = OAuth2Login(f"{authlib.url}/token", "signer", client_assertion=lambda: assertion(other))
    session.auth = SessionAuth(login)
    with pytest.raises(LoginRefused, match="invalid_client"):
        session.get(f"{authlib.url}/orders")


def a_service_account(authlib: Authlib, subject: str) -> OAuth2Login:
    url = f"{authlib.url}/token"
    return OAuth2Login(
        url,
        None,
        grant_type=JWT_BEARER,
        scope="read",
        parameters={"assertion": lambda: assertion(url, "job", sub=subject)},
    )


def test_authlib_grants_a_token_for_a_jwt_alone(
    authlib: Authlib, session: requests.Session
) -> None:
    session.auth = SessionAuth(a_service_account(authlib, "ada"))
    for _ in range(3):
        assert session.get(f"{authlib.url}/orders").status_code == 200
        authlib.kill()
    assert authlib.granted == [JWT_BEARER] * 3


def test_authlib_grants_no_token_for_a_user_who_has_permitted_nothing(
    authlib: Authlib, session: requests.Session
) -> None:
    session.auth = SessionAuth(a_service_account(authlib, "eve"))
    with pytest.raises(LoginRefused, match="invalid_client"):
        session.get(f"{authlib.url}/orders")


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_oidc_provider_takes_assertions_for_its_issuer(session: requests.Session) -> None:
    with an_oidc_provider() as provider:
        login = OAuth2Login(
            provider.token_url, "signer", client_assertion=lambda: assertion(provider.url)
        )
        session.auth = SessionAuth(login, provider.url)
        session.get(provider.api)  # which takes no token without a user
        assert provider.counts()["client_credentials"] == 1
