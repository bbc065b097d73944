"""A certificate for the servers that speak TLS."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback, and its key beside it."""
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    what = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(path), "-keyout", str(path.with_suffix(".key"))]
    command = ["openssl", "req", "-x509", *what, *name, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return path
