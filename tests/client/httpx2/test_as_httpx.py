"""What the tests say of httpx is true of httpx2, which replaces it with `alias_httpx()`.

So it is shown at once that the one code serves both, and that our room of httpx can be aliased.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def passed(plugin: str, *paths: str) -> None:
    """Run tests of the client in another process, where a plugin has replaced httpx."""
    plugins = ["-p", "no:cacheprovider", "-p", f"tests.client.httpx2.{plugin}"]
    tests = [f"tests/client/{path}" for path in paths]
    # The logins run over other libraries too.
    over_httpx = ["-k", "httpx or asyncio or trio or connections or spent_token or Literal"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *over_httpx, *tests]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout


@pytest.mark.timeout(600)
def test_what_is_said_of_httpx_holds_with_httpx2() -> None:
    passed("aliased", "httpx", "logins", "signals/test_httpx.py", "signals/test_httpx_bodies.py")


@pytest.mark.timeout(300)
def test_our_room_of_httpx_serves_httpxyz_too() -> None:
    passed("stand_in", "httpx/test_httpx.py", "httpx/test_bodies.py", "logins/test_httpx.py")


def test_the_alias_gives_one_class_for_both_imports() -> None:
    program = """
import httpx2; httpx2.alias_httpx()
import httpx
from relogin.client.httpx import SessionAuth
assert issubclass(SessionAuth, httpx2.Auth) and httpx.Auth is httpx2.Auth
"""
    subprocess.run([sys.executable, "-c", program], check=True)
