"""The tokens of an OAuth 2.0 session are given back (RFC 7009), in every library."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from relogin.client.events import Event
from relogin.client.logins import OAuth2Login
from relogin.client.stores.memory import MemoryStore
from tests.client.libraries.face import Client, Face
from tests.client.server import Answer, Server
from tests.client.token_server import TokenServer


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server)


def revoking(tokens: TokenServer, **options: Any) -> OAuth2Login:
    options = {"username": "ada", "password": "pa55"} | options
    return OAuth2Login(tokens.url, "job", "s3cret", revocation_url=tokens.revocation_url, **options)


def client_credentials(tokens: TokenServer) -> OAuth2Login:
    return revoking(tokens, username=None, password=None)


def attached(face: Face, tokens: TokenServer, **options: Any) -> tuple[Any, Client]:
    auth = face.auth(tokens.server, options.pop("login", None) or revoking(tokens), **options)
    return auth, face.open(auth)


def log_out(face: Face, auth: Any) -> None:
    face.run(auth.alogout if face.is_async else auth.logout)


@contextmanager
def block(face: Face, auth: Any) -> Iterator[None]:
    face.run(auth.__aenter__ if face.is_async else auth.__enter__)
    yield
    face.run(auth.__aexit__ if face.is_async else auth.__exit__, None, None, None)


def test_the_end_of_a_block_revokes_the_refresh_token_and_then_the_access_token(
    face: Face, tokens: TokenServer
) -> None:
    auth, client = attached(face, tokens)
    with block(face, auth):
        assert client.get(f"{tokens.server.url}/orders").status == 200
        ((access, _),) = tokens.living.items()
    assert tokens.revoked == [("refresh_token", tokens.fresh), ("access_token", access)]
    assert tokens.living == {}


def test_after_a_logout_the_revoked_refresh_token_is_not_sent_again(
    face: Face, tokens: TokenServer
) -> None:
    auth, client = attached(face, tokens)
    for _ in range(2):
        assert client.get(f"{tokens.server.url}/orders").status == 200
        log_out(face, auth)
    assert tokens.grants == ["password"] * 2


def test_a_refresh_ahead_of_the_end_revokes_nothing_because_it_would_end_the_new_session_too(
    face: Face, tokens: TokenServer
) -> None:
    tokens.expires_in = 1e-6
    auth, client = attached(face, tokens)
    for _ in range(3):
        assert client.get(f"{tokens.server.url}/orders").status == 200
    assert (tokens.grants[:2], tokens.revoked) == (["password", "refresh_token"], [])
    newest = tokens.fresh
    log_out(face, auth)
    assert tokens.revoked[0] == ("refresh_token", newest)


def test_a_replaced_token_of_client_credentials_is_revoked(face: Face, tokens: TokenServer) -> None:
    tokens.expires_in = 1e-6
    _, client = attached(face, tokens, login=client_credentials(tokens))
    for _ in range(3):
        assert client.get(f"{tokens.server.url}/orders").status == 200
    assert [hint for hint, _ in tokens.revoked] == ["access_token"] * 2
    assert len(tokens.living) == 1


def test_nothing_replaced_is_revoked_with_logout_replaced_false(
    face: Face, tokens: TokenServer
) -> None:
    tokens.expires_in = 1e-6
    login = client_credentials(tokens)
    _, client = attached(face, tokens, login=login, logout_replaced=False)
    for _ in range(3):
        assert client.get(f"{tokens.server.url}/orders").status == 200
    assert tokens.revoked == []


def test_a_refresh_token_is_revoked_although_its_access_token_is_dead(
    face: Face, tokens: TokenServer
) -> None:
    auth, client = attached(face, tokens)
    client.get(f"{tokens.server.url}/orders")
    tokens.kill()
    tokens.answer = lambda _: Answer(503)
    with pytest.raises(face.failure):
        client.get(f"{tokens.server.url}/orders")
    log_out(face, auth)
    assert tokens.revoked[0] == ("refresh_token", tokens.fresh)


def test_tokens_that_come_after_the_logout_are_revoked_too(face: Face, tokens: TokenServer) -> None:
    began, go_on = threading.Event(), threading.Event()

    def hold(_: dict[str, str]) -> None:
        tokens.answer = None
        began.set()
        go_on.wait(10)

    tokens.answer = hold
    auth, client = attached(face, tokens)
    asking = threading.Thread(target=lambda: client.get(f"{tokens.server.url}/orders"))
    asking.start()
    assert began.wait(10)
    log_out(face, auth)
    go_on.set()
    asking.join()
    assert [hint for hint, _ in tokens.revoked] == ["refresh_token", "access_token"]


def test_in_a_store_only_an_explicit_logout_revokes_and_for_all(
    face: Face, tokens: TokenServer
) -> None:
    store = MemoryStore()
    one, client = attached(face, tokens, store=store)
    with block(face, one):
        client.get(f"{tokens.server.url}/orders")
    assert tokens.revoked == []
    other, _ = attached(face, tokens, store=store)  # which has sent nothing yet
    log_out(face, other)
    assert tokens.revoked[0] == ("refresh_token", tokens.fresh)
    assert client.get(f"{tokens.server.url}/orders").status == 200
    assert tokens.grants.count("password") == 2


def test_a_failed_revocation_fails_no_request_and_is_told(
    face: Face, tokens: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.refusal = lambda _: Answer(503, (("Retry-After", "30"),))
    told: list[Event] = []
    auth, client = attached(face, tokens, on_event=told.append)
    client.get(f"{tokens.server.url}/orders")
    log_out(face, auth)
    assert told[-1].kind == "logout_failed"
    assert f"{tokens.revocation_url} answered 503" in caplog.text
    assert tokens.fresh not in caplog.text
    assert client.get(f"{tokens.server.url}/orders").status == 200


def test_a_logout_of_the_user_s_own_takes_the_place_of_the_revocation(
    face: Face, tokens: TokenServer
) -> None:
    ended: list[Any] = []
    auth, client = attached(face, tokens, logout=lambda context: ended.append(context.previous))
    client.get(f"{tokens.server.url}/orders")
    log_out(face, auth)
    assert (len(ended), tokens.revoked) == (1, [])
