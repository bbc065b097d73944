"""A site that asks for codes, and logins that wait for the next one without sleeping."""

import pytest

from relogin.client.logins import one_time
from tests.client.code_site import Site
from tests.client.server import Server


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock counts all the same."""
    monkeypatch.setattr(one_time, "_POLL", 0.001)


@pytest.fixture
def site(server: Server) -> Site:
    return Site(server)
