"""`relogin probe --discover` against an MCP server of the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from relogin.cli import main
from tests.programs import free_port, running


@pytest.fixture
def mcp(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = ["python", "-m", "tests.cli.mcp_server", str(port)]
    with running(command, port, tmp_path / "log"):
        yield f"http://127.0.0.1:{port}"


def test_a_real_mcp_server_says_what_a_client_would_have_to_do(
    mcp: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", f"{mcp}/mcp", "--discover"]) == 0
    shown = capsys.readouterr().out
    assert f"Register the client at {mcp}/register" in shown
    assert f"{mcp}/authorize with PKCE (S256), resource={mcp}/mcp and scope='read'" in shown
