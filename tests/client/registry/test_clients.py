"""oras-py and python-dxf push and pull with our object as their session's auth."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dxf
import oras.client
import pytest

from relogin.client.logins import RegistryLogin
from relogin.client.requests import SessionAuth
from tests.client.registry.token_server import TokenServer

pytestmark = pytest.mark.needs("docker-registry")


@pytest.fixture
def auth(registry: str, tokens: TokenServer) -> SessionAuth:
    return SessionAuth(RegistryLogin("alice", "s3cret", [tokens.url]), registry)


def test_oras_pushes_and_pulls(
    registry: str, tokens: TokenServer, auth: SessionAuth, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hello.txt").write_text("hello")
    host = urlsplit(registry).netloc
    client = oras.client.OrasClient(hostname=host, insecure=True)
    client.session.trust_env = False
    client.session.auth = auth
    answer = client.push(target=f"{host}/foo/bar:v1", files=["hello.txt"])
    assert answer.status_code == 201
    [pulled] = client.pull(target=f"{host}/foo/bar:v1", outdir=str(tmp_path / "out"))
    assert Path(pulled).read_text() == "hello"
    assert client.get_tags(f"{host}/foo/bar") == ["v1"]
    assert len(tokens.asked) <= 2


def test_dxf_pushes_and_pulls(
    registry: str, tokens: TokenServer, auth: SessionAuth, tmp_path: Path
) -> None:
    file = tmp_path / "blob"
    file.write_bytes(b"content")
    with dxf.DXF(urlsplit(registry).netloc, "dxf/test", insecure=True) as client:
        session: Any = client._sessions[0]
        session.trust_env = False
        session.auth = auth
        digest = client.push_blob(str(file))
        assert digest == f"sha256:{hashlib.sha256(b'content').hexdigest()}"
        client.set_alias("latest", digest)
        assert client.get_alias("latest") == [digest]
        pulled: Any = client.pull_blob(digest)
        assert b"".join(pulled) == b"content"
    assert len(tokens.asked) <= 2
