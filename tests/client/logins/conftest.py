"""A ready-made login, run by each library that it can speak through."""

import pytest

from tests.client.log_in import WAYS, LogIn


@pytest.fixture(params=list(WAYS))
def log_in(request: pytest.FixtureRequest) -> LogIn:
    return WAYS[request.param]
