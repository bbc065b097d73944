"""Tokens are revoked at authorization servers that nobody here wrote."""

import pytest
import requests

from relogin import LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from tests.client.servers.assertions import assertion
from tests.client.servers.authlib_server import Authlib
from tests.client.servers.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OIDCProvider,
    an_oidc_provider,
)


def test_authlib_revokes_both_tokens_of_a_password(
    authlib: Authlib, session: requests.Session
) -> None:
    login = OAuth2Login(
        f"{authlib.url}/token",
        *("job", "s3cret"),
        scope="read",
        username="ada",
        password="pa55",
        revocation_url=f"{authlib.url}/revoke",
    )
    with SessionAuth(login) as session.auth:
        assert session.get(f"{authlib.url}/orders").status_code == 200
    assert [token.revoked for token in authlib.tokens] == [True]
    assert session.get(f"{authlib.url}/orders").status_code == 200
    assert authlib.granted == ["password"] * 2


def test_authlib_revokes_with_a_new_assertion_for_each_request(
    authlib: Authlib, session: requests.Session
) -> None:
    login = OAuth2Login(
        f"{authlib.url}/token",
        "signer",
        client_assertion=lambda: assertion(f"{authlib.url}/token"),
        scope="read",
        revocation_url=f"{authlib.url}/revoke",
    )
    auth = session.auth = SessionAuth(login)
    for _ in range(3):
        assert session.get(f"{authlib.url}/orders").status_code == 200
        auth.logout()
    assert [token.revoked for token in authlib.tokens] == [True] * 3
    assert authlib.refused == []


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_oidc_provider_ends_the_whole_authorization(session: requests.Session) -> None:
    with an_oidc_provider() as provider:
        login = refreshing(provider)
        with SessionAuth(login, provider.url) as session.auth:
            assert session.get(provider.api).status_code == 200
            carried = session.get(provider.api).request.headers["Authorization"]
        assert provider.counts()["revoked"] == 1
        answer = requests.get(provider.api, headers={"Authorization": carried}, timeout=5)
        assert answer.status_code == 401
        with pytest.raises(LoginUnavailable, match="or it was lost or revoked"):
            session.get(provider.api)


@pytest.mark.needs("node")
@pytest.mark.needs("npm")
def test_a_refresh_ahead_of_the_end_leaves_the_authorization_alone(
    session: requests.Session,
) -> None:
    with an_oidc_provider() as provider:
        auth = session.auth = SessionAuth(refreshing(provider), provider.url)
        for _ in range(3):
            assert session.get(provider.api).status_code == 200
            for credential in auth._cache._held():
                auth._cache.extend(credential, 1e-6)
        assert provider.counts()["refresh_token"] == 3
        assert provider.counts()["revoked"] == 0


def refreshing(provider: OIDCProvider) -> OAuth2Login:
    given = provider.refresh_token()
    return OAuth2Login(
        provider.token_url,
        *(CLIENT_ID, CLIENT_SECRET),
        refresh_token=given,
        revocation_url=provider.revocation_url,
    )
