"""What a programmer sees of a `SessionAuth` in an editor, a debugger or a log."""

import inspect
import re
from typing import Any

import pytest
import requests

import relogin
from relogin.client import httpx as for_httpx
from relogin.client import requests as for_requests
from relogin.client.driver.principal import Principal
from relogin.client.stores.memory import MemoryStore
from tests.client.server import Server
from tests.docs.api import serve

KINDS: list[Any] = [for_requests.SessionAuth, for_httpx.SessionAuth]


def login(context: Any) -> str:
    token: str = context.http.post(context.url.rpartition("/")[0] + "/login").json()["access_token"]
    return token


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_described(kind: type[Principal[Any]]) -> None:
    described = re.findall(r"^:param (\w+): \S", inspect.getdoc(kind.__init__) or "", re.MULTILINE)
    taken = list(inspect.signature(kind).parameters)
    assert set(taken) <= set(described)


@pytest.mark.parametrize("kind", KINDS)
def test_no_default_shows_an_address(kind: type[Principal[Any]]) -> None:
    shown = str(inspect.signature(kind))
    assert " at 0x" not in shown
    assert "<function" not in shown


@pytest.mark.parametrize("kind", KINDS)
def test_the_repr_names_the_servers_and_says_that_there_is_no_session(
    kind: type[Principal[Any]],
) -> None:
    auth = kind(login, ["https://b.example", "http://127.0.0.1:81/x", "https://a.example:8443"])
    assert repr(auth) == (
        "<SessionAuth for http://127.0.0.1:81, https://a.example:8443, https://b.example: "
        "no session yet>"
    )


def test_the_repr_names_the_account() -> None:
    auth = for_requests.SessionAuth(
        login, "http://localhost", store=MemoryStore(), account="ada", insecure=True
    )
    assert repr(auth) == "<SessionAuth for http://localhost as 'ada': no session yet>"


def test_the_repr_says_how_the_session_stands_and_shows_no_token() -> None:
    seen = []

    def telling(context: Any) -> str:
        seen.append(repr(session.auth))
        return login(context)

    with serve() as url, requests.Session() as session:
        session.auth = for_requests.SessionAuth(telling, url)
        sent = session.get(url + "/orders").request.headers["Authorization"]
        assert seen == [f"<SessionAuth for {url}: logging in>"]
        assert repr(session.auth) == f"<SessionAuth for {url}: logged in>"
        assert sent.split('"')[1] not in repr(session.auth)


@pytest.mark.parametrize("error", ["session_revoked", "session_expired"])
def test_the_repr_says_that_the_session_has_ended_until_it_is_accepted_again(
    server: Server, error: str
) -> None:
    declining = False

    def login(context: Any) -> Any:
        return None if declining else server.login(context)

    with requests.Session() as session:
        session.auth = for_requests.SessionAuth(login, server.url)
        session.get(f"{server.url}/orders")
        declining, living = True, server.living
        server.kill(error)
        session.get(f"{server.url}/orders")
        assert repr(session.auth) == f"<SessionAuth for {server.url}: the session has ended>"
        server.living = living
        session.get(f"{server.url}/orders")
        assert repr(session.auth) == f"<SessionAuth for {server.url}: logged in>"


def test_the_repr_says_that_the_login_was_refused() -> None:
    def refused(_: Any) -> str:
        raise relogin.LoginRefused

    with serve() as url, requests.Session() as session:
        session.auth = for_requests.SessionAuth(refused, url)
        with pytest.raises(relogin.LoginRefused):
            session.get(url + "/orders")
        assert repr(session.auth) == f"<SessionAuth for {url}: the login was refused>"
