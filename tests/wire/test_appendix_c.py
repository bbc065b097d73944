"""SPEC.md, Appendix C, and grammar/recovery.peg: executed, they read what `diagnose` reads."""

import json
import random
from pathlib import Path

import pytest

import relogin
from relogin.wire.faults import KINDS
from tests.fuzz.generate import fields
from tests.wire.appendix_c import FOUND, GRAMMAR, read

VECTORS = Path(__file__).parents[1] / "vectors"
ASSEMBLED = {
    *("missing-comma", "missing-scheme", "comma-after-scheme", "duplicate-parameter"),
    *("positional-quoted", "quoted-challenge", "obs-fold", "control-character", "non-latin-1"),
    "too-many-faults",
}


def vectors() -> list[list[str]]:
    rows = [
        row
        for file in ("challenges", "recovered", "wild")
        for row in json.loads((VECTORS / f"{file}.json").read_text("utf-8"))
    ]
    return [row["field"] for row in rows if "faults" in row]


def agree(field: list[str]) -> None:
    diagnosis = relogin.diagnose(field)
    challenges = [(one.scheme, one.token68, dict(one.params)) for one in diagnosis.challenges]
    faults = [(one.kind, one.start, one.end) for one in diagnosis.faults]
    assert read(field) == (challenges, faults), field


def test_each_rule_is_used_and_each_that_is_used_exists() -> None:
    assert set(GRAMMAR.rules) - GRAMMAR.used == {"piece"}
    assert not GRAMMAR.used - set(GRAMMAR.rules)


def test_each_kind_of_fault_is_found_or_assembled() -> None:
    assert (GRAMMAR.labels & set(KINDS)) | ASSEMBLED == set(KINDS)


def test_each_label_is_a_fault_or_what_the_text_knows() -> None:
    assert GRAMMAR.labels - set(KINDS) == FOUND | {"c"}


@pytest.mark.requirement("R-10")
@pytest.mark.parametrize("field", vectors(), ids=repr)
def test_a_vector_is_read_alike(field: list[str]) -> None:
    agree(field)


@pytest.mark.requirement("R-10")
def test_generated_fields_are_read_alike() -> None:
    for field in fields(seed=17, count=400):
        agree([field])


@pytest.mark.requirement("R-8", "R-10")
def test_fields_of_several_lines_are_read_alike() -> None:
    chance, lines = random.Random(17), [field[0] for field in vectors()]
    for _ in range(300):
        agree(chance.choices(lines, k=chance.randrange(2, 4)))


@pytest.mark.requirement("R-9")
@pytest.mark.parametrize("piece", ["a b;", '"', "\r\n ;", "a=b c=d ", "\\"])
def test_what_follows_a_hundred_faults_is_left_unread_alike(piece: str) -> None:
    agree([f'Basic realm="a"; {piece * 150}, Bearer realm="b"'])
