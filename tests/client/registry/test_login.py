"""What a RegistryLogin is made of, and what it does where there is no registry to ask."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import requests

from relogin import Challenge, Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import RegistryLogin
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.client.server import Answer, Request, Server

URL = "https://auth.example.com/token"
REGISTRY = "https://registry.example.com/v2/"


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("ada", None, [URL]), ValueError, "user and password go together"),
        ((None, "pw", [URL]), ValueError, "user and password go together"),
        (("ada", "pw", URL), TypeError, "token_servers= must be a list of URLs, not str"),
        (("ada", "pw", 5), TypeError, "token_servers= must be a list of URLs, not int"),
        (("ada", "pw", []), ValueError, "at least one URL"),
        (("ada", "pw", ["http://auth.example.com/token"]), ValueError, "is not https"),
    ],
)
def test_a_mistake_is_told_when_it_is_made(words: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        RegistryLogin(*words)


def test_a_literal_password_is_not_pickled_and_nothing_is_shown() -> None:
    login = RegistryLogin("ada", "s3cret", [URL])
    with pytest.raises(pickle.PicklingError, match="contains a password"):
        pickle.dumps(login)
    assert repr(login) == "<RegistryLogin>"


def test_anybody_s_login_can_be_pickled() -> None:
    auth = SessionAuth(RegistryLogin(None, None, [URL]), "https://registry.example.com")
    assert pickle.loads(pickle.dumps(auth)).login.token_servers == (URL,)


def context(challenge: Challenge | None, **words: Any) -> Context:
    realm = "" if challenge is None else challenge.realm or ""
    found = Context(challenge=challenge, error=None, realm=realm, method="GET", url=REGISTRY)
    vars(found).update(words, http=requests.Session())
    return found


@pytest.mark.parametrize(
    "challenge",
    [
        None,
        Challenge("Bearer", {"realm": "http://auth.example.com/token"}),
        Challenge("Bearer", {"realm": "https://ada:pw@auth.example.com/token"}),
        Challenge("Bearer", {"realm": "https://evil.example/token"}),
        Challenge("Bearer", {"realm": "silly-realm"}),
    ],
)
def test_what_names_no_listed_token_server_is_declined(challenge: Challenge | None) -> None:
    assert RegistryLogin("ada", "pw", [URL])(context(challenge)) is None


def take(server: Server, answer: Answer, **words: Any) -> Grant | None:
    """Take a token from a server that gives this answer."""
    server.answers = lambda _: answer
    challenge = Challenge("Bearer", {"realm": f"{server.url}/token", "service": "r"})
    login = RegistryLogin("ada", "pw", [server.url])
    return login(context(challenge, **words))


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (b'{"token": "t"}', 60.0),
        (b'{"access_token": "t", "expires_in": 300}', 300),
        (b'{"token": "t", "access_token": "u", "expires_in": "soon"}', 60.0),
    ],
)
def test_a_token_is_found_under_both_names(server: Server, content: bytes, seconds: float) -> None:
    grant = take(server, Answer(200, body=content))
    assert grant is not None
    assert (grant.token, grant.expires_in) == ("t", seconds)


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"token": 5}', b"<html>"])
def test_an_answer_without_a_token_is_an_outage(server: Server, content: bytes) -> None:
    with pytest.raises(LoginUnavailable):
        take(server, Answer(200, body=content))


@pytest.mark.parametrize(
    ("status", "error"), [(401, LoginRefused), (403, LoginRefused), (503, LoginUnavailable)]
)
def test_a_status_says_whether_the_password_was_wrong(
    server: Server, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        take(server, Answer(status))


def test_a_password_follows_no_redirect_to_another_origin(server: Server) -> None:
    with pytest.raises(LoginUnavailable, match="another origin"):
        take(server, Answer(307, (("Location", f"{server.other_host}/token"),)))
    assert len(server.requests) == 1


def test_a_token_is_asked_for_no_more_than_a_header_holds(server: Server) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return Answer(200, body=b'{"token": "t"}')

    server.answers = answer
    login, previous = RegistryLogin("ada", "pw", [server.url]), None
    for number in range(40):
        params = {"realm": f"{server.url}/token", "scope": f"repository:r{number}:pull"}
        previous = login(context(Challenge("Bearer", params), previous=previous))
    assert previous is not None
    assert len(previous.scope) == 32
    assert list(previous.scope)[-1] == "repository:r39:pull"
