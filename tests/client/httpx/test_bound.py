"""Header fields of httpx that are sent and read as usual, and are in no copy."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import httpx
import httpx2
import pytest

from relogin.client.httpx_family.bound import OriginBound

TOKEN = "X-Auth-Token"


@pytest.fixture(params=[httpx.Headers, httpx2.Headers])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def headers(kind: Any) -> OriginBound:
    fields = [("A", "1"), (TOKEN, "s3cret"), ("A", "2")]
    return OriginBound(kind(fields), [TOKEN])


def test_bound_headers_are_sent_whole(headers: OriginBound) -> None:
    assert headers.raw == [(b"A", b"1"), (b"X-Auth-Token", b"s3cret"), (b"A", b"2")]


def test_bound_headers_are_read_in_any_case(headers: OriginBound) -> None:
    assert (headers["x-auth-token"], headers.get("a"), TOKEN in headers) == ("s3cret", "1, 2", True)
    assert (list(headers), len(headers)) == (["a", "x-auth-token"], 3)
    assert headers.get_list("a") == ["1", "2"]


def test_bound_headers_are_changed_like_any_others(headers: OriginBound) -> None:
    headers["B"] = "3"
    del headers["A"]
    assert headers.raw == [(b"X-Auth-Token", b"s3cret"), (b"B", b"3")]


def test_what_httpx_makes_of_them_lacks_the_bound_ones(headers: OriginBound, kind: Any) -> None:
    assert kind(headers).multi_items() == [("a", "1"), ("a", "2")]


def test_no_copy_repr_or_pickle_has_them(headers: OriginBound) -> None:
    copies = copy.copy(headers), copy.deepcopy(headers), pickle.loads(pickle.dumps(headers))
    for shown in (*map(repr, copies), repr(headers)):
        assert "s3cret" not in shown


def test_other_octets_than_ascii_are_copied_as_they_are(kind: Any) -> None:
    fields = [(b"A", "é".encode("latin-1")), (b"B", "é".encode())]
    headers = OriginBound(kind(fields), [TOKEN])
    assert kind(headers).raw == fields
