"""The laws of the fuzz runs hold for the vectors, and for some hundred generated fields."""

import pytest

from tests.fuzz.generate import fields, seeds
from tests.fuzz.laws import check


def test_every_law_holds_for_every_vector() -> None:
    for field in seeds():
        check(field)


@pytest.mark.parametrize("seed", range(3))
def test_every_law_holds_for_generated_fields(seed: int) -> None:
    for field in fields(seed, 200):
        check(field)


def test_a_seed_always_makes_the_same_fields() -> None:
    assert list(fields(7, 50)) == list(fields(7, 50)) != list(fields(8, 50))
