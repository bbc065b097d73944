"""A certificate for the servers that speak TLS."""

from pathlib import Path

import pytest

from tests import programs


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback; `key.pem` is beside it."""
    return Path(programs.certificate(tmp_path_factory.mktemp("tls"))[0])
