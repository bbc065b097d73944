"""Logins over requests, httpx and httpx's asynchronous client, against a real server."""

import base64
import datetime as dt
import email.utils
import json
import threading
from collections.abc import Callable
from typing import get_type_hints
from urllib.parse import parse_qs

import pytest
import requests

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client import logins
from relogin.client.logins import BasicLogin, FormLogin, JSONLogin, from_header
from relogin.client.requests import SessionAuth
from relogin.client.signals import json_field
from tests.client.log_in import (
    ACCOUNT,
    PASSWORD,
    TOKEN,
    USER,
    WAYS,
    LogIn,
    answers,
    context,
    read_password,
    with_requests,
)
from tests.client.server import Answer, Request, Server, dribble, flood, serve

# JSON


def test_the_account_is_posted_as_json_and_the_token_granted(server: Server, log_in: LogIn) -> None:
    grant = log_in(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT))
    (request,) = server.requests
    assert grant == Grant(token="t0ken")
    assert (request.method, json.loads(request.body)) == ("POST", ACCOUNT)
    assert request.headers["Content-Type"] == "application/json"


def test_no_lifetime_is_looked_for_where_none_is_named(server: Server) -> None:
    url = answers(server, Answer(200, (), b'{"access_token": "t0ken", "expires_in": 60}'))
    assert with_requests(JSONLogin(url, ACCOUNT)).expires_in == 60
    assert with_requests(JSONLogin(url, ACCOUNT, expires_in=None)).expires_in is None


def test_the_account_is_posted_as_a_form_where_asked_for(server: Server) -> None:
    with_requests(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT, form=True))
    (request,) = server.requests
    assert parse_qs(request.body.decode()) == {"user": [USER], "password": [PASSWORD]}
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_the_token_may_lie_deeper_in_the_answer(server: Server) -> None:
    url = answers(server, Answer(200, (), b'{"a/b": [{"t": "t0ken"}]}'))
    assert with_requests(JSONLogin(url, ACCOUNT, token="/a~1b/0/t")) == Grant(token="t0ken")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        *[("600", 600), ("1.5", 1.5), ('"600"', 600), ('"1.5"', 1.5), ("0", 0)],
        *[("true", None), ("-1", None), ('"-1"', None), ("1e999", None), ("1" * 11, None)],
        *[('""', None), ('"6 h"', None), ('"2026-12-01"', None), ('"\u0663"', None), ("[1]", None)],
    ],
)
def test_a_number_in_expires_in_is_granted_even_as_text_and_nothing_else(
    server: Server, said: str, seconds: float | None
) -> None:
    url = answers(server, Answer(200, (), TOKEN[:-1] + f', "expires_in": {said}}}'.encode()))
    assert with_requests(JSONLogin(url, ACCOUNT)).expires_in == seconds


def test_a_lifetime_that_the_user_knows_is_granted(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN))
    assert with_requests(JSONLogin(url, ACCOUNT, expires_in=600)).expires_in == 600


def test_a_refresh_token_is_kept_where_asked_for(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN[:-1] + b', "again": "r3fresh"}'))
    assert with_requests(JSONLogin(url, ACCOUNT, refresh="again")).refresh == "r3fresh"
    assert with_requests(JSONLogin(url, ACCOUNT)).refresh is None


def test_the_cookies_that_the_login_set_are_granted_where_asked_for(
    server: Server, log_in: LogIn
) -> None:
    url = answers(server, Answer(200, (("Set-Cookie", "sid=c00kie"), ("Set-Cookie", "b=c")), TOKEN))
    grant = log_in(JSONLogin(url, ACCOUNT, cookies=True))
    assert grant is not None
    assert grant.token == "t0ken"
    assert {cookie.name: cookie.value for cookie in grant.cookies} == {"sid": "c00kie", "b": "c"}  # type: ignore[union-attr]


def test_a_cookie_that_the_client_had_before_is_not_granted(server: Server) -> None:
    url = answers(server, Answer(200, (("Set-Cookie", "sid=c00kie"),)))
    with requests.Session() as http:
        http.cookies.set("mine", "x", domain="127.0.0.1")
        grant = JSONLogin(url, ACCOUNT, token=None)(context(http))
    assert [cookie.name for cookie in grant.cookies] == ["sid"]  # type: ignore[union-attr]


def test_a_cookie_that_the_login_took_back_is_not_granted(server: Server) -> None:
    there = Answer(303, (("Set-Cookie", "guest=x"), ("Set-Cookie", "sid=c00kie"), ("Location", "")))
    url = answers(server, there, Answer(200, (("Set-Cookie", "guest=; Max-Age=0"),)))
    grant = with_requests(JSONLogin(url, ACCOUNT, token=None))
    assert [cookie.name for cookie in grant.cookies] == ["sid"]


def test_a_login_that_is_all_cookies_needs_one(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN))
    with pytest.raises(LoginUnavailable, match="without a cookie"):
        with_requests(JSONLogin(url, ACCOUNT, token=None))


# Refused, or unavailable


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_wrong_password_is_refused(server: Server, status: int) -> None:
    url = answers(server, Answer(status, (), b"no"))
    with pytest.raises(LoginRefused, match=f"/token answered {status}"):
        with_requests(JSONLogin(url, ACCOUNT))


@pytest.mark.parametrize("status", [302, 404, 408, 418, 429, 500, 502, 503, 599])
def test_all_other_failures_are_outages(server: Server, status: int) -> None:
    url = answers(server, Answer(status, (), TOKEN))
    with pytest.raises(LoginUnavailable, match=f"/token answered {status}"):
        with_requests(JSONLogin(url, ACCOUNT))


def test_who_says_when_to_come_again_has_not_refused(server: Server) -> None:
    url = answers(server, Answer(403, (("Retry-After", "7"),)))
    with pytest.raises(LoginUnavailable) as raised:
        with_requests(JSONLogin(url, ACCOUNT))
    assert raised.value.retry_after == 7


def http_date(seconds: float) -> str:
    return email.utils.format_datetime(
        dt.datetime(2001, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds),
        usegmt=True,
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "120"),), 120),
        ((("Retry-After", http_date(60)), ("Date", http_date(0))), 60),
        ((("Retry-After", "Mon Jan  1 00:01:00 2001"), ("Date", http_date(0))), 60),
        ((("Retry-After", http_date(0)), ("Date", http_date(60))), 0),
        ((("Retry-After", http_date(0)),), 0),
        ((("Retry-After", "soon"),), None),
        ((("Retry-After", "9" * 400),), None),
        ((("Retry-After", f"Mon, 01 Jan 2001 {'9' * 20}:00:00 GMT"),), None),
        ((), None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(
    server: Server, headers: tuple[tuple[str, str], ...], seconds: float | None
) -> None:
    url = answers(server, Answer(503, headers))
    with pytest.raises(LoginUnavailable) as raised:
        with_requests(JSONLogin(url, ACCOUNT))
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "without a string in 'access_token'"),
        (b"[]", "without a string in 'access_token'"),
        (b'{"access_token": ""}', "without a string in 'access_token'"),
        (b'{"access_token": 7}', "without a string in 'access_token'"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_outage(
    server: Server, body: bytes, message: str
) -> None:
    url = answers(server, Answer(200, (), body))
    with pytest.raises(LoginUnavailable, match=message):
        with_requests(JSONLogin(url, ACCOUNT))


def test_a_token_that_is_missing_is_told_with_the_names_that_came(server: Server) -> None:
    url = answers(server, Answer(200, (), b'{"data": {"token": "v4lue"}, "user": 1, "ok": true}'))
    for token, hint in (
        ("token", "'token'"),
        ("data/id", "'data/id' (a path begins with a slash: '/data/id')"),
    ):
        with pytest.raises(LoginUnavailable) as raised:
            with_requests(JSONLogin(url, ACCOUNT, token=token))
        message = f"/token answered 200 without a string in {hint}; it has data, ok"
        assert str(raised.value).endswith(message)  # "user" was sent, and is not shown


@pytest.mark.parametrize("returned", ["Bearer t0ken", "bearer t0ken"])
def test_a_token_that_comes_with_its_scheme_is_sent_with_one_scheme(
    server: Server, session: requests.Session, returned: str
) -> None:
    """Litestar gives it in Authorization, others in their JSON."""
    url = answers(server, Answer(201, (("Authorization", returned),), b"null"))
    server.routes["/orders"] = lambda request: Answer(
        200 if request.headers.get("Authorization") == "Bearer t0ken" else 401
    )
    login = JSONLogin(url, ACCOUNT, token=from_header("Authorization"))
    session.auth = SessionAuth(login)
    assert session.get(f"{server.url}/orders").status_code == 200


def test_a_coding_that_nobody_asked_for_is_named_if_it_cannot_be_read(
    server: Server, log_in: LogIn
) -> None:
    fields = (("Content-Type", "application/json"), ("Content-Encoding", "compress"))
    url = answers(server, Answer(200, fields, b"\x1f\x9d\x90{}"))
    with pytest.raises(LoginUnavailable, match="not JSON; its Content-Encoding is compress"):
        log_in(JSONLogin(url, ACCOUNT))


# Over trio, httpx leaves its own generators to the garbage collector.
@pytest.mark.parametrize("log_in", [WAYS[name] for name in ("requests", "httpx", "aiohttp")])
def test_content_that_is_not_in_its_coding_counts_as_a_response(
    server: Server, log_in: LogIn
) -> None:
    fields = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    url = answers(server, Answer(200, fields, b"{}"))
    with pytest.raises(LoginUnavailable, match=r"^http\S+ answered .*Content-Encoding"):
        log_in(JSONLogin(url, ACCOUNT))


def test_an_endless_answer_is_read_within_a_bound(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(200, (), flood()))
    with pytest.raises(LoginUnavailable, match="too long or incomplete"):
        log_in(JSONLogin(url, ACCOUNT))


def test_an_answer_that_comes_by_octets_is_read_within_the_time(
    server: Server, log_in: LogIn
) -> None:
    go_on = threading.Event()
    url = answers(server, Answer(200, (), dribble(go_on)()))
    with pytest.raises(LoginUnavailable):
        log_in(JSONLogin(url, ACCOUNT), timeout=0.3)
    go_on.set()


def test_a_server_that_does_not_answer_is_not_waited_for(server: Server, log_in: LogIn) -> None:
    go_on = threading.Event()
    server.login_gates.append(go_on)
    with pytest.raises(LoginUnavailable, match=r"no response from .*/login: "):
        log_in(JSONLogin(server.url + "/login", ACCOUNT), timeout=0.2)
    go_on.set()


def test_a_login_without_time_asks_nothing(server: Server, log_in: LogIn) -> None:
    with pytest.raises(LoginUnavailable, match="used up its time"):
        log_in(JSONLogin(server.url + "/login", ACCOUNT), timeout=0.0)
    assert server.requests == []


def test_a_server_that_is_not_there_is_an_outage_and_the_message_says_why(log_in: LogIn) -> None:
    with serve() as gone:
        url = gone.url
    with pytest.raises(LoginUnavailable, match=r"no response from .*/login: \[Errno") as raised:
        log_in(JSONLogin(f"{url}/login?key=k3y", ACCOUNT))
    assert "k3y" not in str(raised.value)


def test_the_user_may_say_what_else_means_a_wrong_password(server: Server) -> None:
    url = answers(server, Answer(200, (("Content-Type", "text/html"),), b'{"success": false}'))
    with pytest.raises(LoginRefused):
        with_requests(JSONLogin(url, ACCOUNT, refused=json_field("success", False)))


# Basic


def test_basic_sends_user_and_password_in_utf_8_and_grants_the_token(
    server: Server, log_in: LogIn
) -> None:
    url = answers(server, Answer(200, (), b'{"token": "t0ken"}'))
    assert log_in(BasicLogin(url, "Ådä", "s€cret:x", token="token")) == Grant(token="t0ken")
    (request,) = server.requests
    sent = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
    assert (request.method, request.body, sent.decode()) == ("POST", b"", "Ådä:s€cret:x")


def test_basic_may_get_the_token(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN))
    with_requests(BasicLogin(url, lambda: USER, read_password, method="GET"))
    assert server.requests[0].method == "GET"


def test_basic_takes_no_user_with_a_colon(server: Server) -> None:
    with pytest.raises(ValueError, match="colon"):
        BasicLogin(server.url, "a:b", PASSWORD)
    with pytest.raises(ValueError, match="colon"):
        with_requests(BasicLogin(server.url, lambda: "a:b", PASSWORD))
    assert server.requests == []


URL = "https://api.example.com/login"
MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "token": (lambda: JSONLogin(URL, ACCOUNT, token=5), "token= must be a name"),  # type: ignore[arg-type]
    "no token": (lambda: JSONLogin(URL, ACCOUNT, token=""), "token= must be .* not an empty str"),
    "refresh": (lambda: JSONLogin(URL, ACCOUNT, refresh=5), "refresh= must be a name"),  # type: ignore[arg-type]
    "location": (lambda: JSONLogin(URL, ACCOUNT, location=5), "location= must be a name"),  # type: ignore[arg-type]
    "no time": (lambda: JSONLogin(URL, ACCOUNT, expires_in=0), "expires_in= must be a number"),
    "time": (lambda: JSONLogin(URL, ACCOUNT, expires_in=True), "expires_in= must be .* not bool"),
    "cookies": (lambda: JSONLogin(URL, ACCOUNT, cookies="sid"), "cookies= must be True or False"),  # type: ignore[arg-type]
    "refused": (lambda: JSONLogin(URL, ACCOUNT, refused="error"), "refused= must be a plain"),  # type: ignore[arg-type]
    "password": (lambda: BasicLogin(URL, USER, 5), "password must be a str or a function, not int"),  # type: ignore[arg-type]
    "method": (lambda: BasicLogin(URL, USER, "", method="PO ST"), "method= must be an HTTP method"),
    "landing": (lambda: FormLogin(URL, ACCOUNT, landing="app"), "'app' is not an absolute URL"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_when_the_login_is_made(mistake: str) -> None:
    make, message = MISTAKES[mistake]
    with pytest.raises((TypeError, ValueError), match=message):
        make()


# With an adapter


def test_an_adapter_trusts_the_origin_of_its_login_and_renews(
    server: Server, session: requests.Session
) -> None:
    def token(request: Request) -> Answer:
        server.login_began.release()
        server.living = "t0ken"
        return Answer(200, (), TOKEN)

    server.routes["/token"] = token
    session.auth = SessionAuth(JSONLogin(f"{server.url}/token", ACCOUNT))
    assert session.get(f"{server.url}/a").status_code == 200


def test_an_adapter_never_sends_a_refused_password_again(
    server: Server, session: requests.Session
) -> None:
    session.auth = SessionAuth(JSONLogin(answers(server, Answer(403)), ACCOUNT))
    for _ in range(2):
        with pytest.raises(LoginRefused, match="answered 403"):
            session.get(f"{server.url}/a")
    assert len(server.seen("/token")) == 1


def test_an_adapter_says_why_its_login_could_not_be_done(
    server: Server, session: requests.Session
) -> None:
    url = answers(server, Answer(503, (("Retry-After", "30"),)))
    session.auth = SessionAuth(JSONLogin(url, ACCOUNT))
    with pytest.raises(LoginUnavailable, match=r"failed: .* answered 503") as raised:
        session.get(f"{server.url}/a")
    assert raised.value.retry_after == pytest.approx(30, abs=5)


@pytest.mark.parametrize("name", [name for name in logins.__all__ if name.endswith("Login")])
def test_the_types_of_a_login_can_be_read_while_the_program_runs(name: str) -> None:
    """As libraries that check types or make documentation do."""
    login = getattr(logins, name)
    assert get_type_hints(login.__init__).keys() <= get_type_hints(login).keys() | {"return"}
