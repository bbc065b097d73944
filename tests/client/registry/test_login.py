"""What a RegistryLogin takes, and what it does if there is no registry to ask."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import requests

from relogin import Challenge, Grant, LoginRefused, LoginUnavailable
from relogin.client import Outcome, outcome
from relogin.client.logins import RegistryLogin
from relogin.client.requests import SessionAuth
from relogin.client.terms.grant import Context
from tests.client.either import Either
from tests.client.server import Answer, Request, Server, serve

URL = "https://auth.example.com/token"
REGISTRY = "https://registry.example.com/v2/"


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("ada", None, [URL]), ValueError, "pass both user and password"),
        ((None, "pw", [URL]), ValueError, "pass both user and password"),
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


def test_a_server_without_a_service_is_asked_for_none(server: Server) -> None:
    server.answers = lambda _: Answer(200, body=b'{"token": "t"}')
    login = RegistryLogin("ada", "pw", [server.url])
    login(context(Challenge("Bearer", {"realm": f"{server.url}/token"})))
    assert server.requests[-1].path == "/token?account=ada"


# What the account may not have

DENIED = b'{"errors": [{"code": "DENIED", "message": "access forbidden"}]}'


def repository(server: Server, name: str) -> Challenge:
    realm = f"{server.url}/token"
    return Challenge("Bearer", {"realm": realm, "scope": f"repository:{name}:pull"})


@pytest.fixture
def denying(server: Server) -> Server:
    """A token server that answers 403 where anything asked for is secret, as GitLab's does."""

    def answer(request: Request) -> Answer:
        return Answer(403, body=DENIED) if "secret" in request.path else Answer(200, body=TOKEN)

    server.answers = answer
    return server


TOKEN = b'{"token": "t"}'


@pytest.mark.parametrize("account", [("ada", "pw"), (None, None)])
def test_what_is_denied_costs_nothing_else(denying: Server, account: Any, either: Either) -> None:
    login = RegistryLogin(account[0], account[1], [denying.url])

    def answer(request: Request) -> Answer:
        if request.headers.get("Authorization") == "Bearer t":
            return Answer(200)
        name = request.path.split("/")[2]
        return Answer(401, (("WWW-Authenticate", str(repository(denying, name))),))

    with serve() as running:
        running.answers, registry = answer, running.url
        caller = either.attach(login, registry)
        refused = caller.get(f"{registry}/v2/secret/tags/list")
        assert (refused.status_code, outcome(refused)) == (401, Outcome.DECLINED)
        assert caller.get(f"{registry}/v2/open/tags/list").status_code == 200


def test_what_was_held_and_is_denied_now_is_left_out(denying: Server) -> None:
    login = RegistryLogin("ada", "pw", [denying.url])
    previous = Grant("old", scope=["repository:secret:pull"])
    grant = login(context(repository(denying, "open"), previous=previous))
    assert grant is not None
    assert list(grant.scope) == ["repository:open:pull"]


def test_an_account_that_was_given_a_token_is_not_wrong_at_a_403(server: Server) -> None:
    server.answers = lambda _: Answer(403)
    login = RegistryLogin("ada", "pw", [server.url])
    assert login(context(repository(server, "a"), previous=Grant("old"))) is None
    with pytest.raises(LoginRefused):
        login(context(repository(server, "a")))


@pytest.mark.parametrize("status", [400, 500])
def test_where_no_password_was_sent_none_was_wrong(server: Server, status: int) -> None:
    server.answers = lambda _: Answer(status)
    with pytest.raises(LoginUnavailable):
        RegistryLogin(None, None, [server.url])(context(repository(server, "a")))


def test_a_registry_that_names_token_servers_without_end_fills_no_memory(server: Server) -> None:
    server.answers = lambda _: Answer(200, body=TOKEN)
    login = RegistryLogin("ada", "pw", [server.url])
    for number in range(40):
        login(context(Challenge("Bearer", {"realm": f"{server.url}/{number}"})))
    assert len(login._challenges) == 16


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
