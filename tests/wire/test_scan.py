"""The accept path: what a field may look like, and what it may not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin.wire import MAX_LENGTH, Scanned
from relogin.wire.scan import (
    refused_elements,
    scan_challenges,
    scan_credentials,
    scan_params,
)
from tests.wire.fields import challenges, scrambled, wellformed

WILD = Path(__file__).parents[1] / "vectors" / "wild.json"
rows = pytest.mark.parametrize(
    "row", json.loads(WILD.read_text("utf-8")), ids=lambda row: str(row["name"])
)


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("", []),
        (" ,\t, ", []),
        ("Basic", [("Basic", None, {})]),
        ("Basic   ", [("Basic", None, {})]),
        ("Negotiate, Basic realm=x", [("Negotiate", None, {}), ("Basic", None, {"realm": "x"})]),
        ("A , b=c", [("A", None, {"b": "c"})]),
        ("A b=c,, ,d=e, F", [("A", None, {"b": "c", "d": "e"}), ("F", None, {})]),
        ("Bearer error=", [("Bearer", "error=", {})]),
        ("Negotiate YWJj, B", [("Negotiate", "YWJj", {}), ("B", None, {})]),
        ("A b\t=  c", [("A", None, {"b": "c"})]),
        ("A B=c", [("A", None, {"b": "c"})]),
        (r'A b="\"\\\c"', [("A", None, {"b": '"\\c'})]),
        ('A b=""', [("A", None, {"b": ""})]),
        ('A b=", C d=e"', [("A", None, {"b": ", C d=e"})]),
        ('A b="\t\xff"', [("A", None, {"b": "\t\xff"})]),
        ("A b='c'", [("A", None, {"b": "'c'"})]),
    ],
)
def test_a_field_is_read(field: str, read: list[Scanned]) -> None:
    assert scan_challenges(field) == read


@pytest.mark.parametrize(
    "field",
    [
        "a=b", "A,b=c", "A\t,b=c", "A\tb=c", "A bc, d=e", "A b=c d=e", "A b=c, d=",
        "A b=c, B=d", "A b=c\n", "A\n", "A b=c;d=e", 'A b="c', 'A b="c\\', 'A b="c"d', 'A b="\x00"',
        'A b="\\\x00"', 'A b="Ā"', "A b=é", "A b c", "A {b}", "A =", "é", '"A"', "A b = = c",
    ],
)  # fmt: skip
def test_a_field_is_refused(field: str) -> None:
    assert scan_challenges(field) is None


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("A", ("A", None, {})),
        (" A\t", ("A", None, {})),
        ("A ", ("A", None, {})),
        ("A b==", ("A", "b==", {})),
        ("A b=c , d=e,", ("A", None, {"b": "c", "d": "e"})),
        ("A ,", ("A", None, {})),
        ("A \t,b=c", ("A", None, {"b": "c"})),
        ("", None),
        ("b=c", None),
        ("A,", None),
        ("A b,", None),
        ("A b, C", None),
        ("A \tb=c", None),
        ("A b=c, B=d", None),
        ("A b=c\n", None),
        ("A b\n", None),
    ],
)
def test_credentials_are_one_scheme_and_what_is_its(field: str, read: Scanned | None) -> None:
    assert scan_credentials(field) == read


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("", {}),
        (" , ", {}),
        ('a=b, c="d"', {"a": "b", "c": "d"}),
        (", A=b,", {"a": "b"}),
        (r'a="\""', {"a": '"'}),
        ("a", None),
        ("a=b c=d", None),
        ("a=b, A=c", None),
        ("a=b\n", None),
    ],
)
def test_authentication_info_is_a_list_of_parameters(
    field: str, read: dict[str, str] | None
) -> None:
    assert scan_params(field) == read


@given(fields=st.lists(wellformed(), max_size=3))
def test_fields_joined_with_commas_are_one_field(fields: list[str]) -> None:
    apart = [one for field in fields for one in scan_challenges(field) or []]
    assert scan_challenges(", ".join(fields)) == apart


@given(text=scrambled | wellformed())
def test_whitespace_and_commas_around_a_field_mean_nothing(text: str) -> None:
    scanned = scan_challenges(text)
    if scanned is not None:
        assert scan_challenges(f" ,\t{text}") == scanned
        assert scan_challenges(f"{text},\t ") == scanned


@given(one=challenges)
def test_what_is_written_is_read_without_a_change(one: object) -> None:
    [(scheme, token68, params)] = scan_challenges(str(one)) or []
    assert str(one).startswith(scheme)
    assert token68 is None or not params


@pytest.mark.parametrize(
    ("field", "params_only", "refused"),
    [
        ("A b=c, d", False, []),
        ("A b=c, B=d, E b=1", False, [(7, "B")]),
        ("A b=c, D b=c, e=f, E=g", False, [(19, "E")]),
        ("A b=c, d=, e=f", False, [(7, "")]),
        ("a=1, B", False, [(0, "")]),
        ("a=1, b=2, A=3", True, [(10, "A")]),
        ("a=1, B", True, [(5, "")]),
    ],
)
def test_the_elements_that_are_refused_are_found(
    field: str, params_only: bool, refused: list[tuple[int, str]]
) -> None:
    assert list(refused_elements(field, 0, params_only=params_only)) == refused


def test_a_field_may_be_sixteen_kibibytes_long() -> None:
    assert MAX_LENGTH == 16 * 1024
