"""OAuth 2.0 in the adapter for httpx: one refresh for all threads or tasks."""

import pytest

from relogin import LoginUnavailable
from relogin.client.httpx import SessionAuth
from relogin.client.logins import OAuth2Login
from tests.client.httpx_drivers import Driver
from tests.client.server import Server
from tests.client.token_server import TokenServer


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server)


def test_twenty_at_once_refresh_once_at_each_death(tokens: TokenServer, driver: Driver) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    client = driver.open(auth=SessionAuth(login, tokens.server.url))
    for _ in range(5):
        tokens.kill()
        answers = client.at_once(20, lambda _: f"{tokens.server.url}/orders")
        assert {answer.status_code for answer in answers} == {200}
    assert tokens.grants == 5 * ["refresh_token"]
    assert tokens.reused == 0


def test_a_lost_answer_is_told_and_not_asked_for_again(tokens: TokenServer, driver: Driver) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    client = driver.open(auth=SessionAuth(login, tokens.server.url))
    tokens.lost = 1
    for _ in range(2):
        with pytest.raises(LoginUnavailable, match="give a new one"):
            client.get(f"{tokens.server.url}/orders")
    assert len(tokens.asked) == 1
