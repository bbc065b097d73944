"""A server for each test, and a session that is closed after it."""

from collections.abc import Iterator

import pytest
import requests

from relogin.client.requests import SessionAuth
from tests.client.either import EITHER, Either, an_either
from tests.client.httpx_drivers import DRIVERS, Driver, drive
from tests.client.server import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session with room for a hundred threads, which no netrc of this machine disturbs."""
    with requests.Session() as opened:
        opened.trust_env = False
        opened.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=100))
        yield opened


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
