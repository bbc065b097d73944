"""OAuth 2.0 in the adapter for requests: one refresh for all, and no refresh token used twice."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.util import Retry

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.client.requests import SessionAuth
from relogin.client.requests.login_session import LoginSession
from relogin.client.requests.route import Route
from relogin.client.stores.memory import MemoryStore
from relogin.client.stores.sqlite import SQLiteStore
from tests.client.httpx_drivers import when
from tests.client.server import Server
from tests.client.token_server import TokenServer
from tests.programs import exit_with


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server)


@pytest.fixture
def login(tokens: TokenServer) -> OAuth2Login:
    return OAuth2Login(tokens.url, "job", "s3cret", username="ada", password="pa55")


def get(auth: SessionAuth, tokens: TokenServer, path: str = "/orders") -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(tokens.server.url + path, auth=auth).status_code


def test_twenty_threads_refresh_once_at_each_death(
    tokens: TokenServer, login: OAuth2Login, session: requests.Session
) -> None:
    session.auth = SessionAuth(login, tokens.server.url)
    with ThreadPoolExecutor(20) as pool:
        for _ in range(10):
            tokens.kill()
            answers = pool.map(lambda _: session.get(f"{tokens.server.url}/orders"), range(20))
            assert {answer.status_code for answer in answers} == {200}
    assert tokens.grants == ["password"] + 9 * ["refresh_token"]
    assert tokens.reused == 0


def test_objects_that_share_a_store_refresh_once(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())
    store = MemoryStore()
    auths = [SessionAuth(login, tokens.server.url, store=store) for _ in range(4)]
    for _ in range(4):
        tokens.kill()
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda auth: get(auth, tokens), auths)) == {200}
    assert len(tokens.asked) == 4
    assert tokens.reused == 0


def test_no_second_process_sends_a_refresh_token_whose_answer_was_lost(
    tokens: TokenServer, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._LONGEST_PAUSE", 0.001)
    given = tokens.issue()
    store = os.fspath(tmp_path) + "/sessions"

    def process() -> SessionAuth:
        login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=given)
        return SessionAuth(login, tokens.server.url, store=SQLiteStore(store))

    assert get(process(), tokens) == 200
    tokens.kill()
    tokens.lost = 1
    with pytest.raises(LoginUnavailable, match="pass a new one"):
        get(process(), tokens)
    asked = len(tokens.asked)
    for _ in range(3):
        time.sleep(0.01)  # or the outage that the store tells of would do
        with pytest.raises(LoginUnavailable, match="another process has it, or has lost it"):
            get(process(), tokens)
    assert len(tokens.asked) == asked
    assert tokens.reused == 0


def test_a_lost_answer_costs_one_full_login_and_no_request(
    tokens: TokenServer, login: OAuth2Login
) -> None:
    auth = SessionAuth(login, tokens.server.url)
    get(auth, tokens)
    tokens.kill()
    tokens.lost = 1
    assert get(auth, tokens) == 200
    assert tokens.grants == ["password", "refresh_token", "password"]
    assert tokens.reused == 0


def test_no_retry_of_the_adapter_sends_a_refresh_token_again(
    tokens: TokenServer, login: OAuth2Login, session: requests.Session
) -> None:
    always = Retry(total=3, allowed_methods=None, status_forcelist=[503])
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=always))
    session.auth = SessionAuth(login, tokens.server.url)
    session.get(f"{tokens.server.url}/orders")
    tokens.kill()
    tokens.lost = 1
    assert session.get(f"{tokens.server.url}/orders").status_code == 200
    assert tokens.grants == ["password", "refresh_token", "password"]
    assert tokens.reused == 0


def test_an_adapter_of_the_user_s_own_making_is_used_as_it_is() -> None:
    class Own(BaseAdapter):
        def send(self, *arguments: Any, **options: Any) -> Any: ...

        def close(self) -> None: ...

    own = Own()
    with LoginSession(Route(own, "https://api.example.com/", {}, 1), 5.0) as session:
        session.sends_again = False
        assert session.get_adapter("https://api.example.com/token") is own


def test_a_revoked_refresh_token_is_refused_once_and_for_all(tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token="revoked")
    auth = SessionAuth(login, tokens.server.url)
    for _ in range(3):
        with pytest.raises(LoginRefused, match="invalid_grant: the refresh token has expired"):
            get(auth, tokens)
    auth.reset()
    with pytest.raises(LoginUnavailable, match="pass a new one"):
        get(auth, tokens)
    assert len(tokens.asked) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_without_a_store_leaves_the_refresh_token_to_its_parent(
    tokens: TokenServer, login: OAuth2Login
) -> None:
    auth = SessionAuth(login, tokens.server.url)
    get(auth, tokens)
    tokens.kill()
    child = os.fork()
    if child == 0:
        exit_with(lambda: get(auth, tokens) == 200)
    assert os.waitpid(child, 0) == (child, 0)
    tokens.kill()
    assert get(auth, tokens) == 200
    assert tokens.grants == ["password", "password", "refresh_token"]
    assert tokens.reused == 0


def test_an_api_at_the_origin_of_its_token_endpoint_needs_no_other_word(
    tokens: TokenServer, login: OAuth2Login
) -> None:
    assert get(SessionAuth(login), tokens) == 200


def test_threads_that_come_while_a_refresh_is_under_way_wait_for_it(
    tokens: TokenServer, login: OAuth2Login
) -> None:
    began, go_on = threading.Event(), threading.Event()
    auth = SessionAuth(login, tokens.server.url, on_event=when("joined", go_on.set))
    get(auth, tokens)
    tokens.kill()

    def hold(fields: dict[str, str]) -> None:
        began.set()
        assert go_on.wait(10)

    tokens.answer = hold
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, auth, tokens)
        assert began.wait(10)
        second = pool.submit(get, auth, tokens)
        assert (first.result(), second.result()) == (200, 200)
    assert tokens.grants == ["password", "refresh_token"]
