"""What a login gets before its own request, and the header fields that this request has.

The servers are imitations of real ones, as their documentation describes them.
"""

from __future__ import annotations

import json
import operator
import pickle
import time
from base64 import b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
import requests

from relogin import Grant, LoginRefused, LoginUnavailable
from relogin.client.logins import (
    BasicLogin,
    FormLogin,
    JSONLogin,
    OneTime,
    from_cookie,
    from_header,
    from_json,
)
from relogin.client.logins.sources import sent_fields
from relogin.client.requests import SessionAuth
from relogin.client.signals import status
from tests.client.log_in import ACCOUNT, LogIn, with_requests
from tests.client.server import Answer, Request, Server

JSON = (("Content-Type", "application/json"),)


def cookie(name: str, value: str) -> tuple[str, str]:
    return ("Set-Cookie", f"{name}={value}; Path=/")


class Laravel:
    """Sanctum: a CSRF token in a cookie, percent-encoded, goes back in a header field."""

    def __init__(self, server: Server) -> None:
        self.url, self.csrf, self.visitor, self.living = server.url, "", "", ""
        server.routes["/sanctum/csrf-cookie"] = self.begin
        server.routes["/login"] = server.answers = self.answer
        self.first = f"{server.url}/sanctum/csrf-cookie"

    def login(self, password: str = "pa55") -> JSONLogin:
        token: Any = {"X-XSRF-TOKEN": from_cookie("XSRF-TOKEN")}
        fields = {"email": "ada@example.com", "password": password}
        return JSONLogin(
            f"{self.url}/login", fields, token=None, first=self.first, sends=token, headers=token
        )

    def _csrf(self) -> tuple[str, str]:
        self.csrf += "a="
        return cookie("XSRF-TOKEN", quote(self.csrf))

    def begin(self, _: Request) -> Answer:
        self.visitor += "v"
        return Answer(204, (self._csrf(), cookie("laravel_session", self.visitor)))

    def answer(self, request: Request) -> Answer:
        if request.path == "/sanctum/csrf-cookie":
            return self.begin(request)
        if request.path != "/login" and request.cookies.get("laravel_session") != self.living:
            return Answer(401, JSON, b'{"message": "Unauthenticated."}')
        if request.headers.get("X-XSRF-TOKEN") != self.csrf:
            return Answer(419, JSON, b'{"message": "CSRF token mismatch."}')
        if request.path != "/login":
            return Answer(200, JSON, b'{"id": 1}')
        if request.cookies["laravel_session"] != self.visitor:
            return Answer(419)
        if json.loads(request.body)["password"] != "pa55":
            return Answer(422, JSON, b'{"message": "These credentials do not match."}')
        self.living = f"s{len(self.csrf)}"
        return Answer(204, (self._csrf(), cookie("laravel_session", self.living)))


@pytest.fixture
def laravel(server: Server) -> Laravel:
    return Laravel(server)


def test_a_csrf_cookie_that_was_got_first_goes_with_the_login(
    laravel: Laravel, log_in: LogIn
) -> None:
    grant = log_in(laravel.login())
    assert grant is not None
    assert dict(grant.headers) == {"X-XSRF-TOKEN": laravel.csrf}


def test_a_write_after_each_death_gets_a_new_csrf_token(
    laravel: Laravel, session: requests.Session
) -> None:
    session.auth = SessionAuth(laravel.login())
    for _ in range(3):
        laravel.living = ""
        assert session.post(f"{laravel.url}/api/user").json() == {"id": 1}


def test_a_wrong_password_is_refused_as_ever(laravel: Laravel) -> None:
    with pytest.raises(LoginRefused, match="/login answered 422"):
        with_requests(laravel.login("wr0ng"))


def test_a_field_may_be_in_the_response_that_came_first(server: Server, log_in: LogIn) -> None:
    """As NextAuth has it, with the cookie that belongs to it."""
    began = Answer(200, (*JSON, cookie("csrf", "c1")), b'{"csrfToken": "c1"}')

    def answer(request: Request) -> Answer:
        fields = dict(parse_qsl(request.body.decode()))
        assert (fields["csrfToken"], request.cookies["csrf"]) == ("c1", "c1")
        return Answer(200, (*JSON, cookie("session", "1")), b"{}")

    server.routes |= {"/csrf": lambda _: began, "/in": answer}
    login = JSONLogin(
        f"{server.url}/in",
        {"username": "ada", "password": "pa55", "csrfToken": from_json("csrfToken")},
        form=True,
        token=None,
        first=f"{server.url}/csrf",
    )
    grant: Any = log_in(login)
    assert {one.name for one in grant.cookies} == {"csrf", "session"}


def test_a_function_may_find_a_field_in_the_response_that_came_first(
    server: Server, log_in: LogIn
) -> None:
    """A page that a script makes has the CSRF token where only a function finds it."""
    page = Answer(200, (("Content-Type", "text/html"),), b'<script>open({csrf: "c1"})</script>')
    server.routes["/page"] = lambda _: page
    server.routes["/in"] = lambda request: Answer(200, JSON, request.body)
    fields = {
        "access_token": [lambda answer: answer.text[21:23]],
        "key": key,
        "count": lambda *given: len(given),
    }
    login = JSONLogin(
        f"{server.url}/in",
        fields,
        first=f"{server.url}/page",
        token=lambda answer: json.dumps(answer.json()),
    )
    assert log_in(login) == Grant('{"access_token": ["c1"], "key": "k3y", "count": 0}')


def test_a_page_that_asks_for_the_same_fields_again_is_a_refusal(server: Server) -> None:
    """NextAuth redirects there, whose cookies look like a session."""
    page = b"<form method=post><input name=csrf><input name=user><input name=password></form>"
    again = Answer(200, (("Content-Type", "text/html"), cookie("csrf", "c2")), page)
    server.routes["/in"] = lambda _: Answer(302, (("Location", "/signin?error=1"),))
    server.routes["/signin?error=1"] = lambda _: again
    login = JSONLogin(f"{server.url}/in", ACCOUNT, form=True, token=None)
    with pytest.raises(LoginRefused, match="200 with a form that asks for the same"):
        with_requests(login)
    server.routes["/signin?error=1"] = lambda _: Answer(200, again.headers, b"<form>")
    assert with_requests(login)


@pytest.mark.parametrize(
    ("code", "error"), [(401, LoginRefused), (429, LoginUnavailable), (503, LoginUnavailable)]
)
def test_a_server_in_trouble_refuses_no_password_though_it_shows_its_form(
    server: Server, code: int, error: type[Exception]
) -> None:
    page = b"<form method=post><input name=user><input name=password></form>"
    server.routes["/signin"] = lambda _: Answer(code, (("Content-Type", "text/html"),), page)
    server.routes["/in"] = lambda _: Answer(302, (("Location", "/signin"),))
    for path in ("/signin", "/in"):
        with pytest.raises(error, match=f"answered {code}"):
            with_requests(JSONLogin(f"{server.url}{path}", ACCOUNT, form=True, token=None))


def test_basic_asks_for_a_csrf_token_as_sap_wants_it(
    server: Server, session: requests.Session
) -> None:
    account = "Basic " + b64encode(b"ada:pa55").decode()

    def sap(request: Request) -> Answer:
        if request.headers.get("Authorization") == account:
            assert request.headers["X-CSRF-Token"] == "Fetch"
            return Answer(200, (("x-csrf-token", "c1"), cookie("SAP_SESSIONID", "1")), b"{}")
        known = request.cookies.get("SAP_SESSIONID"), request.headers.get("X-CSRF-Token")
        return Answer(200 if known == ("1", "c1") else 403)

    server.answers = sap
    login = BasicLogin(
        f"{server.url}/odata",
        "ada",
        "pa55",
        method="GET",
        token=None,
        cookies=True,
        sends={"X-CSRF-Token": "Fetch"},
        headers={"X-CSRF-Token": from_header("X-CSRF-Token")},
    )
    session.auth = SessionAuth(login, signals=[status(403)], replay_any_method=True)
    assert session.post(f"{server.url}/odata/orders").status_code == 200


def key() -> str:
    return "k3y"


def test_a_function_for_a_header_field_is_called_at_each_login(server: Server) -> None:
    server.routes["/in"] = lambda request: Answer(
        200, JSON, json.dumps({"access_token": request.headers["X-Api-Key"]}).encode()
    )
    login = JSONLogin(f"{server.url}/in", {"user": "ada"}, sends={"X-Api-Key": key})
    assert with_requests(login) == Grant("k3y")
    assert with_requests(pickle.loads(pickle.dumps(login))) == Grant("k3y")


def test_a_function_is_called_beside_a_field_of_the_response_that_came_first(
    server: Server, log_in: LogIn
) -> None:
    """What takes a response is given that; what takes nothing, as a `OneTime`, is called."""
    sends: dict[str, Any] = {
        "X-Api-Key": key,
        "X-OTP": OneTime(lambda: "123"),
        "X-CSRF": from_json("csrf"),
        "X-Status": lambda answer: f"{answer.status}",
        "X-Text": operator.attrgetter("text"),
        "X-Count": lambda *given: f"{len(given)}",
    }
    server.routes["/csrf"] = lambda _: Answer(200, JSON, b'{"csrf": "c1"}')
    server.routes["/in"] = lambda request: Answer(
        200,
        JSON,
        json.dumps({"access_token": "+".join(request.headers[n] for n in sends)}).encode(),
    )
    login = JSONLogin(f"{server.url}/in", {"user": "ada"}, first=f"{server.url}/csrf", sends=sends)
    assert log_in(login) == Grant('k3y+123+c1+200+{"csrf": "c1"}+1')


def test_a_function_whose_signature_is_not_known_is_called_too() -> None:
    began = sent_fields({"X-Began": time.ctime}, None)
    assert began["X-Began"].startswith(time.ctime()[:3])


@pytest.mark.parametrize("sends", [{"X-Api-Key": "k3y"}, {"x-csrf-token": "k3y"}])
def test_a_literal_key_is_not_pickled(sends: Any) -> None:
    login = JSONLogin("https://api.example.com/login", {"user": "ada"}, sends=sends)
    with pytest.raises(pickle.PicklingError, match="contains a password"):
        pickle.dumps(login)


def test_what_gives_nobody_a_session_is_pickled() -> None:
    sends: Any = {"X-CSRF-Token": "Fetch", "X-Requested-With": "XMLHttpRequest"}
    login = BasicLogin("https://api.example.com/login", "ada", key, sends=sends)
    assert pickle.loads(pickle.dumps(login)).sends == sends


class Router:
    """It asks for a hash of the password with a challenge, which its first response has."""

    def __init__(self, server: Server, status: int = 200, form: bool = False) -> None:
        self.server, self.status, self.number = server, status, 0
        server.routes["/auth"] = self.page if form else self.auth

    @property
    def challenge(self) -> str:
        return f"c{self.number}"

    def takes(self, hashed: str) -> bool:
        return hashed == sha256(f"{self.challenge}pa55".encode()).hexdigest()

    def auth(self, request: Request) -> Answer:
        if request.method == "POST":
            fields = json.loads(request.body)
            if not (fields["login"] == "ada" and self.takes(fields["password"])):
                return Answer(401)
            return Answer(200, JSON, b'{"access_token": "t0ken"}')
        self.number += 1
        return Answer(self.status, (("X-Challenge", self.challenge),))

    def page(self, request: Request) -> Answer:
        if request.method == "POST":
            taken = self.takes(dict(parse_qsl(request.body.decode()))["password"])
            return Answer(200, (("Set-Cookie", "sid=1"),)) if taken else Answer(401)
        self.number += 1
        body = f"<form method=post><input name=salt value={self.challenge}><input name=password>"
        return Answer(200, (("Content-Type", "text/html"),), body.encode())


def hashed(first: Any) -> str:
    return sha256(f"{first.headers['X-Challenge']}pa55".encode()).hexdigest()


@pytest.mark.parametrize("status", [200, 401])
def test_a_password_may_be_hashed_with_a_challenge_of_the_first_response(
    server: Server, log_in: LogIn, status: int
) -> None:
    """Routers ask for this, some of them with a 401."""
    url = f"{Router(server, status).server.url}/auth"
    login = JSONLogin(url, {"login": "ada", "password": hashed}, first=url)
    assert log_in(login)
    assert log_in(login)


def test_a_hash_of_a_wrong_password_is_refused(server: Server) -> None:
    url = f"{Router(server).server.url}/auth"
    login = JSONLogin(url, {"login": "ada", "password": lambda _: "wr0ng"}, first=url)
    with pytest.raises(LoginRefused):
        with_requests(login)


def test_a_form_may_have_what_the_password_is_hashed_with(server: Server, log_in: LogIn) -> None:
    def hashed_with_salt(page: Any) -> str:
        salt = page.text.partition("value=")[2].partition(">")[0]
        return sha256(f"{salt}pa55".encode()).hexdigest()

    url = f"{Router(server, form=True).server.url}/auth"
    assert log_in(FormLogin(url, {"password": hashed_with_salt}))


# What goes wrong


@pytest.mark.parametrize("fields", [{"login": "ada"}, {"password": hashed}])
def test_a_first_response_that_is_refused_and_lacks_what_is_needed_is_an_outage(
    server: Server, fields: dict[str, Any]
) -> None:
    server.routes["/csrf"] = lambda _: Answer(401)

    def found(first: Any) -> Any:
        return first.headers.get("X-Challenge")

    given = {name: found if callable(value) else value for name, value in fields.items()}
    login = JSONLogin(f"{server.url}/login", given, first=f"{server.url}/csrf")
    with pytest.raises(LoginUnavailable, match="/csrf answered 401"):
        with_requests(login)
    assert len(server.requests) == 1


def test_what_comes_first_and_fails_refuses_no_password(server: Server) -> None:
    server.routes["/csrf"] = lambda _: Answer(403)
    login = JSONLogin(f"{server.url}/login", {}, first=f"{server.url}/csrf")
    with pytest.raises(LoginUnavailable, match="/csrf answered 403"):
        with_requests(login)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sends": {"X-CSRF": from_cookie("csrf")}}, "without the cookie 'csrf'"),
        ({"fields": {"csrf": from_json("csrf")}}, "without the JSON member 'csrf'"),
    ],
)
def test_what_the_first_response_lacks_is_named(
    server: Server, options: dict[str, Any], message: str
) -> None:
    server.routes["/csrf"] = lambda _: Answer(200, JSON, b"{}")
    login = JSONLogin(
        **{"url": f"{server.url}/login", "fields": {}, "first": f"{server.url}/csrf"} | options
    )
    with pytest.raises(LoginUnavailable, match=message):
        with_requests(login)


@pytest.mark.parametrize("source", [from_json("csrf"), lambda answer: answer.text])
def test_a_field_of_a_response_that_nobody_got_is_told(source: Any) -> None:
    login = JSONLogin("https://api.example.com/login", lambda: {"csrf": source})
    with pytest.raises(LoginUnavailable, match="csrf is looked for in a response: pass first="):
        with_requests(login)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"sends": ["X-Api-Key"]}, TypeError, "sends= must be a mapping of header names, not list"),
        ({"sends": {"X Key": "1"}}, ValueError, "sends="),
        ({"sends": {"X-Key": "a\nb"}}, ValueError, "value of X-Key cannot be sent"),
        ({"sends": {"X-Key": 7}}, TypeError, "X-Key must be a str, a function or from_"),
        ({"sends": {"X-Key": from_json("k")}}, ValueError, "X-Key is looked for in a response"),
        ({"sends": {"X-Key": lambda _: ""}}, ValueError, "X-Key is looked for in a response"),
        ({"fields": {"csrf": from_json("k")}}, ValueError, "csrf is looked for in a response"),
        ({"fields": {"a": {"pw": hashed}}}, ValueError, "pw is looked for in a response"),
        ({"first": "https://www.example.com/csrf"}, ValueError, "first= must be on the server of"),
        ({"first": "https://ada:s3cret@api.example.com/"}, ValueError, "first= must not contain a"),
    ],
)
def test_wrong_options_are_told_when_the_login_is_made(
    options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        JSONLogin(**{"url": "https://api.example.com/login", "fields": {}} | options)
