"""One-time codes that a server refuses: was it the code, or the password beside it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
import requests

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import (
    BasicLogin,
    FormLogin,
    JSONLogin,
    OneTime,
    from_json,
)
from relogin.client.requests import SessionAuth
from relogin.client.signals import json_field
from relogin.client.terms.answer import Answer as Refusal
from tests.client.code_site import JSON, Site, codes
from tests.client.log_in import context, with_requests
from tests.client.server import Answer, Server


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
    """A third wrong code might lock the account."""
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
    with pytest.raises(LoginRefused, match=r"if it was the code, call reset\(\), or pass OneTime"):
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


def test_accounts_that_share_an_app_do_not_share_what_was_accepted(server: Server) -> None:
    """Each of them may get another code, and none of them for a password that is wrong."""
    accepts = [200, 200, 401, 401, 401]
    server.routes["/json"] = lambda _: Answer(accepts.pop(0), JSON, b'{"access_token": "t0ken"}')
    code = OneTime(map(str, count()).__next__)
    ada, bob, eve = (
        JSONLogin(f"{server.url}/json", {"password": password, "code": code})
        for password in ("of-ada", "of-bob", "of-eve")
    )
    assert with_requests(ada)
    assert with_requests(bob)
    for login, error in ((ada, LoginUnavailable), (bob, LoginUnavailable), (eve, LoginRefused)):
        with pytest.raises(error):
            with_requests(login)


def test_what_was_accepted_is_forgotten_before_it_grows_without_end() -> None:
    code = OneTime(lambda: "111")
    given = [b"%d" % number for number in range(65)]
    for others in given:
        code.accept(others)
    refusal = Refusal(401, {}, "")
    known = [code.is_to_blame(refusal, others, alone=False) for others in given]
    assert known == [False] + [True] * 64


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
    ("blamed", "error", "told"),
    [("invalid_otp", LoginUnavailable, "tried once"), ("invalid_password", LoginRefused, "401$")],
)
def test_a_function_says_whether_the_code_is_to_blame(
    site: Site, blamed: str, error: type[Exception], told: str
) -> None:
    said = json.dumps({"error": blamed}).encode()
    site.server.routes["/json"] = lambda _: Answer(401, JSON, said)
    code = OneTime(lambda: "111", refused=json_field("error", "invalid_otp"))
    with pytest.raises(error, match=told):
        with_requests(JSONLogin(f"{site.url}/json", {"password": "pa55", "code": code}))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"trust": True}, LoginUnavailable),
        ({"trust": "on"}, LoginRefused),  # it might be a secret
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
