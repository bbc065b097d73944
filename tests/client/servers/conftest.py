"""A token server made with Authlib."""

from collections.abc import Iterator

import pytest

from tests.client.servers.authlib_server import Authlib, an_authlib_server


@pytest.fixture
def authlib(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authlib]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # it is on loopback
    with an_authlib_server() as running:
        yield running
