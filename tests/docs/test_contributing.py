"""CONTRIBUTING.md follows one request through the code: what it names is there."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
STOPS = re.findall(r"^\d\. `([\w/.]+)`: (.+)$", PAGE, re.MULTILINE)


def test_the_way_of_a_request_has_at_most_eight_stops() -> None:
    assert 1 < len(STOPS) <= 8


@pytest.mark.parametrize(("file", "text"), STOPS, ids=[file for file, _ in STOPS])
def test_each_stop_names_what_its_file_holds(file: str, text: str) -> None:
    path = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = import_module(f"relogin.client.{path}")
    for name in re.findall(r"`([\w.]+)`", text):
        if (file, name) != ("requests/signing.py", "Exchange"):  # it speaks of an earlier stop's
            reduce(getattr, name.split("."), module)


def test_each_file_and_folder_that_a_change_goes_to_exists() -> None:
    named = re.findall(r"`((?:src|tests)/[\w/.]+)`", PAGE)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
