"""niquests puts urllib3-future in place of urllib3: its tests have an environment of their own.

It is made once, under build/, where pip finds what it needs. There the tests of niquests run, and
those of requests, which then runs on urllib3-future too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import coverage
import pytest

import relogin

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / f"niquests-{sys.version_info[0]}.{sys.version_info[1]}"
NEEDED = [
    *("niquests>=3.21", "requests>=2.32.2", "pyparsing>=3.2", "requests-toolbelt>=1.0"),
    *("httpx>=0.28", "anyio>=4.8", "trio>=0.28", "h2>=4.1", "hypercorn>=0.17", "redis>=5.2"),
    *("pytest>=9.0", "pytest-timeout>=2.4", "hypothesis>=6.115", "coverage>=7.10"),
    *("mypy>=1.15", "types-requests>=2.32"),
]
OF_ALL = (
    *("environment", "hard_cases", "mutual_tls", "oauth2", "odd_servers", "preemptive", "progress"),
    *("revocation", "rolling", "signed", "unverified"),
)
# What is left out tries urllib3 itself: an adapter for early answers over TLS, which
# urllib3-future reads by itself or not at all, and streams that are looked into.
OF_REQUESTS = (
    "bodies",
    "challenges",
    "cookies",
    "expiry",
    "failures",
    "origins",
    "threads",
)


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of an environment that has niquests."""
    python, ready = PLACE / "bin" / "python", PLACE / "ready"
    if not ready.exists() or ready.read_text() != "\n".join(NEEDED):
        subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
        install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", *NEEDED]
        installed = subprocess.run(install, capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            pytest.skip(f"pip cannot install niquests: {installed.stderr[-300:]}")
        ready.write_text("\n".join(NEEDED))
    return python


def passed(python: Path, folder: Path, *tests: str) -> None:
    """Run tests there, with the package that is tested here."""
    packages = folder / "site-packages"
    packages.mkdir()
    (packages / "relogin").symlink_to(Path(relogin.__file__).parent)
    command: list[str | Path] = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    if coverage.Coverage.current() is not None:
        command[1:3] = ["-m", "coverage", "run", "-m", "pytest"]
    environment = os.environ | {"PYTHONPATH": str(packages)}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout


@pytest.mark.timeout(600)
def test_niquests_passes_its_own_tests(python: Path, tmp_path: Path) -> None:
    passed(python, tmp_path, "tests/client/niquests")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("library", ["niquests", "requests"])
def test_the_hard_cases_hold_over_urllib3_future(
    python: Path, tmp_path: Path, library: str
) -> None:
    files = (f"tests/client/libraries/test_{name}.py" for name in OF_ALL)
    passed(python, tmp_path, *files, "-k", library)


@pytest.mark.timeout(300)
def test_niquests_shares_a_session_with_other_libraries(python: Path, tmp_path: Path) -> None:
    together = "tests/client/libraries/test_together.py"
    passed(python, tmp_path, together, "-k", "through_a_store")


@pytest.mark.timeout(300)
def test_a_leader_may_be_cancelled_at_any_await(python: Path, tmp_path: Path) -> None:
    cancelled = "tests/client/libraries/test_cancellation.py"
    passed(python, tmp_path, cancelled, "-k", "niquests and not uvloop")


@pytest.mark.timeout(300)
def test_what_is_said_of_requests_holds_over_urllib3_future(python: Path, tmp_path: Path) -> None:
    passed(python, tmp_path, *(f"tests/client/requests/test_{name}.py" for name in OF_REQUESTS))


CONFIGURATION = """
[mypy]
strict = true
mypy_path = src
untyped_calls_exclude = requests
[mypy-aiohttp.*,yarl.*]
ignore_missing_imports = true
"""


@pytest.mark.timeout(300)
def test_the_types_of_our_driver_are_those_that_niquests_declares(
    python: Path, tmp_path: Path
) -> None:
    configuration = tmp_path / "mypy.ini"
    configuration.write_text(CONFIGURATION)
    rooms = ("src/relogin/client/niquests", "src/relogin/client/logins/sending/over_niquests.py")
    options = ("--config-file", configuration, "--cache-dir", tmp_path)
    command: list[str | Path] = [python, "-m", "mypy", *options, *rooms]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
