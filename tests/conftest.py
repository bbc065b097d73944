"""What holds for every test: how long a property may take, and when a skip is a failure."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

settings.register_profile("relogin", deadline=None)  # a slow machine is no broken law
settings.load_profile("relogin")

# Debian keeps servers away from a user's path, and those of PostgreSQL from everybody's.
PROGRAMS = os.pathsep.join(
    [os.environ["PATH"], "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
)
os.environ["PATH"] = PROGRAMS
# Programs print into a pipe as in a user's shell, where what is not flushed does not arrive.
os.environ.pop("PYTHONUNBUFFERED", None)
# Programs whose package has another name.
PACKAGES = {"initdb": "postgresql", "node": "nodejs"}
NO_SKIP = os.environ.get("RELOGIN_NO_SKIP") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(mark.args == ("npm",) for mark in item.iter_markers("needs")):
            item.add_marker(pytest.mark.timeout(300))  # the first time it installs a package


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        (program,) = mark.args
        if shutil.which(program, path=PROGRAMS) is None:
            package = PACKAGES.get(program, program)
            pytest.skip(f"{program} is not installed (on Debian: apt install {package})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _unskipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _unskipped((yield))


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _unskipped(report: Report) -> Report:
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"skipped, though RELOGIN_NO_SKIP=1 says nothing may be: {report.longrepr}"
        )
    return report
