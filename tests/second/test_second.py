"""What was written from SPEC.md, the grammar and the vectors alone agrees with every vector."""

import json
import re
import subprocess
from pathlib import Path

import pytest

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


def test_its_copy_of_the_grammar_is_the_grammar() -> None:
    """As `node tests/second/make-grammar.mjs` makes it."""
    grammar = (ROOT / "grammar/recovery.peg").read_text(encoding="utf-8").splitlines()
    said = [line for line in grammar if line.strip() and not line.strip().startswith("#")]
    copy = (HERE / "recovery-grammar.js").read_text(encoding="utf-8")
    assert [json.loads(line) for line in re.findall(r'(?m)^  (".*"),$', copy)] == said


def test_the_page_of_the_demo_reads_headers_with_its_strict_reader() -> None:
    """A copy: the demo is installed, the tests are not."""
    shipped = ROOT / "src/relogin/cli/browser/strict.js"
    assert shipped.read_text(encoding="utf-8") == (HERE / "strict.js").read_text(encoding="utf-8")
