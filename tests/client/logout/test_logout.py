"""A session is given back: once, by itself, alive, and not while a request carries it."""

from __future__ import annotations

import inspect
import os
import threading
from typing import Any

import anyio
import httpx
import pytest
import requests

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth as HttpxAuth
from relogin.client.logins import Logout
from relogin.client.requests import SessionAuth
from relogin.client.stores.memory import MemoryStore
from tests.client.either import Either
from tests.client.seats import CARRY, Device
from tests.client.server import Answer, Request, Server, serve
from tests.client.steps import Told


@pytest.fixture
def device(server: Server) -> Device:
    return Device(server)


def attach(either: Either, device: Device, **options: Any) -> Any:
    given = {"login": device.sit_down, "logout": Logout(), "carry": CARRY} | options
    return either.auth(given.pop("login"), device.url, **given)


# When


def test_it_is_given_back_when_asked_for_and_the_next_request_logs_in(
    device: Device, either: Either
) -> None:
    auth = attach(either, device)
    client = either.client(auth)
    client.get(device.url)
    either.log_out(auth)
    assert (device.ended, device.taken) == ([1], {})
    answer = client.get(device.url)
    assert (answer.status_code, outcome(answer)) == (200, Outcome.REPLAYED)
    assert device.taken == {2: "s3cret-2"}


def test_at_the_end_of_a_block_it_is_given_back(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert (device.ended, device.taken) == ([1], {})


def test_a_block_that_raises_gives_it_back_too(device: Device, either: Either) -> None:
    auth = attach(either, device)
    client = either.client(auth)

    def interrupted() -> None:
        with either.block(auth):
            client.get(device.url)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert device.taken == {}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_block_that_is_cancelled_gives_it_back_too(device: Device, backend: str) -> None:
    auth = HttpxAuth(device.sit_down, device.url, carry=CARRY, logout=Logout())

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with auth, httpx.AsyncClient(auth=auth) as client:
                await client.get(device.url)
                scope.cancel()
                await anyio.sleep_forever()

    anyio.run(main, backend=backend)
    assert device.taken == {}


def test_nothing_is_given_back_twice(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        either.client(auth).get(device.url)
        either.log_out(auth)
        either.log_out(auth)
    assert device.ended == [1]


def test_in_many_threads_at_once_it_is_given_back_once(device: Device) -> None:
    auth = SessionAuth(device.sit_down, device.url, carry=CARRY, logout=Logout())
    requests.get(device.url, auth=auth, timeout=5)
    threads = [threading.Thread(target=auth.logout) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert device.ended == [1]


def test_where_there_is_no_session_nothing_is_sent(device: Device, either: Either) -> None:
    auth = attach(either, device)
    with either.block(auth):
        pass
    assert device.server.requests == []


def test_a_session_that_its_server_called_dead_is_not_given_back(
    device: Device, either: Either
) -> None:
    grants = [device.sit_down]
    auth = attach(either, device, login=lambda _: grants.pop()() if grants else None)
    client = either.client(auth)
    with either.block(auth):
        client.get(device.url)
        device.taken.clear()
        assert outcome(client.get(device.url)) is Outcome.DECLINED
    assert device.ended == []


# What is replaced


def test_a_session_renewed_ahead_of_its_end_is_given_back(device: Device, either: Either) -> None:
    auth = attach(either, device, login=brief(device))
    client = either.client(auth)
    statuses = [client.get(device.url).status_code for _ in range(3)]
    assert (statuses, device.ended, list(device.taken)) == ([200] * 3, [1, 2], [3])


def brief(device: Device) -> Any:
    """A login whose sessions are renewed before each request."""
    return lambda _: Grant(
        (grant := device.sit_down()).token, expires_in=1e-6, location=grant.location
    )


def test_it_is_not_with_logout_replaced_false(device: Device, either: Either) -> None:
    auth = attach(either, device, login=brief(device), logout_replaced=False)
    client = either.client(auth)
    for _ in range(3):
        client.get(device.url)
    assert device.ended == []
    either.log_out(auth)
    assert device.ended == [3]


def test_a_session_that_stepped_up_is_given_back(device: Device, either: Either) -> None:
    strong: list[str] = []

    def login(_: Any) -> Grant:
        grant = device.sit_down()
        strong.append(str(grant.token))
        return grant

    def pay(request: Request) -> Answer:
        weak = request.headers["X-Auth-Token"] != "s3cret-2"
        line = 'Session error="insufficient_user_authentication", max_age="60"'
        return Answer(401, (("WWW-Authenticate", line),)) if weak else Answer(200)

    login.steps_up = True  # type: ignore[attr-defined]
    device.routes["/pay"] = pay
    auth = attach(either, device, login=login)
    client = either.client(auth)
    client.get(device.url)
    assert client.get(f"{device.url}/pay").status_code == 200
    assert (device.ended, list(device.taken)) == ([1], [2])


def test_a_session_that_died_is_not_given_back_when_it_is_replaced(
    device: Device, either: Either
) -> None:
    auth = attach(either, device)
    client = either.client(auth)
    client.get(device.url)
    device.taken.clear()
    assert client.get(device.url).status_code == 200
    assert device.ended == []


def test_a_login_that_returns_the_session_there_is_ends_nothing(
    device: Device, either: Either
) -> None:
    grant = device.sit_down()
    same = Grant(grant.token, expires_in=1e-6, location=grant.location)
    client = either.client(attach(either, device, login=lambda _: same))
    assert [client.get(device.url).status_code for _ in range(3)] == [200] * 3
    assert device.ended == []


def test_a_session_is_given_back_when_the_last_request_that_carries_it_is_answered(
    device: Device, either: Either
) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Answer:
        if not device.knows(request):
            return Answer(401)
        arrived.set()
        go_on.wait(10)
        return Answer(200 if device.knows(request) else 401)

    device.routes["/slow"] = slow
    auth = attach(either, device)
    client = either.client(auth)
    client.get(device.url)
    answers: list[Any] = []
    carrying = threading.Thread(target=lambda: answers.append(client.get(f"{device.url}/slow")))
    carrying.start()
    assert arrived.wait(10)
    soon(auth)
    assert client.get(device.url).status_code == 200
    assert device.ended == []
    go_on.set()
    carrying.join()
    assert [answer.status_code for answer in answers] == [200]
    assert outcome(answers[0]) is Outcome.UNTOUCHED
    assert device.ended == [1]


def soon(auth: Any) -> None:
    """Let every session that there is be about to end."""
    for credential in auth._cache._held():
        auth._cache.extend(credential, 1e-6)


def test_a_session_whose_login_came_too_late_is_given_back(device: Device, either: Either) -> None:
    began, go_on = threading.Event(), threading.Event()

    def login(context: Any) -> Grant:
        if not began.is_set():
            grant = device.sit_down()
            began.set()
            go_on.wait(10)
            return grant
        return device.sit_down()

    auth = attach(either, device, login=login)
    client = either.client(auth)
    asking = threading.Thread(target=lambda: client.get(device.url))
    asking.start()
    assert began.wait(10)
    either.log_out(auth)
    go_on.set()
    asking.join()
    assert (device.ended, list(device.taken)) == ([1], [2])


# What fails


def test_a_logout_that_fails_costs_no_request_and_is_told(
    device: Device, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    told, device.logout_status = Told(), 500
    auth = attach(either, device, login=brief(device), on_event=told)
    client = either.client(auth)
    with either.block(auth):
        assert [client.get(device.url).status_code for _ in range(2)] == [200, 200]
    failures = [e for e in told.events if e.kind == "logout_failed"]
    assert [failure.reason for failure in failures] == ["LoginUnavailable"] * 2
    assert caplog.messages == [
        f"the logout at {device.url} failed: LoginUnavailable: "
        f"{device.url}/sessions/{number} answered 500"
        for number in (1, 2)
    ]


def test_what_a_logout_raises_is_not_shown(
    device: Device, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    def logout(_: Any) -> None:
        raise OSError("s3cret")

    auth = attach(either, device, logout=logout)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert caplog.messages == [f"the logout at {device.url} failed: OSError"]


def test_a_logout_that_was_interrupted_is_done_by_the_next_one(device: Device) -> None:
    calls: list[str] = []

    def logout(context: Any) -> None:
        calls.append(context.previous.token)
        if len(calls) == 1:
            raise KeyboardInterrupt

    auth = SessionAuth(device.sit_down, device.url, carry=CARRY, logout=logout)
    requests.get(device.url, auth=auth, timeout=5)
    with pytest.raises(KeyboardInterrupt):
        auth.logout()
    auth.logout()
    auth.logout()
    assert calls == ["s3cret-1", "s3cret-1"]


def test_a_success_is_told(device: Device, either: Either) -> None:
    told = Told()
    auth = attach(either, device, on_event=told)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert told.kinds()[-1] == "logged_out"


@pytest.mark.parametrize("status", [200, 204, 302, 401, 404, 410])
def test_a_session_that_is_gone_is_as_good_as_ended(
    device: Device, either: Either, status: int
) -> None:
    told, device.logout_status = Told(), status
    auth = attach(either, device, on_event=told)
    with either.block(auth):
        either.client(auth).get(device.url)
    assert told.kinds()[-1] == "logged_out"


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


def test_in_a_store_only_an_explicit_logout_ends_it_and_for_all(
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


# Mistakes


@pytest.mark.parametrize(
    ("logout", "message"),
    [
        ("https://api.example.com/logout", "logout= must be a function, such as Logout.*not str"),
        (Logout, r"pass an instance, not the class: Logout\(…\)"),
        (7, "logout= must be a function"),
    ],
)
def test_what_is_no_logout_is_told_at_once(either: Either, logout: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^SessionAuth: {message}"):
        either.auth(lambda _: "t", "https://api.example.com", logout=logout)


def test_without_logout_there_is_nothing_to_do_it_with(either: Either) -> None:
    auth = either.auth(lambda _: "t", "https://api.example.com")
    with pytest.raises(TypeError, match=r"SessionAuth\(…, logout=Logout\(url\)\)"):
        either.log_out(auth)
    with pytest.raises(TypeError, match="has no logout"), either.block(auth):
        pass


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"url": 7}, TypeError, "the URL of a logout must be a str, not int"),
        ({"url": "http://api.example.com/logout"}, ValueError, "is not https"),
        ({"url": "https://ada:pw@api.example.com/"}, ValueError, "must not contain a user name"),
        ({"method": "GET IT"}, ValueError, "must be an HTTP method"),
        ({"method": None}, ValueError, "must be an HTTP method"),
        ({"method": ""}, ValueError, "must be an HTTP method"),
    ],
)
def test_a_logout_that_cannot_be_is_told_at_once(
    given: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Logout(**given)


def test_a_repr_shows_no_query() -> None:
    assert repr(Logout("https://a.example/out?k=s3cret", "POST")) == (
        "<Logout POST https://a.example/out>"
    )
    assert repr(Logout()) == "<Logout DELETE the session's own URL>"


@pytest.mark.parametrize("kind", [SessionAuth, HttpxAuth])
def test_it_is_an_option_of_every_library(kind: Any) -> None:
    assert {"logout", "logout_replaced"} <= inspect.signature(kind).parameters.keys()
