"""This library's clients, and a foreign one, against each integration on a real server."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests

from relogin.client import httpx as httpx_client
from relogin.client.requests import SessionAuth
from tests.server.frameworks import FRAMEWORKS, Framework
from tests.server.serving import serving_asgi, serving_wsgi


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    framework: Framework = request.param
    serving = serving_asgi if framework.is_asgi else serving_wsgi
    with serving(framework.build()) as port:
        yield f"http://127.0.0.1:{port}"


@dataclass
class Login:
    """Hands out the tokens it was given, one at each login."""

    tokens: list[str]
    errors: list[str | None] = field(default_factory=list)

    def __call__(self, context: Any) -> str:
        self.errors.append(context.error)
        return self.tokens.pop(0)


def through_requests(auth: SessionAuth, url: str) -> tuple[int, str]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = auth
        response = session.get(url, timeout=10)
    return response.status_code, response.text


def through_httpx(auth: httpx_client.SessionAuth, url: str) -> tuple[int, str]:
    with httpx.Client(auth=auth, trust_env=False) as client:
        response = client.get(url)
    return response.status_code, response.text


CLIENTS: dict[str, tuple[Callable[..., Any], Callable[..., tuple[int, str]]]] = {
    "requests": (SessionAuth, through_requests),
    "httpx": (httpx_client.SessionAuth, through_httpx),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_our_client_logs_in_and_renews(url: str, client: str) -> None:
    make, get = CLIENTS[client]
    login = Login(["expired", "good"])
    auth = make(login, url)
    assert get(auth, f"{url}/orders")[0] == 401  # that login led nowhere
    assert get(auth, f"{url}/orders") == (200, "session=ada")
    assert [str(error) for error in login.errors] == ["None", "session_expired"]


@pytest.mark.parametrize("client", CLIENTS)
def test_our_client_stops_at_a_revoked_session(url: str, client: str) -> None:
    make, get = CLIENTS[client]
    login = Login(["revoked"])
    auth = make(login, url)
    for _ in range(2):
        assert get(auth, f"{url}/orders")[0] == 401
    assert len(login.errors) == 1


def curl(*arguments: str) -> str:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", "--noproxy", "*", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


@pytest.mark.needs("curl")
def test_curl_gets_in_with_a_token(url: str) -> None:
    field = 'Authorization: Session token="good"'
    assert curl("--header", field, f"{url}/orders") == "session=ada"


@pytest.mark.needs("curl")
def test_curl_is_told_why_the_orders_are_refused(url: str) -> None:
    headers = curl("--include", "--cookie", "sid=idle", f"{url}/orders").lower()
    assert 'error="session_expired", error_description="idle for 15 minutes"' in headers


@pytest.mark.needs("curl")
@pytest.mark.parametrize("token", ["none", "expired", "idle"])
def test_curl_that_would_answer_anything_sends_no_password(url: str, token: str) -> None:
    log = curl(
        *("--verbose", "--stderr", "-", "--anyauth", "--user", "ada:a-password"),
        *("--cookie", f"sid={token}", f"{url}/orders"),
    )
    assert "> GET /orders" in log
    assert "> authorization" not in log.lower()
