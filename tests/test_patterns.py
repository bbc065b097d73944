"""No regular expression of the package is one that Python 3.11.0 to 3.11.4 misread."""

import subprocess
import sys

import pytest

from tests.patterns import _parser, faults


def test_no_pattern_of_the_package_is_misread_by_some_python() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.patterns"],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(ran.stdout.split()[-2]) > 50


@pytest.mark.parametrize(
    "misread",
    [
        r"A (?:(b)(?=,))?+", r"(?:(?!bc)[a-z])*+", r"(?:a[b]?c)*+", r"(?:a[bc]*+d)++",
        r"(?:[a-c]++|,(?=x))*+", r"(?>(?:(a)|b)*)",
    ],
)  # fmt: skip
def test_a_pattern_that_some_python_misreads_is_found(misread: str) -> None:
    assert list(faults(_parser.parse(misread)))


@pytest.mark.parametrize(
    "sound",
    [
        r"(?:(?!bc)[a-z]|(?!))*+", r"(?:[^a\\]++|\\.)*+", r"(?:,[a-z]++)*+", r"(?>a(?=,)|)",
        r"((?:ab|c)*+)\1*+",
    ],
)  # fmt: skip
def test_a_pattern_that_every_python_reads_alike_is_not(sound: str) -> None:
    assert not list(faults(_parser.parse(sound)))
