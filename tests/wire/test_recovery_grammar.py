"""grammar/recovery.peg, executed as it stands, finds what `relogin.diagnose` finds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import relogin
from relogin.wire import recover
from relogin.wire.diagnose import Diagnosis
from relogin.wire.faults import KINDS
from relogin.wire.malformed import Event
from tests.fuzz.generate import fields
from tests.wire.peg import PATH, Found, Grammar

GRAMMAR = Grammar(PATH.read_text("utf-8"))
FOUND = {"separator", "scheme", "token68", "name", "flag", "value", "quoted", "cut"}
VECTORS = Path(__file__).parents[1] / "vectors"


def elements(line: str) -> Iterator[tuple[list[Event], int, int]]:
    at = 0
    while at < len(line):
        found: Found = []
        end = GRAMMAR.rules["piece"](line, at, found)
        assert end is not None
        assert end > at
        yield [one for label in found for one in _event(line, *label)], at, end
        at = end


def _event(line: str, label: str, start: int, end: int) -> list[Event]:
    if label in KINDS:
        return [(label, "", start, end)]
    return [(label, line[start:end], start, end)] if label in FOUND else []


def by_the_grammar(field: str | list[str], patch: pytest.MonkeyPatch) -> Diagnosis:
    with patch.context() as patched:
        patched.setattr(recover, "elements", elements)
        return relogin.diagnose(field)


def malformed() -> list[list[str]]:
    files = ("challenges", "recovered", "wild")
    rows = [
        row for file in files for row in json.loads((VECTORS / f"{file}.json").read_text("utf-8"))
    ]
    return [row["field"] for row in rows if "faults" in row]


def test_each_rule_is_used_and_each_that_is_used_exists() -> None:
    assert set(GRAMMAR.rules) - GRAMMAR.used == {"piece"}
    assert not GRAMMAR.used - set(GRAMMAR.rules)


def test_each_label_is_a_fault_or_what_the_reader_knows() -> None:
    assembled = {"missing-comma", "missing-scheme", "duplicate-parameter", "positional-quoted"}
    assembled |= {"quoted-challenge", "obs-fold", "control-character", "non-latin-1"}
    assert set(KINDS) - GRAMMAR.labels == assembled | {"too-many-faults"}
    assert GRAMMAR.labels - set(KINDS) == FOUND | {"c"}


@pytest.mark.requirement("R-10")
@pytest.mark.parametrize("field", malformed(), ids=repr)
def test_a_vector_is_diagnosed_alike(field: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_the_grammar(field, monkeypatch) == relogin.diagnose(field)


@pytest.mark.requirement("R-10")
def test_generated_fields_are_diagnosed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in fields(seed=17, count=400):
        assert by_the_grammar(field, monkeypatch) == relogin.diagnose(field), field
