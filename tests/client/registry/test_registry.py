"""RegistryLogin against Debian's docker-registry: which tokens are asked for, and how often."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from relogin import LoginRefused
from relogin.client import Outcome, outcome
from relogin.client.logins import RegistryLogin
from relogin.client.requests import SessionAuth
from tests.client.either import Either
from tests.client.registry.distribution import distribution
from tests.client.registry.token_server import TokenServer

pytestmark = pytest.mark.needs("docker-registry")


def login(tokens: TokenServer, user: str = "alice") -> RegistryLogin:
    password = {"alice": "s3cret", "bob": "b0b"}[user]
    return RegistryLogin(user, password, token_servers=[tokens.url])


def upload(caller: Any, registry: str, name: str = "foo/bar") -> Any:
    """Begin to push: it needs the right to pull and to push."""
    return caller.post(f"{registry}/v2/{name}/blobs/uploads/")


def tags(caller: Any, registry: str, name: str = "foo/bar") -> Any:
    """List what there is: it needs the right to pull."""
    return caller.get(f"{registry}/v2/{name}/tags/list")


def test_a_push_takes_one_token_and_the_next_none(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(login(tokens), registry)
    answers = [upload(caller, registry) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert (len(tokens.asked), tokens.scopes()) == (1, ["repository:foo/bar:pull,push"])


def test_a_scope_that_is_not_held_yet_is_asked_for_with_those_that_are(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(login(tokens), registry)
    assert tags(caller, registry).status_code == 404  # there is nothing in it yet
    assert upload(caller, registry).status_code == 202
    assert upload(caller, registry, "other").status_code == 202
    assert caller.get(f"{registry}/v2/_catalog").status_code == 200
    assert tokens.scopes(-1) == [
        "repository:foo/bar:pull,push", "repository:other:pull,push", "registry:catalog:*",
    ]  # fmt: skip
    assert len(tokens.asked) == 4


def test_a_token_serves_all_that_was_asked_for(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(login(tokens), registry)
    names = ["one", "two", "one", "two"]
    assert [upload(caller, registry, name).status_code for name in names] == [202] * 4
    assert len(tokens.asked) == 2


def test_what_a_user_may_not_do_is_asked_for_once(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(login(tokens, "bob"), registry)
    for expected in (Outcome.REFUSED_AGAIN, Outcome.DECLINED, Outcome.DECLINED):
        answer = upload(caller, registry)
        assert (answer.status_code, outcome(answer)) == (401, expected)
    assert len(tokens.asked) == 1
    assert tags(caller, registry).status_code == 404
    assert len(tokens.asked) == 1


def test_a_token_that_has_expired_is_renewed_once(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    tokens.lifetimes = [-70]
    caller = either.attach(login(tokens), registry)
    assert upload(caller, registry).status_code == 401  # fresh from its server, and dead
    assert upload(caller, registry).status_code == 202
    assert len(tokens.asked) == 2


def test_a_token_is_renewed_ahead_of_its_end_for_all_that_it_was_for(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    tokens.lifetimes = [1]
    caller = either.attach(login(tokens), registry)
    upload(caller, registry)
    time.sleep(0.95)
    refused = upload(caller, registry)
    assert (refused.status_code, outcome(refused)) == (202, Outcome.UNTOUCHED)
    assert (len(tokens.asked), tokens.scopes()) == (2, ["repository:foo/bar:pull,push"])


@pytest.fixture
def threads(registry: str, tokens: TokenServer, session: requests.Session) -> requests.Session:
    session.auth = SessionAuth(login(tokens), registry)
    return session


def test_twenty_threads_take_one_token(
    registry: str, tokens: TokenServer, threads: requests.Session
) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = pool.map(lambda _: upload(threads, registry).status_code, range(20))
        assert list(statuses) == [202] * 20
    assert len(tokens.asked) == 1


def test_twenty_threads_that_need_twenty_scopes_all_get_them(
    registry: str, tokens: TokenServer, threads: requests.Session
) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = pool.map(lambda n: upload(threads, registry, f"repo{n}").status_code, range(20))
        assert list(statuses) == [202] * 20
    assert len(tokens.asked) <= 20


def test_the_order_of_actions_costs_no_token(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(login(tokens), registry)
    for _ in range(40):  # the registry writes pull,push and push,pull as they come
        assert upload(caller, registry).status_code == 202
    assert len(tokens.asked) == 1


@pytest.mark.parametrize("listed", ["https://auth.example.com/token", "{origin}/elsewhere"])
def test_a_token_server_that_is_not_listed_is_sent_nothing(
    registry: str,
    tokens: TokenServer,
    either: Either,
    listed: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = listed.format(origin=tokens.server.url)
    caller = either.attach(RegistryLogin("alice", "s3cret", token_servers=[url]), registry)
    answer = upload(caller, registry)
    assert (answer.status_code, outcome(answer)) == (401, Outcome.DECLINED)
    assert tokens.asked == []
    assert "token_servers= does not list" in caplog.text


@pytest.mark.parametrize("listed", ["", "/", "/token/"])
def test_an_origin_lists_every_token_server_on_it(
    registry: str, tokens: TokenServer, either: Either, listed: str
) -> None:
    url = f"{tokens.server.url}{listed}"
    caller = either.attach(RegistryLogin("alice", "s3cret", [url]), registry)
    assert upload(caller, registry).status_code == 202


def test_a_wrong_password_is_sent_once(registry: str, tokens: TokenServer, either: Either) -> None:
    caller = either.attach(RegistryLogin("alice", "wrong", [tokens.url]), registry)
    for _ in range(2):
        with pytest.raises(LoginRefused):
            upload(caller, registry)
    assert len(tokens.asked) == 1


def test_without_a_user_the_token_is_anybody_s(
    registry: str, tokens: TokenServer, either: Either
) -> None:
    caller = either.attach(RegistryLogin(None, None, [tokens.url]), registry)
    assert caller.get(f"{registry}/v2/").status_code == 200
    [asked] = tokens.asked
    assert "Authorization" not in asked.headers
    assert "account" not in asked.path


def test_a_realm_with_a_query_keeps_it(tmp_path: Path, tokens: TokenServer, either: Either) -> None:
    with distribution(tmp_path, f"{tokens.url}?tenant=7") as registry:
        caller = either.attach(login(tokens), registry)
        assert upload(caller, registry).status_code == 202
    assert "?tenant=7&service=registry.test&scope=" in tokens.asked[0].path


def test_a_realm_that_is_no_url_is_left_alone(
    tmp_path: Path, tokens: TokenServer, either: Either
) -> None:
    with distribution(tmp_path, "basic-realm") as registry:
        answer = upload(either.attach(login(tokens), registry), registry)
    assert (answer.status_code, outcome(answer)) == (401, Outcome.DECLINED)
