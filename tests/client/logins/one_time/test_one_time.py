"""One-time codes: none is sent twice, and one that was refused does not block a login for ever."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from relogin import LoginRefused, LoginUnavailable
from relogin.client.logins import (
    BasicLogin,
    JSONLogin,
    OAuth2Login,
    OneTime,
    one_time,
)
from relogin.client.logins.one_time import new_codes
from relogin.client.logins.sending.request import Pause
from relogin.client.terms.answer import Answer as Refusal
from tests.client.code_site import JSON, Site, codes
from tests.client.log_in import LogIn, with_requests
from tests.client.server import Answer, Request, Server


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


def test_a_code_in_a_header_field_or_for_a_token_endpoint_is_sent_once(server: Server) -> None:
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


def test_a_one_time_code_is_pickled_as_its_function_and_not_shown() -> None:
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
