"""`relogin probe --discover` against an MCP server of the official SDK."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from relogin.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def mcp() -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    command = [sys.executable, "-m", "tests.cli.mcp_server", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        give_up = time.monotonic() + 40
        while time.monotonic() < give_up:
            assert process.poll() is None, "the MCP server did not start"
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)


def test_a_real_mcp_server_says_what_a_client_would_have_to_do(
    mcp: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", f"{mcp}/mcp", "--discover"]) == 0
    shown = capsys.readouterr().out
    assert f"Register the client at {mcp}/register" in shown
    assert f"{mcp}/authorize with PKCE (S256), resource={mcp}/mcp and scope='read'" in shown
