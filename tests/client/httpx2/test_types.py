"""The one code of the family is written in httpx's types, and holds in those of httpx2."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import relogin

SOURCE = Path(relogin.__file__).parents[1]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
@pytest.mark.timeout(300)
def test_the_family_is_typed_for_httpx2_too(tmp_path: Path) -> None:
    words = ["-p", "relogin.client.httpx_family", "--strict", "--always-true", "HTTPX2"]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *words, "--cache-dir", str(tmp_path)],
        env=os.environ | ({} if SOURCE.name == "site-packages" else {"MYPYPATH": str(SOURCE)}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
