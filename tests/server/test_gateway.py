"""Behind a gateway that renames the challenge, as API Gateway of AWS does, the content tells."""

from typing import Any

import httpx
import pytest
import requests

from relogin.client import httpx as httpx_client
from relogin.client.requests import SessionAuth
from relogin.client.responders import SESSION
from relogin.client.signals import problem
from tests.server.frameworks import FRAMEWORKS
from tests.server.serving import serving_wsgi

SIGNALS = [problem("session_expired"), problem("session_invalid"), problem("session_revoked")]


def gateway(app: Any) -> Any:
    def renaming(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            renamed = [
                ("x-amzn-Remapped-WWW-Authenticate" if name == "WWW-Authenticate" else name, value)
                for name, value in headers
            ]
            return start_response(status, renamed, *more)

        return app(environ, start)

    return renaming


def with_requests(login: Any, url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = SessionAuth(login, url, signals=SIGNALS, responders=[SESSION])
        session.get(f"{url}/orders", timeout=10)
        return session.get(f"{url}/orders", timeout=10).status_code


def with_httpx(login: Any, url: str) -> int:
    auth = httpx_client.SessionAuth(login, url, signals=SIGNALS, responders=[SESSION])
    with httpx.Client(auth=auth, trust_env=False) as client:
        client.get(f"{url}/orders")
        return client.get(f"{url}/orders").status_code


@pytest.mark.parametrize("talk", [with_requests, with_httpx])
@pytest.mark.parametrize(
    ("tokens", "status", "left"),
    [
        (["expired", "good"], 200, []),
        (["unknown", "good"], 200, []),
        (["revoked", "good"], 401, ["good"]),
    ],
)
def test_the_client_takes_the_reason_from_the_content(
    talk: Any, tokens: list[str], status: int, left: list[str]
) -> None:
    remaining = list(tokens)
    with serving_wsgi(gateway(FRAMEWORKS[0].build())) as port:
        assert talk(lambda _: remaining.pop(0), f"http://127.0.0.1:{port}") == status
    assert remaining == left
