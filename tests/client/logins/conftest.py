"""A ready-made login, run by each library that it can speak through."""

import pytest

from tests.client.log_in import WAYS, LogIn
from tests.client.server import Server
from tests.client.token_server import TokenServer


@pytest.fixture(params=list(WAYS))
def log_in(request: pytest.FixtureRequest) -> LogIn:
    return WAYS[request.param]


@pytest.fixture
def tokens(server: Server) -> TokenServer:
    return TokenServer(server)
