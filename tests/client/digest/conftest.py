"""A strict Digest site for each test, and the clients that log in to it."""

from __future__ import annotations

from typing import Any

import pytest

from relogin.client.logins import DigestLogin
from tests.client.digest_site import PASSWORD, DigestSite
from tests.client.either import Either
from tests.client.server import Server


@pytest.fixture
def site(server: Server) -> DigestSite:
    return DigestSite(server)


def attach(either: Either, site: DigestSite, password: Any = PASSWORD, **options: Any) -> Any:
    """Open a client that logs in to the site."""
    return either.attach(DigestLogin(site.user, password), site.server.url, **options)


def body(either: Either, content: Any) -> dict[str, Any]:
    """Name a body as the library does."""
    return {"data" if either.driver is None else "content": content}
