"""Header fields as requests keeps them: they are looked at, and copied, without its own look-up."""

import pytest
import requests

from relogin.client.requests import fields as header_fields
from relogin.client.requests.fields import copied, found, has, tells_more


def test_header_fields_in_a_plain_dict_are_told_apart_without_case_and_copied() -> None:
    fields = {"Cookie": "a=1"}
    assert (has(fields, "cookie"), has(fields, "set-cookie")) == (True, False)
    assert (found(fields, "cookie"), found(fields, "set-cookie")) == ("a=1", None)
    assert copied(fields) == fields
    assert copied(fields) is not fields


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({}, False),
        ({"Content-Type": "text/plain"}, False),
        ({"Content-Type": "text/event-stream;charset=utf-8"}, True),
        ({"Location": "/"}, True),
        ({"WWW-AUTHENTICATE": "Session"}, True),
        ({"authentication-info": "expires_in=9"}, True),
        ({"Set-Cookie": "a=1"}, True),
    ],
)
def test_a_few_fields_may_say_more_than_that_the_session_lives(
    field: dict[str, str], told: bool
) -> None:
    fields = {"Date": "Sun, 29 Nov 2026 18:00:00 GMT", **field, "Server": "tea"}
    assert tells_more(requests.structures.CaseInsensitiveDict(fields)) is told
    assert tells_more(fields)  # a plain dict is not looked into


def test_header_fields_are_found_and_copied_however_requests_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = {"Cookie": "a=1"}
    monkeypatch.setattr(header_fields, "_IS_KNOWN", False)
    monkeypatch.setattr(header_fields, "CaseInsensitiveDict", dict)  # it has nothing inside
    assert (has(fields, "cookie"), has(fields, "set-cookie")) == (True, False)
    assert (found(fields, "cookie"), found(fields, "set-cookie")) == ("a=1", None)
    assert tells_more(fields)
    assert copied(fields) == fields
    assert copied(fields) is not fields
