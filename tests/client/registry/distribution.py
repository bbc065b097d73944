"""Debian's docker-registry (distribution) on a free loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import free_port, running

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
    port = free_port()
    text = _CONFIGURATION.format(port=port, realm=realm, cert=folder / "cert.pem")
    configuration = folder / f"{port}.yml"
    configuration.write_text(text)
    command = ["docker-registry", "serve", str(configuration)]
    with running(command, port, folder / f"{port}.log"):
        yield f"http://127.0.0.1:{port}"
