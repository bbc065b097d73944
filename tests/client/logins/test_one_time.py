"""One-time codes: none is sent twice, and one that was refused does not block a login for ever."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import (
    BasicLogin,
    FormLogin,
    JSONLogin,
    OAuth2Login,
    OneTime,
    from_json,
    one_time,
)
from relogin.client.logins.one_time import new_codes
from relogin.client.logins.request import Pause
from relogin.client.requests import SessionAuth
from relogin.client.signals import json_field
from relogin.client.terms.answer import Answer as Refusal
from tests.client.log_in import LogIn, context, with_requests
from tests.client.server import Answer, Request, Server

HTML = (("Content-Type", "text/html"),)
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the next code without sleeping; each look at the clock counts."""
    monkeypatch.setattr(one_time, "_POLL", 0.001)


class Site:
    """Asks for the password, then for a code, or for both at once as JSON; takes no code twice."""

    def __init__(self, server: Server) -> None:
        self.server, self.url = server, server.url
        self.codes: list[str] = []
        self.used = {"000"}
        server.routes |= {"/in": self.first, "/code": self.second, "/json": self.both}
        server.routes |= {"/both": self.form, "/basic": self.basic}
        server.routes["/orders"] = self.orders

    def login(self, code: Any, password: str = "pa55", **more: Any) -> FormLogin:
        return FormLogin(f"{self.url}/in", [{"password": password}, {"code": code, **more}])

    def first(self, request: Request) -> Answer:
        if dict(parse_qsl(request.body.decode())).get("password") == "pa55":
            return Answer(303, (("Location", "/code"),))
        return Answer(200, HTML, b"<form method=post><input type=password name=password></form>")

    def second(self, request: Request) -> Answer:
        if request.method == "POST" and self.takes(dict(parse_qsl(request.body.decode()))["code"]):
            return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")
        page = b"<form method=post action=/code><input name=code><input type=checkbox name=trust>"
        return Answer(200, HTML, page)

    def both(self, request: Request) -> Answer:
        fields = json.loads(request.body)
        return self.answered(fields["password"], fields["code"])

    def basic(self, request: Request) -> Answer:
        account = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        return self.answered(account.decode().partition(":")[2], request.headers["X-OTP"])

    def answered(self, password: str, code: str) -> Answer:
        granted = self.takes(code) and password == "pa55"
        return Answer(200 if granted else 401, JSON, b'{"access_token": "t0ken"}')

    def form(self, request: Request) -> Answer:
        fields = dict(parse_qsl(request.body.decode()))
        if fields and self.answered(fields["password"], fields["code"]).status == 200:
            return Answer(200, (*HTML, ("Set-Cookie", "sid=1; Path=/")), b"hello")
        return Answer(200, HTML, b"<form method=post><input name=password><input name=code>")

    def takes(self, code: str) -> bool:
        self.codes.append(code)
        is_new = code not in self.used
        self.used.add(code)
        return is_new

    def orders(self, request: Request) -> Answer:
        return Answer(200 if "sid" in request.cookies else 401)


@pytest.fixture
def site(server: Server) -> Site:
    return Site(server)


def codes(*given: str) -> OneTime:
    """Codes as an app shows them: each comes several times."""
    shown: Iterator[str] = iter([code for code in given for _ in range(3)])
    return OneTime(lambda: next(shown))


def test_a_login_waits_for_a_code_that_was_not_sent_before(site: Site, log_in: LogIn) -> None:
    login = site.login(codes("111", "222"))
    assert log_in(login)
    assert log_in(login)
    assert site.codes == ["111", "222"]


def test_a_login_with_json_waits_too_and_at_any_depth(site: Site, log_in: LogIn) -> None:
    nested: Any = [{"never": codes("9")}]
    login = JSONLogin(
        f"{site.url}/json", {"password": "pa55", "code": codes("111", "222"), "more": nested}
    )
    assert log_in(login)
    login = replace(login, fields={**login.fields, "more": None})  # type: ignore[dict-item]
    assert log_in(login)
    assert site.codes == ["111", "222"]


def test_a_login_waits_no_longer_than_it_may_take() -> None:
    code = OneTime(lambda: "111")
    assert code() == "111"
    pauses = [step.seconds for step in new_codes({"code": code}, 0.01) if isinstance(step, Pause)]
    assert sum(pauses) == pytest.approx(0.01, abs=0.001)
    with pytest.raises(LoginUnavailable, match="sent before, and the next") as caught:
        code()
    assert caught.value.retry_after == 5


def test_a_login_that_cannot_wait_sends_no_code_twice(server: Server) -> None:
    server.routes["/basic"] = lambda _: Answer(200, JSON, b'{"access_token": "t0ken"}')
    login = BasicLogin(f"{server.url}/basic", "ada", codes("111", "222"))
    assert with_requests(login)
    with pytest.raises(LoginUnavailable, match="sent before"):
        with_requests(login)
    assert len(server.requests) == 1


def test_a_code_is_asked_for_only_when_its_page_has_come(site: Site) -> None:
    def code() -> str:
        raise AssertionError("it was not asked for")

    with pytest.raises(LoginRefused, match="with the form again"):
        with_requests(site.login(OneTime(code), "wr0ng"))


# A code that is refused


def test_the_next_code_is_tried_after_one_that_was_refused(
    site: Site, session: requests.Session
) -> None:
    """As when a program starts again within half a minute."""
    session.auth = auth = SessionAuth(site.login(codes("000", "111")))
    with pytest.raises(LoginUnavailable, match="with the form again: the next one-time") as caught:
        session.get(f"{site.url}/orders")
    assert caught.value.retry_after == pytest.approx(30, abs=1)
    now = auth._cache.clock
    auth._cache.clock = lambda: now() + 31
    assert session.get(f"{site.url}/orders").status_code == 200


def test_a_second_code_that_is_refused_is_final(site: Site, session: requests.Session) -> None:
    """A third one might lock the account."""
    site.used |= {"111", "222"}
    session.auth = auth = SessionAuth(site.login(codes("000", "111", "222")))
    now, later = auth._cache.clock, 0
    auth._cache.clock = lambda: now() + later
    for error in (LoginUnavailable, LoginRefused, LoginRefused):
        with pytest.raises(error):
            session.get(f"{site.url}/orders")
        later += 1000
    assert site.codes == ["000", "111"]


def test_nothing_is_sent_again_if_the_password_may_be_wrong(site: Site) -> None:
    login = JSONLogin(f"{site.url}/json", {"password": "wr0ng", "code": codes("111")})
    with pytest.raises(LoginRefused):
        with_requests(login)


@pytest.fixture(params=["form", "json", "basic"])
def at_once_with(request: pytest.FixtureRequest, site: Site) -> Callable[..., Any]:
    """A login that sends the password and a code in one request."""

    def make(code: OneTime, password: Any = "pa55") -> Any:
        if request.param == "form":
            return FormLogin(f"{site.url}/both", {"password": password, "code": code})
        if request.param == "json":
            return JSONLogin(f"{site.url}/json", {"password": password, "code": code})
        sends: Any = {"X-OTP": code}
        return BasicLogin(f"{site.url}/basic", "ada", password, sends=sends)

    return make


def test_a_code_beside_a_password_that_was_accepted_before_is_to_blame(
    site: Site, at_once_with: Callable[..., Any]
) -> None:
    site.used |= {"222", "444"}
    login = at_once_with(OneTime(iter(["111", "222", "333", "444"]).__next__))
    assert with_requests(login)
    with pytest.raises(LoginUnavailable, match="the next one-time code is tried once") as caught:
        with_requests(login)
    assert caught.value.retry_after == 30
    assert with_requests(login)
    with (
        pytest.raises(LoginRefused, match=r"401$|with the form again$"),
        requests.Session() as http,
    ):
        login(replace(context(http), attempt=2))
    assert site.codes == ["111", "222", "333", "444"]


def test_a_csrf_token_that_is_new_each_time_is_no_other_password(site: Site) -> None:
    tokens = count()
    site.server.routes["/csrf"] = lambda _: Answer(200, JSON, b'{"csrf": "%d"}' % next(tokens))
    site.used.add("222")
    fields = {"password": "pa55", "code": OneTime(iter(["111", "222"]).__next__)}
    login = JSONLogin(
        f"{site.url}/json", fields | {"csrf": from_json("csrf")}, first=f"{site.url}/csrf"
    )
    assert with_requests(login)
    with pytest.raises(LoginUnavailable, match="the next one-time code is tried once"):
        with_requests(login)


def test_another_password_than_was_accepted_before_is_sent_once(
    site: Site, at_once_with: Callable[..., Any]
) -> None:
    passwords = iter(["pa55", "wr0ng"])
    login = at_once_with(OneTime(iter(["111", "222"]).__next__), lambda: next(passwords))
    assert with_requests(login)
    with pytest.raises(LoginRefused):
        with_requests(login)


@pytest.mark.parametrize(
    ("blamed", "error"), [("invalid_otp", LoginUnavailable), ("invalid_password", LoginRefused)]
)
def test_a_function_says_whether_the_code_is_to_blame(
    site: Site, blamed: str, error: type[Exception]
) -> None:
    said = json.dumps({"error": blamed}).encode()
    site.server.routes["/json"] = lambda _: Answer(401, JSON, said)
    code = OneTime(lambda: "111", refused=json_field("error", "invalid_otp"))
    with pytest.raises(error):
        with_requests(JSONLogin(f"{site.url}/json", {"password": "pa55", "code": code}))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"trust": True}, LoginUnavailable),
        ({"trust": "on"}, LoginRefused),  # it may be a secret, for all that we know
    ],
)
def test_a_page_with_another_secret_is_refused_for_good(
    site: Site, more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        with_requests(site.login(codes("000"), **more))
    harmless = FormLogin(
        f"{site.url}/in",
        [{"password": "pa55"}, {"code": codes("000"), "trust": "on"}],
        harmless=["trust"],
    )
    with pytest.raises(LoginUnavailable), requests.Session() as http:
        harmless(context(http))


# What else could send one twice


def answered_502(site: Site, path: str) -> None:
    """Take the code, as a proxy does that loses the response of the server behind it."""
    taking = site.server.routes[path]

    def lose(request: Request) -> Answer:
        answer = taking(request)
        return answer if request.method == "GET" else Answer(502)

    site.server.routes[path] = lose


def test_a_code_is_sent_once_even_if_a_proxy_lost_the_response(site: Site, log_in: LogIn) -> None:
    for path, login in (
        ("/code", site.login(codes("111"))),
        ("/json", JSONLogin(f"{site.url}/json", {"password": "pa55", "code": codes("222")})),
    ):
        answered_502(site, path)
        with pytest.raises(LoginUnavailable, match="answered 502"):
            log_in(login)
    assert site.codes == ["111", "222"]


def test_so_is_one_in_a_header_field_or_for_a_token_endpoint(server: Server) -> None:
    server.answers = lambda _: Answer(502)
    given: dict[str, Any] = {"X-OTP": codes("111")}
    parameters: Any = {"totp": codes("222")}
    for login in (
        BasicLogin(f"{server.url}/basic", "ada", "pa55", sends=given),
        OAuth2Login(
            f"{server.url}/token", "id", username="ada", password="pa55", parameters=parameters
        ),
    ):
        with pytest.raises(LoginUnavailable, match="answered 502"):
            with_requests(login)
    assert [request.path for request in server.requests] == ["/basic", "/token"]


def test_a_code_is_not_kept_for_a_later_login(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for, and then a function for another field failed: a vault, say."""
    monkeypatch.setattr(one_time, "_KEPT_FOR", 0.0)
    shown, passwords = ["111"], [OSError("the vault is sealed")]

    def password() -> str:
        for error in passwords:
            raise error
        return "pa55"

    fields = {"password": password, "code": OneTime(lambda: shown[-1])}
    login = JSONLogin(f"{site.url}/json", fields)
    with pytest.raises(OSError, match="sealed"):
        with_requests(login)
    passwords.clear()
    shown.append("222")
    assert with_requests(login)
    assert site.codes == ["222"]


def test_fields_of_one_function_are_waited_for_too(site: Site) -> None:
    code = codes("111", "222")
    login = JSONLogin(f"{site.url}/json", lambda: {"password": "pa55", "code": code})
    assert with_requests(login)
    assert with_requests(login)


def test_a_code_is_sent_once_even_if_another_login_sends_the_next_one_meanwhile() -> None:
    shown = ["111"]
    sent: list[str] = []

    def slow() -> str:
        was_shown = shown[0]
        if sent == ["111"]:
            shown[0] = "222"
            sent.append("…")
            sent[-1] = code()  # as another thread, while this one waits for the app
        return was_shown

    code = OneTime(slow)
    sent.append(code())
    with pytest.raises(LoginUnavailable, match="sent before"):
        code()
    assert sent == ["111", "222"]


def a_code() -> str:
    return "111"


def test_it_is_pickled_as_its_function_and_shows_no_code() -> None:
    code = pickle.loads(pickle.dumps(OneTime(a_code, refused=bool)))
    assert code() == "111"
    assert code.is_to_blame(Refusal(401, {}, ""), b"", alone=False)
    assert repr(code) == "<OneTime>"
    login = JSONLogin("https://api.example.com/login", {"code": OneTime(a_code)})
    assert pickle.loads(pickle.dumps(login)).fields["code"]() == "111"


async def coded() -> str:
    return "111"


async def always(_: Refusal) -> bool:
    return False  # but the coroutine is true


@pytest.mark.parametrize("refused", ["invalid_otp", always])
def test_what_says_that_a_login_was_refused_is_a_plain_function(refused: Any) -> None:
    told = "refused= must be a plain function that gets the Answer"
    with pytest.raises(TypeError, match=told):
        OneTime(a_code, refused=refused)
    with pytest.raises(TypeError, match=told):
        JSONLogin("https://api.example.com/login", {"code": "1"}, refused=refused)


@pytest.mark.parametrize("given", ["123456", coded])
def test_anything_but_a_plain_function_is_told(given: Any) -> None:
    with pytest.raises(TypeError, match=r"OneTime\(\) takes a plain function"):
        OneTime(given)
