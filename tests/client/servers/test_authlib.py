"""Against Authlib: two spellings of Bearer from one server, and a 403 without a challenge."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from relogin import LoginRefused
from relogin.client import outcome
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from tests.client.servers.authlib_server import Authlib


def test_client_credentials_are_renewed_at_expiry(
    authlib: Authlib, session: requests.Session
) -> None:
    session.auth = SessionAuth(OAuth2Login(f"{authlib.url}/token", "job", "s3cret", scope="read"))
    for _ in range(3):
        answer = session.get(f"{authlib.url}/orders")
        assert answer.json() == {"orders": ["tea", "ink"]}
        authlib.kill()
    assert authlib.granted == ["client_credentials"] * 3


def test_the_two_spellings_of_its_challenges_are_read_alike(
    authlib: Authlib, session: requests.Session
) -> None:
    session.auth = SessionAuth(OAuth2Login(f"{authlib.url}/token", "job", "s3cret", scope="read"))
    (first,) = session.get(f"{authlib.url}/orders").history
    authlib.kill()
    (second,) = session.get(f"{authlib.url}/orders").history
    spellings = [past.headers["WWW-Authenticate"].partition(" ")[0] for past in (first, second)]
    assert spellings == ["bearer", "Bearer"]


def test_a_password_is_sent_once_and_its_refresh_tokens_after_that(
    authlib: Authlib, session: requests.Session
) -> None:
    login = OAuth2Login(
        f"{authlib.url}/token", "job", "s3cret", scope="read", username="ada", password="pa55"
    )
    session.auth = SessionAuth(login)
    with ThreadPoolExecutor(20) as pool:
        for _ in range(5):
            answers = pool.map(lambda _: session.get(f"{authlib.url}/orders"), range(20))
            assert {answer.status_code for answer in answers} == {200}
            authlib.kill()
    assert authlib.granted == ["password"] + ["refresh_token"] * 4


def test_a_wrong_password_is_told_from_a_wrong_secret(
    authlib: Authlib, session: requests.Session
) -> None:
    # It says invalid_request of a wrong password, where RFC 6749 §5.2 says invalid_grant.
    for secret, password, told in (
        ("s3cret", "x", "the username or the password"),
        ("x", "p", "invalid_client"),
    ):
        login = OAuth2Login(
            f"{authlib.url}/token", "job", secret, username="ada", password=password
        )
        session.auth = SessionAuth(login)
        with pytest.raises(LoginRefused, match=told):
            session.get(f"{authlib.url}/orders")


def test_a_403_without_a_challenge_asks_for_nothing(
    authlib: Authlib, session: requests.Session
) -> None:
    session.auth = SessionAuth(OAuth2Login(f"{authlib.url}/token", "job", "s3cret", scope="read"))
    session.get(f"{authlib.url}/orders")
    answer = session.post(f"{authlib.url}/orders")
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert outcome(answer) == "untouched"
    assert authlib.granted == ["client_credentials"]
