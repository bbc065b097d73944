"""What was written from SPEC.md, the grammar and the vectors alone agrees with every vector."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import relogin
from tests.fuzz.generate import fields

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.needs("node")
def test_the_second_implementation_passes_every_row_of_every_vector_file() -> None:
    command = ["node", str(HERE / "run.mjs")]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    files = {
        file: (int(passed), int(rows))
        for file, passed, rows in re.findall(r"(?m)^(\S+\.json): ([0-9]+)/([0-9]+)$", ran.stdout)
    }
    vectors = {file.name for file in (ROOT / "tests/vectors").glob("*.json")} - {"schema.json"}
    assert files.keys() == vectors
    for file, (passed, rows) in files.items():
        assert passed == rows == len(json.loads((ROOT / "tests/vectors" / file).read_text())), file


@pytest.mark.needs("node")
def test_the_second_implementation_reads_generated_fields_as_the_first() -> None:
    """Challenges, and faults to the character: the vectors cannot hold every combination."""
    asked = [[field] for field in fields(seed=1717, count=2500) if _whole(field)]
    command = ["node", str(HERE / "read.mjs")]
    said = json.dumps(asked)
    ran = subprocess.run(
        command, check=True, input=said, capture_output=True, text=True, timeout=50
    )
    differ = [
        (field, theirs, ours)
        for field, theirs in zip(asked, json.loads(ran.stdout), strict=True)
        if theirs != (ours := _read(field))
    ]
    assert not differ


def _whole(field: str) -> bool:
    """Whether it can be sent to another process: half a surrogate pair cannot."""
    return not re.search("[\ud800-\udfff]", field)


def _read(field: list[str]) -> list[Any]:
    found = relogin.diagnose(field)
    return [
        [
            [one.scheme, one.token68, [[*pair] for pair in one.params.items()]]
            for one in found.challenges
        ],
        [[one.kind, one.start, one.end] for one in found.faults],
    ]


def test_the_second_implementation_holds_the_current_grammar() -> None:
    """As `node tests/second/make-grammar.mjs` makes it."""
    grammar = (ROOT / "grammar/recovery.peg").read_text(encoding="utf-8").splitlines()
    said = [line for line in grammar if line.strip() and not line.strip().startswith("#")]
    copy = (HERE / "recovery-grammar.js").read_text(encoding="utf-8")
    assert [json.loads(line) for line in re.findall(r'(?m)^  (".*"),$', copy)] == said


def test_the_demo_ships_the_strict_reader_of_the_second_implementation() -> None:
    """A copy: the demo is installed, the tests are not."""
    shipped = ROOT / "src/relogin/cli/browser/strict.js"
    assert shipped.read_text(encoding="utf-8") == (HERE / "strict.js").read_text(encoding="utf-8")
