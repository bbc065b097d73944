"""These run where niquests is installed: see `tests.client.test_niquests`."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

collect_ignore_glob = [] if find_spec("niquests") else ["test_*.py"]


@pytest.fixture(params=["called", "awaited"])
def get(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Get a URL with a session of either kind."""
    from tests.client.niquests.ways import WAYS

    return WAYS[request.param]
