"""A record as text: it is read as it was written, and what is no record is refused."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relogin import Grant
from relogin.client.stores.record import Block, Period, Record
from tests.client.stores.records import GRANT, renewed

STORED = renewed()
names = st.text(st.characters(codec="utf-8"))
periods = st.builds(Period, st.floats(0, 1e10), st.floats(0, 1e5))
grants = st.builds(
    Grant,
    token=names.filter(bool),
    cookies=st.dictionaries(
        st.from_regex("[a-zA-Z0-9._-]+", fullmatch=True),
        st.from_regex("[ -:<-~]*", fullmatch=True),
    ),
    expires_in=st.none() | st.floats(0, 1e9),
    refresh=st.none() | names,
    location=st.none() | names,
    headers=st.dictionaries(
        st.from_regex("X-[a-zA-Z0-9_-]+", fullmatch=True), st.from_regex("[!-~]+", fullmatch=True)
    ),
)
records = st.builds(
    Record,
    version=st.integers(0, 2**53),
    grant=st.none() | grants,
    scheme=names,
    granted_at=st.floats(0, 1e10),
    dropped=st.booleans(),
    spent=st.booleans(),
    fence=st.integers(0, 2**53),
    holder=names,
    lease=st.none() | periods,
    block=st.none() | st.builds(Block, names, periods, st.integers(0, 99)),
    put_by=names,
    past=st.lists(names.filter(bool), unique=True, max_size=8).map(tuple),
).map(lambda record: replace(record, fence=max(record.version, record.fence)))


@given(records)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert Record.loads(record.dumps()) == record


def test_what_a_later_version_adds_is_overlooked() -> None:
    text = STORED.dumps()
    assert Record.loads(text[:-1] + ',"new":1}') == STORED


def test_the_scopes_of_a_grant_are_kept_and_an_older_record_has_none() -> None:
    assert "scope" not in renewed().dumps()
    scoped = replace(GRANT, scope="read write")
    assert Record.loads(renewed(grant=scoped).dumps()).grant == scoped


def test_an_older_record_has_no_headers() -> None:
    assert "headers" not in renewed().dumps()
    headers = {"X-CSRF-Token": "1"}
    assert Record.loads(renewed(grant=replace(GRANT, headers=headers)).dumps()).grant == replace(
        GRANT, headers=headers
    )


def written(**fields: Any) -> str:
    """A record with something else in these fields of it."""
    return json.dumps(json.loads(STORED.dumps()) | fields)


def grant(**fields: Any) -> dict[str, Any]:
    return {"grant": json.loads(STORED.dumps())["grant"] | fields}


BAD: dict[str, str] = {
    "nothing": "",
    "half an object": "{",
    "no object": "[]",
    "a number": "7",
    "null": "null",
    "brackets": "[" * 60_000,
    "a number of 5000 digits": '{"fence":' + "1" * 5000 + "}",
    "too long": written(holder="x" * 2**16),
    "a version in words": written(version="1"),
    "a version that is true": written(version=True),
    "a negative fence": written(fence=-1),
    "a fence beyond all": written(fence=2**60),
    "a version beyond its fence": written(version=2**50),
    "a scheme that is none": written(scheme=None),
    "a holder that is none": written(holder=7),
    "a truth that is none": written(dropped="false"),
    "a number for a truth": written(spent=0),
    "a moment that is none": written(granted_at="now"),
    "an endless moment": written(granted_at=float("inf")),
    "no moment": written(granted_at=float("nan")),
    "a moment of 400 digits": written(granted_at=10**400),
    "half a lease": written(lease=[1]),
    "a lease for ever": written(lease=[0, 1e18]),
    "a lease of less than nothing": written(lease=[0, -1]),
    "no lease": written(lease=7),
    "a word for a reason": written(block="no"),
    "a reason in numbers": written(block=[1, [0, 1], 1]),
    "failures in words": written(block=["refused", [0, 1], "1"]),
    "a pause for ever": written(block=["unavailable", [0, 1e18], 1]),
    "a name in numbers": written(put_by=7),
    "names in words": written(past="abc"),
    "names in numbers": written(past=[7]),
    "a grant of nothing": written(grant={}),
    "a grant that is none": written(grant=7),
    "a grant in words": written(grant="token"),
    "a token in numbers": written(**grant(token=7)),
    "an empty token": written(**grant(token="")),
    "a refresh token in numbers": written(**grant(refresh=7)),
    "a lifetime in words": written(**grant(expires_in="600")),
    "a lifetime of 400 digits": written(**grant(expires_in=10**400)),
    "an endless lifetime": written(**grant(expires_in=float("inf"))),
    "cookies in words": written(**grant(cookies="sid=1")),
    "cookies in a list": written(**grant(cookies=["sid"])),
    "a cookie in numbers": written(**grant(cookies={"sid": 1})),
    "a cookie with another": written(**grant(cookies={"sid": "1; admin=1"})),
    "a cookie with a field": written(**grant(cookies={"sid": "1\r\nInjected: s3cret"})),
    "a location in numbers": written(**grant(location=7)),
    "headers in words": written(**grant(headers="X-CSRF-Token: 1")),
    "scopes in numbers": written(**grant(scope=[1])),
    "a scope with a quote": written(**grant(scope=['a"b'])),
    "a number for scopes": written(**grant(scope=7)),
    "a header in numbers": written(**grant(headers={"X-CSRF-Token": 1})),
    "a header with another": written(**grant(headers={"X-CSRF-Token": "1\r\nInjected: s3cret"})),
    "a header that is a cookie": written(**grant(headers={"Cookie": "sid=1"})),
    "the name of a cookie with a field": written(**grant(cookies={"a\r\nInjected": "s3cret"})),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_record_is_refused_and_nothing_of_it_shown(bad: str) -> None:
    with pytest.raises(ValueError, match=r"^it is (not a text .*|too long)$") as caught:
        Record.loads(BAD[bad])
    assert caught.value.__context__ is None


def test_the_records_that_are_refused_are_near_ones_that_are_read() -> None:
    assert Record.loads(written()) == Record.loads(written(**grant())) == STORED
    assert Record.loads(written(holder="x" * 2**15)).holder == "x" * 2**15
    assert Record.loads("{}") == Record()


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(json.dumps)
    | st.fixed_dictionaries({}, optional={
        "version": st.integers() | st.floats(), "fence": st.integers(-9) | st.none(),
        "grant": st.none() | grants.map(lambda one: one.token), "granted_at": st.floats(),
        "lease": st.lists(st.floats(0), min_size=2, max_size=2) | st.text(),
        "dropped": st.booleans() | st.integers(), "holder": st.text(),
    }).map(lambda fields: written(**fields)))  # fmt: skip
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ValueError):
        read = Record.loads(text)
        assert Record.loads(read.dumps()) == read


@pytest.mark.parametrize(("length", "reason"), [(65_536, "relogin wrote"), (65_537, "too long")])
def test_a_text_is_read_up_to_64_kib(length: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Record.loads(" " * length)
