"""A session that was replaced while it lived is given back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from relogin import Grant
from relogin.client import Outcome, outcome
from relogin.client.httpx import SessionAuth
from relogin.client.logins import Logout
from tests.client.either import Either
from tests.client.httpx_drivers import Driver
from tests.client.libraries.shapes import Again, AgainAsync
from tests.client.logout.devices import attach, brief
from tests.client.seats import CARRY, Device
from tests.client.server import Answer, Request


def test_a_session_renewed_ahead_of_its_end_is_given_back(device: Device, either: Either) -> None:
    auth = attach(either, device, login=brief(device))
    client = either.client(auth)
    statuses = [client.get(device.url).status_code for _ in range(3)]
    assert (statuses, device.ended, list(device.taken)) == ([200] * 3, [1, 2], [3])


def test_with_logout_replaced_false_no_replaced_session_is_given_back(
    device: Device, either: Either
) -> None:
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


def test_a_request_that_failed_carries_its_session_no_more(device: Device, driver: Driver) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def fail(_: Request) -> Answer:
        arrived.set()
        assert go_on.wait(10)
        raise ConnectionResetError

    device.routes["/fails"] = fail
    auth = SessionAuth(device.sit_down, device.url, logout=Logout(), carry=CARRY)
    client = driver.open(auth=auth)
    client.get(device.url)
    with ThreadPoolExecutor(1) as pool:
        body: Any = AgainAsync() if driver.is_async else Again()
        carrying = pool.submit(client.post, f"{device.url}/fails", content=body)
        assert arrived.wait(10)
        soon(auth)
        client.get(device.url)
        assert device.ended == []
        go_on.set()
        failure = carrying.exception()  # which keeps the request, as its user may keep it
    client.get(device.url)
    assert isinstance(failure, httpx.RemoteProtocolError)
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
