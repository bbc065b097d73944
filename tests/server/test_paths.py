"""A public pattern opens what it spells out, and a stepped-up one is not walked around."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin.server.paths import Patterns, is_plain

PUBLIC = Patterns(["/", "/health", "/docs/*", "/users/*/photo"])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/health",
        "/docs/",
        "/docs/a",
        "/docs/a/b/",
        "/docs/..b",
        "/docs/.a",
        "/docs/é",
        "/users/7/photo",
    ],
)
def test_a_path_that_is_spelt_out_is_named(path: str) -> None:
    assert PUBLIC.name(path)


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/docsx",
        "/Docs/a",
        "/health/",
        "/healthy",
        "/xhealth",
        "/users/7/8/photo",
        "/users//photo",
        "/users/photo",
        "/users/7/photo/",
        "*",
        "docs/a",
        "http://h/health",
    ],
)
def test_a_path_that_no_pattern_spells_out_is_not_named(path: str) -> None:
    assert not PUBLIC.name(path)


@pytest.mark.parametrize(
    "path",
    [
        "//docs/a",
        "/docs//a",
        "/docs/a//",
        "/docs/./a",
        "/docs/../a",
        "/docs/..",
        "/docs/.",
        "/docs/a\\..\\b",
        "/docs/%2e%2e/a",
        "/docs/a;b",
        "/docs/\x00",
        "/docs/\n",
        "/docs/a\x7f",
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_never_named(path: str) -> None:
    assert not is_plain(path)
    assert not PUBLIC.name(path)


@pytest.mark.parametrize("raw", ["/docs/a%2Fb", "/docs/a%2fb", "/docs/a%5Cb", "/docs/a%5cb"])
def test_a_slash_that_was_sent_encoded_is_in_doubt(raw: str) -> None:
    assert PUBLIC.name("/docs/a/b", "/docs/a/b")
    assert not PUBLIC.name("/docs/a/b", raw)


def test_a_pattern_for_everything_leaves_no_path_to_protect() -> None:
    everything = Patterns(["/*"])
    assert everything.name("/a//..;/b")
    assert everything.name("*")


def test_no_pattern_names_nothing() -> None:
    assert not Patterns([]).name("/")


SEGMENTS = st.lists(st.sampled_from(["", "a", "ab", "*", "A", ".."]), max_size=3)
PATHS = SEGMENTS.map(lambda segments: "/" + "/".join(segments))


def begins(patterns: Patterns, path: str) -> bool:
    starts, exactly = patterns.beginnings
    return path.startswith(starts) or path in exactly


@given(st.lists(PATHS, max_size=2), st.one_of(PATHS, st.sampled_from(["", "*", "a"])))
def test_no_pattern_names_a_path_that_begins_otherwise(patterns: list[str], path: str) -> None:
    try:
        some = Patterns(patterns)
    except ValueError:
        return
    assert begins(some, path) or not some.name(path)


def test_what_begins_otherwise_than_every_pattern_is_soon_told() -> None:
    assert not any(begins(PUBLIC, path) for path in ("/orders", "/orders/7/photo", "docs/a"))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("health", "begin with a slash"),
        ("", "begin with a slash"),
        ("/docs/../a", "not a plain path"),
        ("/a//b", "not a plain path"),
        ("/a%20b", "not a plain path"),
        ("/doc*", "must be a whole segment"),
        ("/**", "must be a whole segment"),
        ("/*.css", "must be a whole segment"),
    ],
)
def test_a_pattern_that_would_open_too_much_or_nothing_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Patterns([pattern])
    assert repr(pattern) in str(caught.value)


PAY = Patterns(["/pay", "/admin/*"])


@pytest.mark.parametrize(
    "path",
    [
        "/pay",
        "/pay/",
        "/pay//",
        "//pay",
        "/PAY",
        "/admin",
        "/admin/",
        "/Admin/x",
        "/admin/x/y",
        "/./pay",
        "/x/../pay",
        "/%70ay",
        "/pay;x",
        "/x;y",
        "\\pay",
    ],
)
def test_a_stepped_up_path_is_met_under_every_spelling(path: str) -> None:
    assert PAY.may_name(path)


@pytest.mark.parametrize("path", ["/", "/payments", "/repay", "/x/pay", "/administrator"])
def test_another_path_is_not_stepped_up(path: str) -> None:
    assert not PAY.may_name(path)


segments = st.sampled_from(["docs", "a", ".", "..", "", "%2e", "a;b", "\\", "DOCS", "..a", "é"])


@given(st.lists(segments, max_size=6))
def test_what_a_pattern_names_stays_below_it_however_it_is_resolved(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    if Patterns(["/docs/*"]).name(path):
        resolved: list[str] = []
        for part in re.split(r"[/\\]+", path.replace("%2e", ".")):
            if part == "..":
                resolved[-1:] = []
            elif part not in {"", "."}:
                resolved.append(part)
        assert resolved[0] == "docs"
