"""The same over TLS: connections, timeouts, and cookies that know of https."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from relogin.client.requests import SessionAuth
from tests.client.server import Answer, Server, flood, serve

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def session(session: requests.Session, certificate: Path) -> requests.Session:
    session.verify = str(certificate)
    session.mount("https://", HTTPAdapter(pool_maxsize=1, pool_block=True))
    return session


@pytest.fixture(params=["token", "cookie"])
def server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Server]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with serve(Server(binding=request.param), tls) as running:
        yield running


def test_refusal_login_and_replay_go_over_one_connection(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200
    assert len({request.connection for request in server.requests}) == 1


def test_a_401_without_end_is_closed_and_answered(
    server: Server, session: requests.Session
) -> None:
    server.refusal_body = flood
    session.auth = SessionAuth(server.login, server.url)
    assert session.get(f"{server.url}/orders").status_code == 200


def test_a_redirect_within_the_origin_costs_no_401(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    server.routes["/moved"] = lambda _: Answer(307, (("Location", "/orders"),))
    assert session.post(f"{server.url}/moved", data=b"x").content == b"x"
    assert len(server.seen("/orders")) == 1
