"""A registry with its token server for each test, and one that names a server nobody lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.registry.distribution import distribution
from tests.client.registry.token_server import TokenServer, token_server


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    with token_server(tmp_path) as running:
        yield running


@pytest.fixture
def registry(tmp_path: Path, tokens: TokenServer) -> Iterator[str]:
    with distribution(tmp_path, tokens.url) as url:
        yield url
