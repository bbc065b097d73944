"""A login finds what a session is made of in header fields, cookies and JSON of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relogin import Grant, LoginUnavailable
from relogin.client.logins import (
    BasicLogin,
    FormLogin,
    JSONLogin,
    from_cookie,
    from_header,
    from_json,
)
from tests.client.log_in import ACCOUNT, TOKEN, LogIn, answers, with_requests
from tests.client.server import Answer, Request, Server

PAGE = b'<form method="post" action="/in"><input name="user"><input name="password"></form>'


def test_a_token_stands_in_a_header_field(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(201, (("X-Subject-Token", "t0ken"),)))
    assert log_in(JSONLogin(url, ACCOUNT, token=from_header("X-Subject-Token"))) == Grant("t0ken")


def test_a_token_stands_in_a_cookie(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(200, (("Set-Cookie", "t=t0ken; Path=/"),)))
    assert log_in(BasicLogin(url, "ada", "secret", token=from_cookie("t"))) == Grant("t0ken")


def test_header_fields_come_from_three_places(server: Server, log_in: LogIn) -> None:
    fields = (("X-Updated-CSRF-Token", "1"), ("Set-Cookie", "XSRF-TOKEN=2%3D; Path=/"))
    url = answers(server, Answer(200, fields, b'{"access_token": "t0ken", "data": {"csrf": "3"}}'))
    headers = {
        "X-CSRF-Token": from_header("X-Updated-CSRF-Token"),
        "X-XSRF-TOKEN": from_cookie("XSRF-TOKEN"),
        "CSRFPreventionToken": from_json("/data/csrf"),
        "X-Own": lambda answer: str(answer.status),
    }
    expected = {"X-CSRF-Token": "1", "X-XSRF-TOKEN": "2=", "CSRFPreventionToken": "3"}
    grant = log_in(JSONLogin(url, ACCOUNT, headers=headers))
    assert grant == Grant("t0ken", headers=expected | {"X-Own": "200"})


def test_a_form_s_header_comes_from_any_answer_on_the_way_the_latest_first(
    server: Server, log_in: LogIn
) -> None:
    page = Answer(200, (("Set-Cookie", "csrf=page; Path=/"), ("X-First", "page")), PAGE)
    page = Answer(200, (*page.headers, ("Content-Type", "text/html")), PAGE)
    landing = (("Location", "/home"), ("Set-Cookie", "csrf=login; Path=/"), ("X-Second", "login"))
    url = answers(server, page, path="/page")
    answers(server, Answer(302, landing), path="/in")
    answers(server, Answer(200), path="/home")
    headers = {"A": from_cookie("csrf"), "B": from_header("X-First"), "C": from_header("X-Second")}
    grant = log_in(FormLogin(url, ACCOUNT, headers=headers))
    assert grant is not None
    assert grant.headers == {"A": "login", "B": "page", "C": "login"}


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (from_header("X-CSRF-Token"), "the header 'X-CSRF-Token'"),
        (from_cookie("csrf"), "the cookie 'csrf'"),
        (from_json("/csrf"), "the JSON member '/csrf'; it has access_token, number"),
        (from_json("number"), "the JSON member 'number'; it has access_token, number"),
        (lambda answer: None, "a value for X-CSRF-Token"),
    ],
)
def test_an_answer_that_lacks_one_brings_no_session_and_says_what_is_missing(
    server: Server, source: Any, place: str
) -> None:
    url = answers(server, Answer(200, (), b'{"access_token": "t0ken", "number": 7}'))
    with pytest.raises(LoginUnavailable, match=f"answered 200 without {place}$"):
        with_requests(JSONLogin(url, ACCOUNT, headers={"X-CSRF-Token": source}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "bad password"}',
        b'{"success": false}',
        b'{"ok": false, "id": 1}',
        b'{"code": 1001}',
    ],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"token": None},
        {"token": None, "headers": {"X-CSRF-Token": from_header("X-CSRF-Token")}},
    ],
    ids=["token", "cookie", "header"],
)
def test_a_refusal_with_200_is_told_with_the_option_that_knows_it(
    server: Server, body: bytes, options: dict[str, Any]
) -> None:
    url = answers(server, Answer(200, (), body))
    with pytest.raises(LoginUnavailable, match=r"a wrong password, pass refused=$"):
        with_requests(JSONLogin(url, ACCOUNT, **options))


@pytest.mark.parametrize("body", [b'{"code": 0}', b'{"code": 200}', b'{"code": "ok"}'])
def test_a_code_that_means_success_is_not_told_as_a_refusal(server: Server, body: bytes) -> None:
    url = answers(server, Answer(200, (), body))
    with pytest.raises(LoginUnavailable, match=r"; it has code$"):
        with_requests(JSONLogin(url, ACCOUNT))


def test_what_is_no_json_has_no_member(server: Server) -> None:
    url = answers(server, Answer(200, (("X-Auth-Token", "t0ken"),), b"<html>"))
    login = JSONLogin(
        url, ACCOUNT, token=from_header("X-Auth-Token"), headers={"A": from_json("csrf")}
    )
    with pytest.raises(LoginUnavailable, match="without the JSON member 'csrf'"):
        with_requests(login)


@pytest.mark.parametrize(
    ("found", "seconds"),
    [("600", 600), ("1.5", 1.5), (600, 600), (None, None), ("soon", None), (True, None)],
)
def test_the_lifetime_is_found_by_a_callable(server: Server, found: Any, seconds: Any) -> None:
    url = answers(server, Answer(200, (), TOKEN))
    assert with_requests(JSONLogin(url, ACCOUNT, expires_in=lambda _: found)).expires_in == seconds


def test_a_session_of_header_fields_alone_needs_no_cookie(server: Server) -> None:
    url = answers(server, Answer(200, (("X-Auth-Token", "t0ken"),)))
    login = JSONLogin(
        url, ACCOUNT, token=None, headers={"X-Auth-Token": from_header("X-Auth-Token")}
    )
    grant = with_requests(login)
    assert (grant.token, dict(grant.headers)) == (None, {"X-Auth-Token": "t0ken"})


@pytest.mark.parametrize(
    ("headers", "kind", "message"),
    [
        (["X-CSRF-Token"], TypeError, "^headers= must map header names to where"),
        ({"X-CSRF-Token": "abc"}, TypeError, "X-CSRF-Token must be from_header.* not str"),
        ({"bad name": from_cookie("a")}, ValueError, "'bad name' is not a valid header name"),
        ({7: from_cookie("a")}, TypeError, "a header name must be a str, not int"),
    ],
)
@pytest.mark.parametrize("login", [JSONLogin, FormLogin])
def test_headers_that_cannot_be_are_told_at_once(
    login: Any, headers: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        login("https://api.example.com/login", ACCOUNT, headers=headers)


@pytest.mark.parametrize("function", [from_cookie, from_header, from_json])
@pytest.mark.parametrize("name", ["", None])
def test_a_source_has_a_name(function: Any, name: Any) -> None:
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\) takes a name, such as"):
        function(name)


def test_the_challenge_of_a_401_may_be_for_a_field_at_any_depth(server: Server) -> None:
    def auth(request: Request) -> Answer:
        sent = json.loads(request.body) if request.body else {}
        is_right = sent == {"credentials": [{"hash": "c1-pa55"}]}
        body = b'{"access_token": "t0ken"}' if is_right else b""
        return Answer(200 if is_right else 401, (("X-Challenge", "c1"),), body)

    server.routes["/auth"] = auth
    url = f"{server.url}/auth"
    fields = {"credentials": [{"hash": lambda first: first.headers["X-Challenge"] + "-pa55"}]}
    assert with_requests(JSONLogin(url, fields, first=url)) == Grant("t0ken")
