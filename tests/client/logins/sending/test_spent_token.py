"""Which exceptions of a login leave its refresh token good."""

from __future__ import annotations

import json

import aiohttp
import httpx
import pytest
import requests

from relogin import Grant, LoginUnavailable
from relogin.client.logins.sending.spent_token import spends_refresh_token
from relogin.client.renewal.cache import CredentialCache
from tests.client.steps import Clock, Steps, a_cache, refused

REQUEST = httpx.Request("POST", "https://a.example/token")


@pytest.mark.parametrize(
    "error",
    [
        requests.ReadTimeout(),
        requests.exceptions.ChunkedEncodingError(),
        requests.JSONDecodeError("no JSON", "", 0),
        json.JSONDecodeError("no JSON", "", 0),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        ConnectionResetError(),
        TimeoutError(),
        httpx.HTTPStatusError("504", request=REQUEST, response=httpx.Response(504)),
    ],
    ids=repr,
)
def test_a_refresh_token_counts_as_spent_when_no_answer_came(error: Exception) -> None:
    assert spends_refresh_token(error)


@pytest.mark.parametrize(
    "error",
    [
        requests.HTTPError("503"),
        httpx.HTTPStatusError("503", request=REQUEST, response=httpx.Response(503)),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("too slow"),
        ConnectionRefusedError(),
        LoginUnavailable("later"),
        KeyError("config"),
    ],
    ids=repr,
)
def test_a_token_is_good_that_was_not_sent_or_not_accepted(error: Exception) -> None:
    assert not spends_refresh_token(error)


def test_a_token_is_good_that_found_nobody_listening() -> None:
    with pytest.raises(requests.ConnectionError) as failed, requests.Session() as session:
        session.post("http://127.0.0.1:9/token", timeout=5)
    assert not spends_refresh_token(failed.value)


@pytest.mark.parametrize("spent", [True, False])
def test_a_login_that_says_so_knows_better(spent: bool) -> None:
    error = KeyError() if spent else TimeoutError()
    error.refresh_spent = spent  # type: ignore[union-attr]
    assert spends_refresh_token(error) is spent


def previous_after(error: Exception) -> Grant | None:
    """The grant that a login is given after one that has ended so, without a store."""
    clock = Clock()
    cache: CredentialCache = a_cache(clock)
    first = Steps(cache, refused())
    credential = first.send(Grant(token="t1", refresh="r1")).replay.credential
    Steps(cache, refused(credential)).throw(error)
    clock.now += 60.0
    return Steps(cache, refused(credential)).login.context.previous


def test_a_spent_token_is_not_handed_out_again() -> None:
    assert previous_after(TimeoutError()) == Grant(token="t1")


def test_an_unspent_token_is_handed_out_again() -> None:
    assert previous_after(LoginUnavailable("later")) == Grant(token="t1", refresh="r1")
