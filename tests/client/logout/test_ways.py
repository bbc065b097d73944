"""How a session is given back: over which client, with what in it, beside stores and signals."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import Any

import pytest
import requests

from relogin import Grant
from relogin.client.logins import JSONLogin, Logout
from relogin.client.requests import SessionAuth
from relogin.client.stores.memory import MemoryStore
from tests.client.either import Either
from tests.client.log_in import OPENED, over_one
from tests.client.logout.devices import attach, brief
from tests.client.seats import CARRY, Device
from tests.client.server import Answer, Server, serve
from tests.client.steps import Told

# How


def test_a_callable_has_the_session_and_a_client_that_sends_it(
    device: Device, either: Either
) -> None:
    seen: list[Any] = []

    def logout(context: Any) -> None:
        seen.extend([context.previous.token, context.url, context.error])
        context.http.delete(f"{device.url}/sessions/1").raise_for_status()

    auth = attach(either, device, logout=logout)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert (device.ended, device.taken) == ([1], {})
    assert seen == ["s3cret-1", f"{device.url}/", None]


def test_a_callable_may_sign_by_hand(device: Device, either: Either) -> None:
    def logout(context: Any) -> None:
        headers: dict[str, str] = {}
        url = context.sign(headers, f"{device.url}/sessions/1")
        with requests.Session() as http:
            http.delete(url, headers=headers).raise_for_status()

    auth = attach(either, device, logout=logout)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert device.taken == {}


def test_a_logout_is_answered_no_401_for(device: Device, either: Either) -> None:
    def logout(context: Any) -> None:
        assert context.http.get(f"{device.url}/no").status_code == 401

    device.routes["/no"] = lambda _: Answer(401)
    auth = attach(either, device, logout=logout)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert list(device.taken) == [1]


@pytest.mark.parametrize("session", [{"token": "t"}, {"cookies": {"sid": "1"}}])
def test_a_session_of_cookies_says_where_its_logout_comes_from(
    device: Device, either: Either, session: dict[str, Any]
) -> None:
    """As a browser does: Better Auth and Django refuse any other."""
    device.server.answers = lambda request: Answer(
        200 if {"Cookie", "X-Auth-Token"} & {*request.headers} else 401
    )
    logout = Logout(f"{device.url}/out", "POST")
    auth = attach(either, device, login=lambda _: Grant(**session), logout=logout)
    either.client(auth).get(device.url)
    either.log_out(auth)
    (out,) = device.server.seen("/out")
    origins = [out.headers[name] for name in ("Origin", "Referer")]
    assert origins == ([device.url, logout.url] if "cookies" in session else [None, None])


def test_the_session_goes_to_no_other_origin(device: Device, either: Either) -> None:
    with serve(Server(answers=lambda _: Answer(200))) as elsewhere:
        away = Answer(302, (("Location", f"{elsewhere.url}/landing"),))
        device.routes["/away"] = lambda _: away

        def logout(context: Any) -> None:
            follow: Any = {} if either.driver is None else {"follow_redirects": True}
            context.http.get(f"{device.url}/away", **follow)
            context.http.get(f"{elsewhere.url}/direct")

        auth = attach(either, device, logout=logout)
        with either.block(auth):
            either.client(auth).get(device.url)
        assert [request.path for request in elsewhere.requests] == ["/landing", "/direct"]
        assert "s3cret" not in str([request.headers.items() for request in elsewhere.requests])


def test_a_coroutine_function_is_awaited(device: Device, either: Either) -> None:
    async def logout(context: Any) -> None:
        (await context.http.delete(f"{device.url}/sessions/1")).raise_for_status()

    told = Told()
    auth = attach(either, device, logout=logout, on_event=told)
    with either.block(auth):
        either.client(auth).get(device.url)
    awaited = either.driver is not None and either.driver.is_async
    assert told.kinds()[-1] == ("logged_out" if awaited else "logout_failed")
    assert device.taken == ({} if awaited else {1: "s3cret-1"})


def test_a_login_knows_the_session_s_own_url(device: Device, either: Either) -> None:
    auth = attach(either, device, login=device.login())
    with either.block(auth):
        assert either.client(auth).get(device.url).status_code == 200
    assert (device.ended, device.taken) == ([1], {})


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (None, r"the login gave this session no URL: pass one, Logout\(url\)"),
        ("http://elsewhere.example/sessions/1", "the URL of this session is on another origin"),
        ("//elsewhere.example/sessions/1", "the URL of this session is on another origin"),
    ],
)
def test_no_other_origin_ends_a_session(
    device: Device,
    either: Either,
    location: str | None,
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def login(_: Any) -> Grant:
        return Grant(device.sit_down().token, location=location)

    auth = attach(either, device, login=login)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert message.replace("\\", "") in caplog.text


# With others


def test_a_session_in_a_store_is_ended_by_an_explicit_logout_alone_and_for_all(
    device: Device, either: Either
) -> None:
    store = MemoryStore()
    one, other = (attach(either, device, store=store) for _ in range(2))
    with either.block(one):
        either.client(one).get(device.url)
    assert device.ended == []
    either.log_out(other)  # which has sent nothing yet
    assert device.ended == [1]
    assert either.client(one).get(device.url).status_code == 200
    assert either.client(other).get(device.url).status_code == 200
    assert list(device.taken) == [2]


def test_in_a_store_a_replaced_session_is_left_to_its_other_users(
    device: Device, either: Either
) -> None:
    auth = attach(either, device, login=brief(device), store=MemoryStore())
    client = either.client(auth)
    for _ in range(3):
        client.get(device.url)
    assert device.ended == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("explicit", [True, False])
def test_a_child_ends_its_own_sessions_and_never_its_parent_s(
    device: Device, *, explicit: bool
) -> None:
    auth = SessionAuth(device.sit_down, device.url, carry=CARRY, logout=Logout())
    with auth:
        requests.get(device.url, auth=auth, timeout=5)
        child = os.fork()
        if child == 0:  # pragma: no cover - where nobody counts
            try:
                if explicit:
                    auth.logout()
                else:
                    auth.__exit__(None, None, None)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert device.ended == []
    assert device.ended == [1]


@pytest.mark.parametrize("name", OPENED)
def test_a_logout_ends_its_own_session_and_not_the_one_that_its_client_has_now(
    server: Server, name: str
) -> None:
    server.answers = lambda _: Answer(200, (("Set-Cookie", "sid=now; Path=/"),))

    def sign(headers: MutableMapping[str, str], url: str) -> str:
        headers["Cookie"] = "sid=its-own"
        return url

    log_in = JSONLogin(f"{server.url}/login", {"user": "ada"}, token=None)
    over_one(name, [log_in, Logout(f"{server.url}/out")], sign=sign, together=False)
    assert [request.headers["Cookie"] for request in server.requests] == [None, "sid=its-own"]
