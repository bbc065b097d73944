"""A server for each test, and a session that is closed after it."""

from collections.abc import Iterator

import pytest
import requests

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
