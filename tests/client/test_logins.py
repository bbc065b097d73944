"""Logins over requests, httpx and httpx's asynchronous client, against a real server."""

import base64
import datetime as dt
import email.utils
import json
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx
import pytest
import requests

from reauth import Grant, LoginRefused, LoginUnavailable
from reauth.client.grant import Context
from reauth.client.logins import BasicLogin, FormLogin, JSONLogin
from reauth.client.requests import SessionAuth
from reauth.client.signals import json_field
from tests.client.server import Answer, Request, Server, dribble, flood, serve

USER = "ada"
PASSWORD = "pa55word-that-nobody-may-see"
ACCOUNT = {"user": USER, "password": PASSWORD}
TOKEN = b'{"access_token": "t0ken"}'

LogIn = Callable[..., Grant | None]


def context(http: Any, timeout: float = 5.0) -> Context:
    return Context(
        challenge=None,
        error=None,
        realm="",
        method="GET",
        url="",
        timeout=timeout,
        open_http=lambda: http,
    )


def over_requests(login: Any, timeout: float = 5.0) -> Any:
    with requests.Session() as http:
        return login(context(http, timeout))


def over_httpx(login: Any, timeout: float = 5.0) -> Any:
    with httpx.Client() as http:
        return login(context(http, timeout))


def over_async_httpx(backend: str) -> LogIn:
    def log_in(login: Any, timeout: float = 5.0) -> Any:
        async def main() -> Any:
            async with httpx.AsyncClient() as http:
                return await login.acall(context(http, timeout))

        return anyio.run(main, backend=backend)

    return log_in


@pytest.fixture(
    params=[over_requests, over_httpx, over_async_httpx("asyncio"), over_async_httpx("trio")],
    ids=["requests", "httpx", "asyncio", "trio"],
)
def log_in(request: pytest.FixtureRequest) -> LogIn:
    chosen: LogIn = request.param
    return chosen


def answers(server: Server, *given: Answer, path: str = "/token") -> str:
    """Have a path answer with these, the last one for ever."""
    left = list(given)

    def answer(request: Request) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    server.routes[path] = answer
    return server.url + path


def read_password() -> str:
    return PASSWORD


def read_account() -> dict[str, str]:
    return ACCOUNT


# JSON


def test_the_account_is_posted_as_json_and_the_token_granted(server: Server, log_in: LogIn) -> None:
    grant = log_in(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT))
    (request,) = server.requests
    assert grant == Grant(token="t0ken")
    assert (request.method, json.loads(request.body)) == ("POST", ACCOUNT)
    assert request.headers["Content-Type"] == "application/json"


def test_the_account_is_posted_as_a_form_where_asked_for(server: Server) -> None:
    over_requests(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT, form=True))
    (request,) = server.requests
    assert parse_qs(request.body.decode()) == {"user": [USER], "password": [PASSWORD]}
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_the_token_may_lie_deeper_in_the_answer(server: Server) -> None:
    url = answers(server, Answer(200, (), b'{"a/b": [{"t": "t0ken"}]}'))
    assert over_requests(JSONLogin(url, ACCOUNT, token="/a~1b/0/t")) == Grant(token="t0ken")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("600", 600), ("1.5", 1.5), ("true", None), ('"600"', None), ("-1", None), ("1e999", None)],
)
def test_a_number_in_expires_in_is_granted_and_nothing_else(
    server: Server, said: str, seconds: float | None
) -> None:
    url = answers(server, Answer(200, (), TOKEN[:-1] + f', "expires_in": {said}}}'.encode()))
    assert over_requests(JSONLogin(url, ACCOUNT)).expires_in == seconds


def test_a_refresh_token_is_kept_where_asked_for(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN[:-1] + b', "again": "r3fresh"}'))
    assert over_requests(JSONLogin(url, ACCOUNT, refresh="again")).refresh == "r3fresh"
    assert over_requests(JSONLogin(url, ACCOUNT)).refresh is None


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
    grant = over_requests(JSONLogin(url, ACCOUNT, token=None))
    assert [cookie.name for cookie in grant.cookies] == ["sid"]


def test_a_login_that_is_all_cookies_needs_one(server: Server) -> None:
    url = answers(server, Answer(200, (), TOKEN))
    with pytest.raises(LoginUnavailable, match="without a cookie"):
        over_requests(JSONLogin(url, ACCOUNT, token=None))


# Refused, or unavailable


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_wrong_password_is_refused(server: Server, status: int) -> None:
    url = answers(server, Answer(status, (), b"no"))
    with pytest.raises(LoginRefused, match=f"/token answered {status}"):
        over_requests(JSONLogin(url, ACCOUNT))


@pytest.mark.parametrize("status", [302, 404, 408, 418, 429, 500, 502, 503, 599])
def test_all_other_failures_are_outages(server: Server, status: int) -> None:
    url = answers(server, Answer(status, (), TOKEN))
    with pytest.raises(LoginUnavailable, match=f"/token answered {status}"):
        over_requests(JSONLogin(url, ACCOUNT))


def test_who_says_when_to_come_again_has_not_refused(server: Server) -> None:
    url = answers(server, Answer(403, (("Retry-After", "7"),)))
    with pytest.raises(LoginUnavailable) as raised:
        over_requests(JSONLogin(url, ACCOUNT))
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
        ((), None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(
    server: Server, headers: tuple[tuple[str, str], ...], seconds: float | None
) -> None:
    url = answers(server, Answer(503, headers))
    with pytest.raises(LoginUnavailable) as raised:
        over_requests(JSONLogin(url, ACCOUNT))
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "without a text in 'access_token'"),
        (b"[]", "without a text in 'access_token'"),
        (b'{"access_token": ""}', "without a text in 'access_token'"),
        (b'{"access_token": 7}', "without a text in 'access_token'"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_outage(
    server: Server, body: bytes, message: str
) -> None:
    url = answers(server, Answer(200, (), body))
    with pytest.raises(LoginUnavailable, match=message):
        over_requests(JSONLogin(url, ACCOUNT))


def test_an_endless_answer_is_read_within_a_bound(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(200, (), flood()))
    with pytest.raises(LoginUnavailable, match="with more than a login says"):
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
    with pytest.raises(LoginUnavailable, match=r"no answer from .*/login: "):
        log_in(JSONLogin(server.url + "/login", ACCOUNT), timeout=0.2)
    go_on.set()


def test_a_login_without_time_asks_nothing(server: Server, log_in: LogIn) -> None:
    with pytest.raises(LoginUnavailable, match="used up its time"):
        log_in(JSONLogin(server.url + "/login", ACCOUNT), timeout=0.0)
    assert server.requests == []


def test_a_server_that_is_not_there_is_an_outage_and_the_message_says_why(log_in: LogIn) -> None:
    with serve() as gone:
        url = gone.url
    with pytest.raises(LoginUnavailable, match=r"no answer from .*/login: \[Errno") as raised:
        log_in(JSONLogin(f"{url}/login?key=k3y", ACCOUNT))
    assert "k3y" not in str(raised.value)


def test_the_user_may_say_what_else_means_a_wrong_password(server: Server) -> None:
    url = answers(server, Answer(200, (("Content-Type", "text/html"),), b'{"success": false}'))
    with pytest.raises(LoginRefused):
        over_requests(JSONLogin(url, ACCOUNT, refused=json_field("success", False)))


# Redirects


def test_307_within_the_origin_takes_the_account_along(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(307, (("Location", "/there"),)))
    answers(server, Answer(200, (), TOKEN), path="/there")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")
    assert server.requests[0].body == server.requests[1].body


def test_303_within_the_origin_becomes_a_get_without_the_account(
    server: Server, log_in: LogIn
) -> None:
    url = answers(server, Answer(303, (("Location", "there?a=b"),)))
    answers(server, Answer(200, (), TOKEN), path="/there?a=b")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")
    second = server.requests[1]
    assert (second.method, second.body, second.headers["Content-Type"]) == ("GET", b"", None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused(
    server: Server, log_in: LogIn, status: int
) -> None:
    url = answers(server, Answer(status, (("Location", f"{server.other_host}/token"),)))
    with pytest.raises(LoginUnavailable, match="another origin"):
        log_in(JSONLogin(url, ACCOUNT))
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["mailto:a@b.example", "//[", "https://127.0.0.1/", "//x/"])
def test_a_redirect_that_leads_nowhere_is_refused(
    server: Server, log_in: LogIn, location: str
) -> None:
    url = answers(server, Answer(307, (("Location", location),)))
    with pytest.raises(LoginUnavailable):
        log_in(JSONLogin(url, ACCOUNT))
    assert len(server.requests) == 1


def test_redirects_without_end_are_an_outage(server: Server) -> None:
    url = answers(server, Answer(303, (("Location", "/token"),)))
    with pytest.raises(LoginUnavailable, match="redirects without end"):
        over_requests(JSONLogin(url, ACCOUNT))


def test_the_body_of_a_redirect_is_read_within_a_bound(server: Server, log_in: LogIn) -> None:
    url = answers(server, Answer(303, (("Location", "/there"),), flood()))
    answers(server, Answer(200, (), TOKEN), path="/there")
    assert log_in(JSONLogin(url, ACCOUNT)) == Grant(token="t0ken")


# Whose credentials


def test_netrc_is_not_asked(
    server: Server, log_in: LogIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    log_in(JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT))
    assert server.requests[0].headers["Authorization"] is None


@pytest.mark.parametrize("kind", [requests.Session, httpx.Client])
def test_what_the_client_itself_would_sign_with_is_not_sent(server: Server, kind: Any) -> None:
    with kind() as http:
        http.auth = ("eve", "secret")
        JSONLogin(answers(server, Answer(200, (), TOKEN)), ACCOUNT)(context(http))
    assert server.requests[0].headers["Authorization"] is None


@pytest.mark.parametrize(
    "account",
    [
        {"user": USER, "password": read_password},
        {"user": lambda: USER, "password": read_password},
        read_account,
    ],
)
def test_a_password_may_be_asked_for_when_it_is_needed(server: Server, account: Any) -> None:
    over_requests(JSONLogin(answers(server, Answer(200, (), TOKEN)), account))
    assert json.loads(server.requests[0].body) == ACCOUNT


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
    over_requests(BasicLogin(url, lambda: USER, read_password, method="GET"))
    assert server.requests[0].method == "GET"


def test_basic_takes_no_user_with_a_colon(server: Server) -> None:
    with pytest.raises(ValueError, match="colon"):
        over_requests(BasicLogin(server.url, "a:b", PASSWORD))
    assert server.requests == []


# What a login holds, and shows


@pytest.mark.parametrize(
    "login",
    [
        JSONLogin("https://api.example.com/login?key=k3y", ACCOUNT),
        FormLogin("https://api.example.com/login#k3y", ACCOUNT),
        BasicLogin("https://api.example.com/login", USER, PASSWORD),
    ],
    ids=lambda login: type(login).__name__,
)
class TestLiteralPassword:
    def test_no_repr_shows_it(self, login: Any) -> None:
        assert repr(login) == f"<{type(login).__name__} https://api.example.com/login>"

    def test_nothing_pickles_it_and_the_message_names_what_can_be(self, login: Any) -> None:
        with pytest.raises(pickle.PicklingError, match="a callable that returns the password"):
            pickle.dumps(login)

    def test_no_adapter_pickles_it(self, login: Any) -> None:
        with pytest.raises(pickle.PicklingError, match="a callable that returns the password"):
            pickle.dumps(SessionAuth(login))


@pytest.mark.parametrize("account", [read_account, {"user": USER, "password": read_password}])
def test_a_login_that_asks_for_its_password_is_pickled_without_it(
    server: Server, account: Any
) -> None:
    login = JSONLogin(answers(server, Answer(200, (), TOKEN)), account)
    pickled = pickle.dumps(login)
    assert PASSWORD.encode() not in pickled
    assert over_requests(pickle.loads(pickled)) == Grant(token="t0ken")
    assert json.loads(server.requests[0].body) == ACCOUNT


@pytest.mark.parametrize("kind", [JSONLogin, FormLogin])
def test_a_url_that_is_not_https_is_refused_unless_asked_for(kind: Any) -> None:
    with pytest.raises(ValueError, match="insecure=True"):
        kind("http://api.example.com/login", ACCOUNT)
    assert kind("http://api.example.com/login", ACCOUNT, insecure=True)


def test_a_url_with_a_password_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="stand apart"):
        JSONLogin("https://ada:secret@api.example.com/login", {})


def test_fields_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(TypeError, match="a mapping, or a callable that returns one; not str"):
        JSONLogin("https://api.example.com/login", "ada")  # type: ignore[arg-type]


def test_a_callable_that_returns_no_mapping_is_refused() -> None:
    with pytest.raises(TypeError, match="returns a mapping, not str"):
        over_requests(JSONLogin("https://api.example.com/login", read_password))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [Answer(401, (), PASSWORD.encode()), Answer(500), Answer(200, (), PASSWORD.encode())],
    ids=["refused", "unavailable", "senseless"],
)
def test_no_failure_holds_the_password(server: Server, log_in: LogIn, answer: Answer) -> None:
    with pytest.raises((LoginRefused, LoginUnavailable)) as raised:
        log_in(JSONLogin(answers(server, answer), ACCOUNT))
    assert PASSWORD not in str(raised.value)
    assert PASSWORD not in repr(raised.value.__cause__)
    for error in (raised.value, raised.value.__cause__):
        assert PASSWORD.encode() not in pickle.dumps(error)


def test_the_failure_to_connect_does_not_hold_the_request(log_in: LogIn) -> None:
    with serve() as gone:
        url = gone.url
    with pytest.raises(LoginUnavailable) as raised:
        log_in(JSONLogin(url, ACCOUNT))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


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
