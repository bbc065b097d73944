"""A server for each test, and a session that is closed after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from relogin.client.requests import SessionAuth
from tests.client.authority import Authority
from tests.client.either import EITHER, Either, an_either
from tests.client.httpx_drivers import DRIVERS, Driver, drive
from tests.client.server import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture(params=["token", "cookie"])
def service(request: pytest.FixtureRequest, server: Server) -> Server:
    """A server whose sessions are tokens, and one whose sessions are cookies."""
    server.binding = request.param
    return server


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session with room for a hundred threads, which no netrc of this machine disturbs."""
    with requests.Session() as opened:
        opened.trust_env = False
        opened.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=100))
        yield opened


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """It needs openssl."""
    return Authority.begun(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def far(authority: Authority) -> Iterator[Server]:
    """A server over TLS, which only those trust who trust the authority."""
    with serve(Server(), authority.shown) as running:
        yield running


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A netrc with an account for servers on loopback, named by the environment."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login eve password s3cret-of-netrc\n")
    monkeypatch.setenv("NETRC", str(file))


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """httpx in threads, in tasks of asyncio, and in tasks of trio."""
    with drive(request.param) as begun:
        yield begun


@pytest.fixture(params=EITHER)
def either(request: pytest.FixtureRequest) -> Iterator[Either]:
    """requests, and httpx in threads and in tasks."""
    with an_either(request.param) as begun:
        yield begun


@pytest.fixture
def alive(server: Server, session: requests.Session) -> requests.Session:
    """A session that has logged in once."""
    session.auth = SessionAuth(server.login, server.url)
    session.get(f"{server.url}/first")
    return session


@pytest.fixture
def dead(server: Server, alive: requests.Session) -> requests.Session:
    """A session that has logged in once, and whose session on the server has expired since."""
    server.kill()
    return alive
