"""OAuth 2.0 in every library: one refresh for all, none twice, and one login for more scopes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from relogin import LoginUnavailable
from relogin.client.logins import OAuth2Login
from relogin.client.stores.sqlite import SQLiteStore
from tests.client.libraries.face import Face, statuses
from tests.client.libraries.shapes import WHOLE
from tests.client.server import Server
from tests.client.token_server import TokenServer


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server, needs={"/write": "write", "/admin": "admin"})


def refreshing(tokens: TokenServer) -> OAuth2Login:
    return OAuth2Login(tokens.url, "job", "s3cret", refresh_token=tokens.issue())


def test_twenty_at_once_refresh_once_at_each_death(face: Face, tokens: TokenServer) -> None:
    client = face.open(face.auth(tokens.server, refreshing(tokens)))
    for _ in range(5):
        tokens.kill()
        answers = client.at_once(20, lambda _: f"{tokens.server.url}/orders")
        assert statuses(answers) == {200}
    assert tokens.grants == 5 * ["refresh_token"]
    assert tokens.reused == 0


def test_a_lost_answer_to_a_refresh_is_told_and_not_asked_for_again(
    face: Face, tokens: TokenServer
) -> None:
    client = face.open(face.auth(tokens.server, refreshing(tokens)))
    tokens.lost = 1
    for _ in range(2):
        with pytest.raises(LoginUnavailable, match="pass a new one"):
            client.get(f"{tokens.server.url}/orders")
    assert len(tokens.asked) == 1


def test_a_refresh_that_takes_too_long_is_not_repeated_by_another_process(
    face: Face, tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relogin.client.renewal.protection_spaces._LONGEST_PAUSE", 0.001)
    go_on = threading.Event()

    def hold(fields: dict[str, str]) -> None:
        tokens.answer = None
        go_on.wait(10)

    def get() -> None:
        login = OAuth2Login(tokens.url, "job", "s3cret", refresh_token=given)
        store = SQLiteStore(tmp_path / "sessions")
        auth = face.auth(tokens.server, login, store=store, login_timeout=1.0)
        face.open(auth).get(f"{tokens.server.url}/orders")

    given = tokens.issue()
    get()
    tokens.kill()
    tokens.answer = hold
    for _ in range(2):
        with pytest.raises(LoginUnavailable):
            get()
    go_on.set()
    assert len(tokens.asked) == 2


def test_a_403_that_demands_a_scope_leads_to_one_login(face: Face, tokens: TokenServer) -> None:
    login = OAuth2Login(tokens.url, "job", "s3cret", scope="read")
    client = face.open(face.auth(tokens.server, login))
    client.get(f"{tokens.server.url}/orders")
    answers = client.at_once(20, lambda _: f"{tokens.server.url}/write")
    assert statuses(answers) == {200}
    answer = client.post(f"{tokens.server.url}/write", face.bodies()["bytes"])
    assert (answer.status, answer.body) == (200, WHOLE)
    answer = client.post(f"{tokens.server.url}/admin", face.bodies()["bytes"])
    assert (answer.status, answer.body, answer.outcome) == (403, b"more is needed", "declined")
    assert [fields["scope"] for fields in tokens.asked] == [
        "read",
        "read write",
        "read write admin",
    ]
