"""What the gate adds to a response is merged with what the application set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import relogin
from relogin.server.fields import (
    Headers,
    add_challenges,
    add_to_list,
    elements,
    keep_cookie,
    keep_private,
    sets_cookie,
    without_content,
)

SESSION = relogin.Challenge("Session", {"realm": "orders"})


@pytest.mark.parametrize(
    ("lines", "merged"),
    [
        ([], "Cookie, Accept"),
        (["Accept-Language"], "Accept-Language, Cookie, Accept"),
        (["cookie"], "cookie, Accept"),
        (["a, b", "Accept"], "a, b, Accept, Cookie"),
        ([",, a ,"], "a, Cookie, Accept"),
    ],
)
def test_names_are_added_once_and_come_out_on_one_line(lines: list[str], merged: str) -> None:
    headers = [("VARY", line) for line in lines]
    assert add_to_list([*headers, ("X", "1")], "Vary", ["Cookie", "Accept"]) == [
        ("X", "1"),
        ("Vary", merged),
    ]


def test_a_star_stays_alone() -> None:
    assert add_to_list([("Vary", "a, *")], "Vary", ["Cookie"]) == [("Vary", "a, *")]


@pytest.mark.parametrize(
    ("said", "private", "unstored"),
    [
        ([], "private", "private, no-store"),
        (["public"], "private", "private, no-store"),
        (["max-age=60"], "private, max-age=60", "private, no-store, max-age=60"),
        (["PUBLIC, s-maxage=9, Max-Age=60"], "private, Max-Age=60", None),
        (["private"], "private", "private, no-store"),
        (['private="a, b", no-transform'], "private, no-transform", None),
        (["no-store"], "private, no-store", "private, no-store"),
        (["must-understand, no-store"], "private, no-store", "private, no-store"),
        (['no-cache="set-cookie, public"'], 'private, no-cache="set-cookie, public"', None),
        (["s-maxage = 9, max-age=60"], "private, max-age=60", None),  # which some caches read
        (["max-age=60", "no-cache"], "private, max-age=60, no-cache", None),
    ],
)
def test_cache_control_is_closed_and_the_rest_of_it_kept(
    said: list[str], private: str, unstored: str | None
) -> None:
    headers = [("cache-control", line) for line in said]
    assert keep_private(headers) == [("Cache-Control", private)]
    if unstored is not None:
        assert keep_private(headers, store=False) == [("Cache-Control", unstored)]


@given(st.text('a,"\\ \t=é', max_size=40))
def test_splitting_a_list_loses_nothing_but_separators(line: str) -> None:
    joined = "".join(elements([line]))
    assert [c for c in joined if c not in ", \t"] == [c for c in line if c not in ", \t"]


@pytest.mark.parametrize("hostile", [",", '"', "\\", '"\\', 'a"', '",', "a=", '"a",'])
def test_splitting_takes_linear_time(hostile: str) -> None:
    assert sum(map(len, elements([hostile * 50_000]))) <= len(hostile) * 50_000


def challenged(*lines: str) -> list[str]:
    headers: Headers = [("www-authenticate", line) for line in lines]
    return [value for _, value in add_challenges(headers, [SESSION])]


def test_a_challenge_is_joined_to_what_is_there_on_one_line() -> None:
    assert challenged() == ['Session realm="orders"']
    assert challenged("Bearer, ApiKey", "Hawk") == ['Bearer, ApiKey, Hawk, Session realm="orders"']


@pytest.mark.parametrize(
    "line",
    [
        "session  realm=mine,error=session_revoked",
        'Basic realm="a"',
        "Bearer, Negotiate",
        'Bearer realm="broken',
    ],
)
def test_what_is_there_is_left_alone(line: str) -> None:
    assert challenged(line) == [line]


@pytest.mark.parametrize(
    "value",
    [
        "sid=",
        "sid=; Path=/",
        'sid=""; Path=/',
        "sid=x; Max-Age=0",
        "sid=x; path=/; max-age = 00 ; secure",
        "sid=x; Max-Age=-1",
        "sid=null; expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "sid=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Path=/",
        " sid =; Path=/",
    ],
)
def test_the_deletion_of_a_cookie_is_left_out(value: str) -> None:
    assert keep_cookie([("set-cookie", value)], "sid") == []


@pytest.mark.parametrize(
    "value",
    [
        "sid=x",
        "sid=x; Max-Age=60",
        "sid=x; Max-Age=0600",
        "sid=max-age=0",
        "sid=x; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
        "side=; Max-Age=0",
        "other=sid=; Max-Age=0",
    ],
)
def test_a_cookie_that_is_not_deleted_is_kept(value: str) -> None:
    assert keep_cookie([("Set-Cookie", value)], "sid") == [("Set-Cookie", value)]


def test_without_a_session_cookie_every_cookie_is_the_applications() -> None:
    assert not sets_cookie(("Set-Cookie", "sid=; Max-Age=0"), None)


@pytest.mark.parametrize(
    "name",
    [
        *("Accept-Ranges", "Age", "Cache-Control", "Content-Disposition", "Content-Encoding"),
        *("Content-Language", "Content-Length", "Content-Location", "Content-Range"),
        *("Content-Type", "ETag", "Expires", "Last-Modified", "Location", "Pragma", "Refresh"),
        *("Trailer", "Transfer-Encoding"),
    ],
)
def test_no_field_about_a_content_outlives_it(name: str) -> None:
    assert without_content([(name, "a"), ("X-" + name, "a")], None) == [("X-" + name, "a")]


def test_what_describes_a_content_goes_with_it() -> None:
    headers = [
        ("Content-Type", "text/html"),
        ("ETag", '"a"'),
        ("Refresh", "0; url=/login"),
        ("Cache-Control", "max-age=60"),
        ("Set-Cookie", "sid=; Max-Age=0"),
        ("Set-Cookie", "theme=dark"),
        ("Access-Control-Allow-Origin", "https://shop.example"),
        ("Strict-Transport-Security", "max-age=60"),
    ]
    assert without_content(headers, "sid") == headers[5:]
