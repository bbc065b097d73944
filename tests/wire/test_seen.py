"""Challenges that public repositories and issue threads show, beside those of the vectors.

`seen.json` has for each its server or the public place that shows it, its field lines, whether RFC
9110 §11 allows it, and what was meant, as a well-formed field: that was written down before any
code had read the row.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import relogin

ROWS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("seen.json").read_text("utf-8"))
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["server"]))


@each
def test_strict_parse_reads_what_is_well_formed_and_nothing_else(row: dict[str, Any]) -> None:
    if row["wellformed"]:
        assert relogin.parse(row["field"]) == relogin.parse(row["meant"])
    else:
        with pytest.raises(relogin.ChallengeSyntaxError):
            relogin.parse(row["field"])


@each
def test_what_was_meant_is_read(row: dict[str, Any]) -> None:
    assert relogin.parse(row["field"], lenient=True) == relogin.parse(row["meant"])
