"""What the tests say of httpx is true of httpx2, which replaces it with `alias_httpx()`.

So it is shown at once that the one code serves both, and that our room of httpx can be aliased.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("tests/client/httpx", "tests/client/logins")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).glob("test_*.py")
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "path",
    [*FILES, "tests/client/signals/test_httpx.py", "tests/client/signals/test_httpx_bodies.py"],
)
def test_it_holds_with_httpx2(path: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    plugin = ["-p", "tests.client.httpx2.aliased"]
    ran = subprocess.run(
        [*command, *plugin, path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert "passed" in ran.stdout


@pytest.mark.timeout(300)
def test_our_room_of_httpx_serves_httpxyz_too() -> None:
    files = ("httpx/test_httpx.py", "httpx/test_bodies.py", "logins/test_httpx.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    plugin = ["-p", "tests.client.httpx2.stand_in", *(f"tests/client/{file}" for file in files)]
    ran = subprocess.run([*command, *plugin], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "passed" in ran.stdout


def test_the_alias_gives_one_class_for_both_imports() -> None:
    program = """
import httpx2; httpx2.alias_httpx()
import httpx
from relogin.client.httpx import SessionAuth
assert issubclass(SessionAuth, httpx2.Auth) and httpx.Auth is httpx2.Auth
"""
    subprocess.run([sys.executable, "-c", program], check=True)
