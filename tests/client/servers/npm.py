"""Packages from npm, installed once into the user's cache, and not into the repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.programs import running_until_killed

__all__ = ["running_script"]


@cache  # a machine without a network waits for npm once, not in each test
def _installed(packages: tuple[str, ...]) -> Path | str:
    """Install packages once; say why if that is impossible."""
    named = " ".join(packages)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "relogin-tests" / named.replace("/", "+").replace(" ", ",")
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        quick = ["--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000"]
        command = ["npm", "install", *quick, "--prefix", str(folder), *packages]
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
        except subprocess.CalledProcessError as error:
            return f"npm cannot install {named}: {' '.join(error.stderr.split())[:200]}"
        except subprocess.TimeoutExpired:
            return f"npm has not installed {named} in 240 s"
        (folder / "installed").touch()
    return folder


@contextmanager
def running_script(
    script: Path, packages: tuple[str, ...], port: int, *more: str
) -> Iterator[None]:
    """Run a script that needs these packages until the end of the block, once it says `ready`."""
    folder = _installed(packages)
    if isinstance(folder, str):
        pytest.skip(folder)
    # Node finds packages beside the script that asks for them.
    copy = folder / f"{script.stem}-{port}{script.suffix}"
    copy.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    try:
        with running_until_killed(["node", str(copy), str(port), *more]) as said:
            assert said == "ready"
            yield
    finally:
        copy.unlink()
