"""Debian's docker-registry (distribution) on a free loopback port."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["distribution"]

_CONFIGURATION = """
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{inmemory: {{}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth:
  token: {{realm: "{realm}", service: registry.test, issuer: token-server, rootcertbundle: {cert}}}
"""


@contextmanager
def distribution(folder: Path, realm: str) -> Iterator[str]:
    """Run a registry whose challenges name `realm`; return its URL."""
    port = _free_port()
    text = _CONFIGURATION.format(port=port, realm=realm, cert=folder / "cert.pem")
    configuration = folder / f"{port}.yml"
    configuration.write_text(text)
    running = subprocess.Popen(
        ["docker-registry", "serve", configuration],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and running.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"docker-registry did not listen on port {port}")
